"""A sealed address says where a call stands to us, and to nobody else; to no other call; not for
ever; and in few characters."""

import base64
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from books import FACTS, FOUND, OWN, SID, real
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.core.call import Candidate, Position, Stop
from ivr.core.engine import MAX_CANDIDATES
from ivr.core.walk import MAX_SUB_FLOWS, MAX_TRAIL
from ivr.errors import SealError
from ivr.sealing import GOOD_FOR, KNOWN, LONGEST, Sealer, pack, unpack

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY, OTHER_KEY = Fernet.generate_key(), Fernet.generate_key()
SEALER = Sealer([KEY], lambda: NOON)
POSITION = Position(
    at="callback/save",
    turn=17,
    part=1,
    trail=(Stop("main/menu"), Stop("number/own", ("callback/get-number",))),
    stack=("callback/get-number",),
    slow=True,
    silences=2,
    wrong_keys=1,
    answer="school/rights",
    facts={"caller_number": OWN, "slot": "morning"},
    candidates=(Candidate("E08000035", "Leeds"),),
    book="0123456789ab",
    journey="0123456789abcdef",
)


def at(moment: datetime, *keys: bytes) -> Sealer:
    return Sealer(keys or [KEY], lambda: moment)


def token(sealed: str) -> bytearray:
    return bytearray(base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)))


def test_a_position_comes_back_as_it_was() -> None:
    assert SEALER.unseal_position(SID, SEALER.seal_position(SID, POSITION)) == POSITION
    assert SEALER.unseal_position(SID, SEALER.seal_position(SID, Position())) == Position()


def test_the_steps_gone_through_in_a_turn_are_not_kept() -> None:
    sealed = SEALER.seal_position(SID, replace(POSITION, hops=39))
    assert SEALER.unseal_position(SID, sealed).hops == 0


def test_a_sealed_text_fits_into_a_web_address_as_it_is() -> None:
    sealed = SEALER.seal_position(SID, POSITION)
    assert set(sealed) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_nothing_of_it_can_be_read() -> None:
    sealed = token(SEALER.seal_position(SID, replace(POSITION, facts={"typed": "07700900123"})))
    for secret in (b"07700900123", b"callback", SID.encode()):
        assert secret not in bytes(sealed)


def test_every_flipped_bit_is_noticed() -> None:
    sealed = token(SEALER.seal_position(SID, POSITION))
    for bit in range(len(sealed) * 8):
        damaged = sealed.copy()
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealError):
            SEALER.unseal_position(SID, base64.urlsafe_b64encode(damaged).decode())


def test_every_shortened_text_is_noticed() -> None:
    sealed = SEALER.seal_position(SID, POSITION)
    for length in range(len(sealed)):
        with pytest.raises(SealError):
            SEALER.unseal_position(SID, sealed[:length])


def test_a_changed_character_never_makes_it_say_something_else() -> None:
    """The last character of a base64 text has bits to spare: with those it still says the same."""
    sealed = SEALER.seal_position(SID, POSITION)
    for place in range(len(sealed)):
        for other in "A_9z":
            try:
                found = SEALER.unseal_position(SID, sealed[:place] + other + sealed[place + 1 :])
            except SealError:
                continue
            assert found == POSITION


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=300))
def test_no_text_makes_unsealing_raise_anything_but_its_own_error(text: str) -> None:
    with pytest.raises(SealError):
        SEALER.unseal_position(SID, text)


@pytest.mark.parametrize("sid", ["CA" + "2" * 32, "", SID.lower(), SID + " ", "\ud800"])
def test_another_call_cannot_use_it(sid: str) -> None:
    sealed = SEALER.seal_position(SID, POSITION)
    with pytest.raises(SealError):
        SEALER.unseal_position(sid, sealed)


def test_it_cannot_be_used_for_another_purpose() -> None:
    audio = SEALER.seal("audio", SID, pack(POSITION))
    assert SEALER.unseal("audio", SID, audio) == pack(POSITION)
    with pytest.raises(SealError):
        SEALER.unseal_position(SID, audio)
    with pytest.raises(SealError):
        SEALER.unseal("audio", SID, SEALER.seal_position(SID, POSITION))


def test_it_is_good_for_four_hours_and_ten_minutes() -> None:
    """Twilio ends a call after four hours."""
    sealed = SEALER.seal_position(SID, POSITION)
    last = NOON + timedelta(hours=4, minutes=10)
    assert last - NOON == timedelta(seconds=GOOD_FOR)
    assert at(last).unseal_position(SID, sealed) == POSITION
    with pytest.raises(SealError):
        at(last + timedelta(seconds=1)).unseal_position(SID, sealed)


def test_what_is_sealed_for_less_long_ends_sooner() -> None:
    sealed = SEALER.seal("audio", SID, b"words")
    minute = timedelta(minutes=1)
    assert at(NOON + 15 * minute).unseal("audio", SID, sealed, 900) == b"words"
    with pytest.raises(SealError):
        at(NOON + 16 * minute).unseal("audio", SID, sealed, 900)


def test_a_clock_that_is_a_little_behind_does_no_harm() -> None:
    """The next turn may be answered by another machine."""
    sealed = SEALER.seal_position(SID, POSITION)
    assert at(NOON - timedelta(seconds=30)).unseal_position(SID, sealed) == POSITION
    with pytest.raises(SealError):
        at(NOON - timedelta(hours=1)).unseal_position(SID, sealed)


def test_keys_can_be_changed_while_calls_go_on() -> None:
    """The first key seals, all unseal: add the new one behind, then put it first, then drop one."""
    old, both, turned, new = (
        at(NOON, KEY),
        at(NOON, KEY, OTHER_KEY),
        at(NOON, OTHER_KEY, KEY),
        at(NOON, OTHER_KEY),
    )
    for sealed_by, unsealed_by in ((old, both), (both, old), (both, turned), (turned, both)):
        sealed = sealed_by.seal_position(SID, POSITION)
        assert unsealed_by.unseal_position(SID, sealed) == POSITION
    assert new.unseal_position(SID, turned.seal_position(SID, POSITION)) == POSITION
    with pytest.raises(SealError):
        new.unseal_position(SID, old.seal_position(SID, POSITION))


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"j",
        b"z",
        b"j[]",
        b"j{}",
        b"jnull",
        b"j17",
        b"znothing",
        b"j" + b"[" * 12 + b"]" * 12,
        b'j["at",1,0,[{}],[],0,0,0,"",{},[],"",""]',
        b'j["at",1,0,[[]],[],0,0,0,"",{},[],"",""]',
        b'j["at",1,0,[],[],0,0,0,"",{},[7],"",""]',
        b'j["at",1,0,[],[],0,0,0,"",{},[["a","b","c"]],"",""]',
        b"j\xff",
    ],
)
def test_what_another_version_wrote_counts_as_damaged(packed: bytes) -> None:
    with pytest.raises(SealError):
        unpack(packed)


def test_a_position_that_was_packed_before_an_upgrade_is_read_after_it() -> None:
    """A call in progress is not lost by a deploy that adds to the packing dictionary."""
    plain = zlib.decompressobj(zdict=KNOWN[0]).decompress(pack(FULL)[1:])
    for common in KNOWN:
        packer = zlib.compressobj(6, zdict=common)
        assert unpack(b"z" + packer.compress(plain) + packer.flush()) == FULL


# --- never over 1,000 characters -----------------------------------------------------------------

longest = partial(max, key=len)
PLACES = sorted(real().book.steps, key=len)
FULL = Position(
    at=PLACES[-1],
    turn=1_999_999_999,
    part=3,
    trail=tuple(Stop(place, ("callback/get-number",)) for place in PLACES[-MAX_TRAIL:]),
    stack=("callback/get-number",) * MAX_SUB_FLOWS,
    slow=True,
    silences=12,
    wrong_keys=1000,
    answer=PLACES[-2],
    facts={
        **FACTS,
        "caller_number": OWN,
        "typed": "07700900123",
        "phone": "typed",
        "slot": "afternoon",
        "letters": "667843",
        "more_letters": "843",
        "chosen": "northern-ireland",
        "helped": "yes",
        "safety": "pressed",
        "danger_told": "yes",
    },
    candidates=FOUND,
    book="0123456789ab",
    journey="0123456789abcdef",
)


def test_the_fullest_position_of_a_call_is_kept_whole() -> None:
    assert len(FULL.candidates) == MAX_CANDIDATES
    assert len(FULL.trail) == MAX_TRAIL
    sealed = SEALER.seal_position(SID, FULL)
    assert len(sealed) <= LONGEST
    found = SEALER.unseal_position(SID, sealed)
    assert found.trail[-8:] == FULL.trail[-8:]
    assert replace(found, trail=()) == replace(FULL, trail=())


def test_the_oldest_steps_of_the_way_back_are_let_go_before_it_gets_too_long() -> None:
    far = tuple(Stop(f"{number:040}/{number * 7919:040}") for number in range(60))
    sealed = SEALER.seal_position(SID, replace(FULL, trail=far))
    assert len(sealed) <= LONGEST
    kept = SEALER.unseal_position(SID, sealed).trail
    assert kept == far[len(far) - len(kept) :]
