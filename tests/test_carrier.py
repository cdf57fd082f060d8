"""Ringing somebody through Twilio's REST API: once, or not at all, and the truth about which."""

import asyncio
from collections.abc import Iterator

import pytest

from ivr.carrier import PATIENCE_S, Carrier, CarrierError, CarrierSilentError
from tests.helplines import PATIENCE, later
from tests.standins import Twilio, twilio

SID = "AC" + "1" * 32
NUMBER, OURS = "+447400123456", "+441134960000"


@pytest.fixture
def standin() -> Iterator[Twilio]:
    with twilio() as made:
        yield made


def carrier(address: str) -> Carrier:
    return Carrier(address, SID, "a token", OURS)


async def ring(address: str) -> str:
    line = "https://line.example.org/voice"
    return await carrier(address).ring(NUMBER, f"{line}/answered", f"{line}/ended", 25)


async def test_twilio_is_told_whom_to_ring_and_whom_to_tell(standin: Twilio) -> None:
    """The helpline's own number is what the phone shows."""
    assert (await ring(standin.address)).startswith("CA")
    (asked,) = standin.asked
    assert asked["path"] == f"/2010-04-01/Accounts/{SID}/Calls.json"
    assert asked["who"] == f"{SID}:a token"
    assert (asked["To"], asked["From"], asked["Timeout"]) == (NUMBER, OURS, "25")
    assert asked["Url"].endswith("/answered")
    assert asked["StatusCallback"].endswith("/ended")


@pytest.mark.parametrize(("status", "code"), [(400, 21211), (401, 20003), (429, 20429)])
async def test_a_refusal_is_told_by_its_number_and_nothing_private(
    standin: Twilio, status: int, code: int
) -> None:
    standin.status, standin.code = status, code
    with pytest.raises(CarrierError, match=str(code)) as refused:
        await ring(standin.address)
    assert NUMBER not in str(refused.value)
    assert len(standin.asked) == 1


async def test_when_nobody_can_say_whether_it_rings_it_is_not_tried_again(standin: Twilio) -> None:
    """Twilio's own fault may come after the phone rang."""
    standin.status = 500
    with pytest.raises(CarrierSilentError, match="wait a minute"):
        await ring(standin.address)
    assert len(standin.asked) == 1


async def test_a_silent_twilio_is_not_waited_for(
    standin: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.silent.clear()
    ringing = asyncio.create_task(ring(standin.address))
    assert await asyncio.to_thread(standin.came.wait, PATIENCE)
    later(monkeypatch, PATIENCE_S)
    with pytest.raises(CarrierSilentError):
        await ringing
    assert len(standin.asked) == 1


async def test_a_twilio_that_cannot_be_reached_rings_nobody(standin: Twilio) -> None:
    with pytest.raises(CarrierError, match="nobody is rung"):
        await ring("http://127.0.0.1:9")


def test_without_an_account_nothing_offers_to_ring() -> None:
    assert carrier("https://api.twilio.com").can_ring
    assert not Carrier("https://api.twilio.com", "", "token", OURS).can_ring
    assert not Carrier("https://api.twilio.com", SID, "token", "").can_ring
