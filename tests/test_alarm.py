"""When somebody may not be safe, whoever answers for safety is texted at once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from databases import new_url
from sqlmodel import col, select

from ivr.callbacks.keys import Keys as CallBackKeys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.wishes import Kind, Wish
from ivr.config import load_settings
from ivr.database import Database, upgrade
from ivr.hours import Hours
from ivr.messages.keys import Keys
from ivr.messages.outbox import Outbox
from ivr.messages.tables import TextMessage
from ivr.postroom import desk_for
from tests.helplines import KEY, SetClock, settings_of
from tests.standins import twilio

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEAD, OTHER = "+447400123471", "+447400123472"
TEXTS = {
    "IVR_TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "IVR_TEXT_FROM": "+447400123499",
    "IVR_SAFETY_PHONES": f"{LEAD}, {OTHER}",
}


async def marked(var: Path, database: Database, **settings: str) -> list[tuple[str, str]]:
    """The texts in the outbox, with their numbers, after a request was marked urgent and then not
    urgent any more."""
    chosen = load_settings(settings_of(var, "https://line.example", **settings))
    keys = CallBackKeys(chosen.fernet_keys, chosen.hash_key)
    wish = Wish(Kind.SAVE, "1" * 64, "482195", "+447400123456", NOON, "any", NOON, "school/rights")
    await Ledger(database, keys).enter(wish)
    desk = desk_for(chosen, database, lambda: Hours({}), SetClock(NOON))
    await desk.mark(1, "Ada", urgent=True, note="The child is at risk")
    await desk.mark(1, "Ada", urgent=False, note="The family is safe")
    unseal = Keys((KEY.encode(),), chosen.hash_key).unseal
    async with database.reading() as session:
        found = await session.exec(select(TextMessage).order_by(col(TextMessage.id)))
        return [(unseal(one.number), unseal(one.body)) for one in found.all()]


async def test_each_phone_is_texted_once_and_the_text_tells_nobody_who_or_why(
    database: Database, tmp_path: Path
) -> None:
    texts = await marked(tmp_path, database, **TEXTS)
    assert [number for number, _ in texts] == [LEAD, OTHER]
    first, *others = texts[0][1].splitlines()
    assert first == "Helpline: please look at this now."
    assert others == [
        "Request 482195 was marked urgent.",
        "https://line.example/staff/requests/1",
    ]


@pytest.mark.parametrize("missing", ["IVR_TEXT_FROM", "IVR_SAFETY_PHONES"])
async def test_without_texts_or_phones_a_request_is_marked_all_the_same(
    missing: str, tmp_path: Path
) -> None:
    url = new_url("sqlite", tmp_path)
    await upgrade(url)
    database = Database(url)
    settings = {name: value for name, value in TEXTS.items() if name != missing}
    assert await marked(tmp_path, database, **settings) == []
    await database.close()


async def test_no_alarm_goes_to_a_number_that_is_nobodys(
    database: Database, tmp_path: Path
) -> None:
    phones = {"IVR_SAFETY_PHONES": f"+447700900123, {LEAD}"}
    texts = await marked(tmp_path, database, **TEXTS | phones)
    assert [number for number, _ in texts] == [LEAD]


async def test_whoever_is_texted_has_it_from_twilio(database: Database, tmp_path: Path) -> None:
    """The outbox sends it like any other text."""
    from ivr.messages.sender import Sender
    from ivr.postroom import carrier_of

    with twilio() as standin:
        settings = {**TEXTS, "IVR_TWILIO_API_URL": standin.address}
        await marked(tmp_path, database, **settings)
        chosen = load_settings(settings_of(tmp_path, "https://line.example", **settings))
        outbox = Outbox(database, Keys(chosen.fernet_keys, chosen.hash_key), lambda: NOON)
        sender = Sender(outbox, carrier_of(chosen), lambda one: f"https://line.example/{one}")
        assert await sender.send_due()
        assert sorted(asked["To"] for asked in standin.asked) == [LEAD, OTHER]
