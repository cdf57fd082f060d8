"""`ivr doctor`: whoever sets a helpline up is told what works and what does not."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli import main
from ivr.config import load_settings
from ivr.database import upgrade
from ivr.health import examined
from ivr.house import build
from tests.helplines import done, settings_of

NUMBERS = {
    "IVR_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "IVR_TWILIO_NUMBER": "+441134960000",
    "IVR_TEXT_FROM": "+447400123456",
}


@pytest.fixture
def var(tmp_path: Path) -> Path:
    done(upgrade(f"sqlite+aiosqlite:///{tmp_path}/helpline.db"))
    return tmp_path


def doctor(var: Path, *arguments: str, **settings: str) -> Result:
    environment: Mapping[str, str] = settings_of(var, "https://line.example", **settings)
    return CliRunner().invoke(main, ["doctor", *arguments], env=environment)


def test_a_helpline_that_is_set_up_is_told_so(var: Path) -> None:
    answer = doctor(var, "--json", **NUMBERS)
    assert answer.exit_code == 0
    found = {one["what"]: (one["state"], one["said"]) for one in json.loads(answer.output)}
    assert found["settings"] == ("ok", "reached at https://line.example")
    assert found["database"][0] == found["ringing"][0] == found["texts"][0] == "ok"
    assert found["duty"] == ("note", "nobody is on duty: 0 leads to a call-back (ivr duty on)")
    assert "of 153 councils can be answered" in found["directory"][1]


def test_a_safety_phone_that_no_alarm_reaches_is_told(var: Path) -> None:
    """Not which number it is."""
    lead, other = "+447400123471", "+447400123472"
    numbers = {**NUMBERS, "IVR_SAFETY_PHONES": f"{lead},{other}"}
    assert "no alarm reaches" not in doctor(var, **numbers).output
    house = build(load_settings(settings_of(var, "https://line.example", **numbers)))

    async def stopping() -> None:
        await house.post.optouts.stop(other, "caller")
        await house.database.close()

    done(stopping())
    answer = doctor(var, **numbers)
    assert answer.exit_code == 1
    assert "no alarm reaches phone 2 of IVR_SAFETY_PHONES" in answer.output
    assert other[3:] not in answer.output


def test_a_safety_phone_that_is_nobodys_is_told(var: Path) -> None:
    numbers = {**NUMBERS, "IVR_SAFETY_PHONES": "+447400123471,+447700900123"}
    answer = doctor(var, **numbers)
    assert answer.exit_code == 1
    assert "no alarm reaches phone 2 of IVR_SAFETY_PHONES: it is one of Ofcom's" in answer.output


def test_what_is_wrong_has_its_remedy_and_ends_in_1(tmp_path: Path) -> None:
    answer = doctor(tmp_path)
    assert answer.exit_code == 1
    assert "wrong  database   at migration none, not" in answer.output
    assert "ivr db upgrade" in answer.output
    assert "staff ring by hand; IVR_TWILIO_ACCOUNT_SID" in answer.output


def test_broken_hours_are_told_and_all_else_is_looked_at(var: Path, tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    for path in (Path(__file__).parent.parent / "flows").rglob("*.*"):
        copy = flows / path.relative_to(Path(__file__).parent.parent / "flows")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (flows / "data" / "hours.yaml").write_text("monday: nine to five\n")
    answer = doctor(var, IVR_FLOWS=str(flows))
    assert answer.exit_code == 1
    assert 'hours.yaml:1:9: error F007: "nine to five"' in answer.output
    assert "   ok  database" in answer.output


async def test_clips_that_are_not_made_are_counted(var: Path) -> None:
    settings = load_settings(settings_of(var, "https://line.example", IVR_SPEECH="clips"))
    house = build(settings, lambda: datetime(2026, 11, 24, 11, 0, tzinfo=UTC))
    found = {one.what: one for one in await examined(house)}
    await house.database.close()
    assert "are not made; until then Twilio's voice: ivr speak" in found["clips"].said
    assert found["hours"].said == "staffed now"


async def test_it_says_which_numbers_lapse_and_whom_to_ring_first(var: Path) -> None:
    at = datetime(2027, 5, 1, 11, 0, tzinfo=UTC)
    house = build(load_settings(settings_of(var, "https://line.example")), lambda: at)
    for code in ("E08000035", "E09000003", "E08000035"):
        house.asked.note(code)
    await house.asked.flush()
    (told,) = (one.said for one in await examined(house) if one.what == "directory")
    await house.database.close()
    assert told == (
        "15 of 153 councils can be answered with a number today; 15 lapse within 30 days;"
        " ring first Leeds, Barnet, whom callers ask for most"
    )


def test_a_file_of_changes_that_cannot_be_read_is_told(var: Path) -> None:
    (var / "directory.json").write_text("damaged")
    answer = doctor(var)
    assert answer.exit_code == 1
    assert "directory.json is damaged" in answer.output
