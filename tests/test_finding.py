"""Finding the council: by letters of it or of a place in it, by area code, in few key presses."""

import csv
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ivr.conversation import Call
from ivr.core.call import Answered, Ask, Candidate
from ivr.core.engine import MAX_CANDIDATES
from ivr.core.speaking import DIGITS
from ivr.directory.finding import FindCouncil, GuessCouncil, NarrowCouncil, SettleCouncil
from ivr.directory.loading import load_councils
from ivr.directory.lookup import Directory
from ivr.directory.places import (
    ANOTHER_AREA,
    BEYOND,
    ELSEWHERE,
    LONDON,
    NATIONS,
    Kind,
    Whereabouts,
    load_whereabouts,
)
from ivr.directory.presses import Reaching, of_councils, of_places
from ivr.directory.spelling import FEW, keypad
from ivr.errors import BookError
from ivr.house import now
from tests.helplines import Helpline, Page, helpline

DATA = Path(__file__).parent.parent / "flows" / "data"
WHERE = load_whereabouts(DATA)
DIRECTORY = Directory(load_councils(DATA), WHERE.places)
CODES = {one.entry.council: one.entry.gss_code for one in DIRECTORY.councils}
DISTRICTS = [place for place in WHERE.places if place.kind == Kind.DISTRICT]
CALL = Call("CA" + "0" * 32)
MOBILE = "+447400123456"
FINDERS = {"find-council": FindCouncil(lambda: DIRECTORY)}
FINDERS["narrow-council"] = NarrowCouncil(lambda: DIRECTORY)

steady = settings(derandomize=True, deadline=None)
keys = st.text("23456789", min_size=1, max_size=12)


async def ask(service: str, **facts: str) -> Answered:
    return await FINDERS[service](Ask(service, facts, "council/look-up", 3), CALL)


async def find(letters: str) -> Answered:
    return await ask("find-council", letters=keypad(letters))


async def narrow(letters: str, more: str) -> Answered:
    return await ask("narrow-council", letters=keypad(letters), more_letters=keypad(more))


async def guess(number: str) -> list[str]:
    service = GuessCouncil(lambda: DIRECTORY, WHERE)
    answer = await service(Ask("guess-council", {"caller_number": number}, "x/y", 2), CALL)
    assert (answer.outcome == "guessed") == bool(answer.candidates)
    return [one.words for one in answer.candidates]


async def settle(chosen: str) -> Answered:
    return await SettleCouncil(lambda: DIRECTORY)(
        Ask("settle-council", {"chosen": chosen}, "x/y", 5), CALL
    )


def words(letters: str) -> list[str]:
    return [one.words for one in DIRECTORY.spelling.matches(keypad(letters))]


# --- the facts -------------------------------------------------------------------------------


def test_all_164_districts_of_england_are_there_each_once_in_its_county() -> None:
    """As ONS counts them by county since April 2023."""
    counts = (
        "Cambridgeshire 5, Derbyshire 8, Devon 8, East Sussex 5, Essex 12, Gloucestershire 6,"
        " Hampshire 11, Hertfordshire 10, Kent 12, Lancashire 12, Leicestershire 7, Lincolnshire 7,"
        " Norfolk 7, Nottinghamshire 7, Oxfordshire 5, Staffordshire 8, Suffolk 5, Surrey 11,"
        " Warwickshire 5, West Sussex 7, Worcestershire 6"
    )
    expected = dict(one.rsplit(" ", 1) for one in counts.split(", "))
    counties = {name: sum(one.council == CODES[name] for one in DISTRICTS) for name in expected}
    assert counties == {name: int(count) for name, count in expected.items()}
    assert len({place.name for place in DISTRICTS}) == len(DISTRICTS) == 164


def test_all_councils_of_the_other_countries_are_there() -> None:
    councils = [place.council for place in WHERE.places if place.kind == Kind.COUNCIL]
    assert [councils.count(nation) for nation in NATIONS] == [22, 32, 11]


def test_every_place_and_area_code_says_where_it_can_be_looked_up() -> None:
    with (DATA / "area-codes.csv").open(encoding="utf-8", newline="") as file:
        assert all(row["source"] and row["area"] for row in csv.DictReader(file))
    assert all(place.source for place in WHERE.places)


@pytest.mark.parametrize(
    ("name", "council"),
    [
        ("Guildford", "Surrey"),
        ("Huddersfield", "Kirklees"),
        ("Halifax", "Calderdale"),
        ("Birkenhead", "Wirral"),
        ("Harrogate", "North Yorkshire"),
        ("Northampton", "West Northamptonshire"),
        ("Weston-super-Mare", "North Somerset"),
        ("Somerset West and Taunton", "Somerset"),
        ("Aylesbury Vale", "Buckinghamshire"),
        ("Barrow-in-Furness", "Westmorland and Furness"),
    ],
)
def test_a_place_shows_its_council_and_says_why(name: str, council: str) -> None:
    found = DIRECTORY.show(name)
    assert found.council == DIRECTORY.council(CODES[council])
    assert found.why == f"{name} is in {council}."


def test_a_name_of_several_or_of_another_country_is_told_as_that() -> None:
    assert DIRECTORY.show("Cardiff").why == "Cardiff is in Wales."
    shared = DIRECTORY.show("Bedfordshire")
    assert [one.entry.council for one in shared.candidates] == [
        "Bedford",
        "Central Bedfordshire",
        "Luton",
    ]
    norfolk = "King's Lynn and West Norfolk is in Norfolk."
    assert DIRECTORY.show("King’s Lynn").why == norfolk, "the first words of one place alone"
    assert DIRECTORY.show("Guildford Borough Council").why == "Guildford is in Surrey."
    assert DIRECTORY.show("Wales").why == "Wales is not one council of England."


# --- letters ---------------------------------------------------------------------------------


async def test_a_district_leads_to_its_county_and_says_so() -> None:
    assert await find("HUD") == Answered(
        "placed",
        {
            "council": CODES["Kirklees"],
            "council_name": "Kirklees",
            "place": "Huddersfield, in Kirklees",
        },
    )
    assert await find("GUI") == Answered(
        "several",
        candidates=(
            Candidate(CODES["Surrey"], "Guildford, in Surrey"),
            Candidate(CODES["Redcar and Cleveland"], "Guisborough, in Redcar and Cleveland"),
        ),
    )


async def test_a_council_is_found_by_its_own_name_alone() -> None:
    found = {"council": CODES["Kirklees"], "council_name": "Kirklees"}
    assert await narrow("KIR", "KLE") == Answered("found", found)


async def test_letters_that_fit_nothing_find_nothing() -> None:
    assert await find("ZZZ") == Answered("none")
    assert await find("") == Answered("none")


async def test_more_letters_are_asked_for_only_where_more_than_four_fit() -> None:
    for three in product("23456789", repeat=3):
        answer = await ask("find-council", letters="".join(three))
        fits = len(DIRECTORY.spelling.matches("".join(three)))
        assert (answer.outcome == "more") == (fits > FEW)
        assert (answer.outcome == "several") == (1 < fits <= FEW)


async def test_more_letters_are_added_to_the_first() -> None:
    answer = await find("BRI")
    assert answer.outcome == "more"
    assert len(answer.candidates) == 12  # which can be heard instead
    assert (await narrow("BRI", "STO")).facts["council_name"] == "Bristol"
    again = await narrow("NOR", "T")  # so many councils of the north that letters are asked again
    assert (again.outcome, again.facts) == ("more", {"letters": keypad("NORT")})
    assert (await narrow("NORT", "HUM")).facts["council_name"] == "Northumberland"


async def test_a_wrong_letter_leaves_what_the_others_led_to() -> None:
    """Never a dead end."""
    assert (await narrow("BRI", "SXX")).facts == (await narrow("BRI", "S")).facts
    assert (await narrow("NOR", "ZZZ")).facts[
        "place"
    ] == "Norwich, in Norfolk"  # W and Z share a key


async def test_without_councils_nobody_hears_that_there_is_none() -> None:
    nothing = Directory((), WHERE.places)
    for service in (FindCouncil(lambda: nothing), NarrowCouncil(lambda: nothing)):
        with pytest.raises(LookupError):
            await service(Ask("x", {"letters": "533", "more_letters": ""}, "x/y", 1), CALL)


# --- similar names ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letters", "told_apart"),
    [
        ("NORTHA", ["North Northamptonshire", "West Northamptonshire"]),
        ("CHESHI", ["Cheshire East", "Cheshire West and Chester"]),
        ("BED", ["Bedford borough", "Central Bedfordshire"]),
        ("KIN", ["Kingston upon Hull", "Kingston upon Thames"]),
        ("NEW", ["Newcastle upon Tyne", "Newcastle-under-Lyme, in Staffordshire"]),
        ("SAI", ["Saint Helens", "Saint Albans, in Hertfordshire"]),
        ("RICHMO", ["Richmond upon Thames", "Richmond, in North Yorkshire"]),
        ("GLO", ["Gloucestershire", "South Gloucestershire"]),
        ("DER", ["Derby city", "Derbyshire county"]),
        ("LEI", ["Leicester city", "Leicestershire county"]),
        ("NOT", ["Nottingham city", "Nottinghamshire county"]),
        ("HER", ["Herefordshire, near Wales", "Hertfordshire, near London"]),
        ("NEWPOR", ["Newport, in the Isle of Wight", "Newport, in Wales"]),
        ("GIL", ["Gillingham, in Dorset", "Gillingham, in Medway"]),
    ],
)
def test_similar_names_are_told_apart(letters: str, told_apart: list[str]) -> None:
    assert set(told_apart) <= set(words(letters))


def test_no_two_names_of_one_result_sound_the_same() -> None:
    """For any three letters; further ones leave fewer of the same."""
    for three in product("23456789", repeat=3):
        matches = DIRECTORY.spelling.matches("".join(three))
        assert len({one.words.casefold() for one in matches}) == len(matches)
        assert len({one.area for one in matches}) == len(matches)


# --- for all letters, and all names ----------------------------------------------------------


@steady
@given(keys, keys)
@example("777777", "7")
async def test_whatever_is_typed_is_answered(letters: str, more: str) -> None:
    """With one of the outcomes that the book declares, no more names than are kept, and twice
    the same."""
    for service, facts in (
        ("find-council", {"letters": letters}),
        ("narrow-council", {"letters": letters, "more_letters": more}),
    ):
        answer = await ask(service, **facts)
        known = {"found", "placed", "several", "more", *BEYOND, "none"}
        assert answer.outcome in known
        assert (len(answer.candidates) > 1) == (answer.outcome in {"several", "more"})
        assert len(answer.candidates) <= MAX_CANDIDATES
        assert all(0 < len(one.words) <= 60 for one in answer.candidates)
        assert answer == await ask(service, **facts)


@steady
@given(st.sampled_from(WHERE.places), st.integers(3, 12))
def test_every_place_leads_to_its_council_by_its_own_letters(place, length: int) -> None:
    """However many of them are typed."""
    found = DIRECTORY.spelling.matches(keypad(place.name)[:length])
    assert place.council in [one.area for one in found]


async def reached(name: str, area: str) -> int:
    """How often a caller is waited for until they are at this council: the services are asked as
    the flow asks them, and the caller spells on until they can choose."""
    spelled, entries = keypad(name), 1
    answer = await ask("find-council", letters=spelled[:3])
    letters = spelled[:3]
    while answer.outcome == "more" and len(letters) < len(spelled):
        further = spelled[len(letters) : len(letters) + 3]
        answer = await ask("narrow-council", letters=letters, more_letters=further)
        letters, entries = letters + further, entries + 1
    if answer.outcome == "more":  # no letters are left: they wait, and hear the names
        entries += 2
    if answer.candidates:
        at = [one.value for one in answer.candidates].index(area)
        return entries + (1 if len(answer.candidates) <= 4 else at // 3 + 1)
    assert answer.facts.get("council", answer.outcome) == area
    return entries


TABLE = (*of_councils(DIRECTORY), *of_places(DIRECTORY))


def test_the_table_has_every_name_of_every_council_and_every_district() -> None:
    named = {(one.name, one.area) for one in TABLE}
    assert {(n, one.entry.gss_code) for one in DIRECTORY.councils for n in one.names} <= named
    assert {(place.name, place.council) for place in DISTRICTS} <= named


async def test_at_most_three_entries_lead_to_a_council_where_few_fit_else_four() -> None:
    """By each of its names, and by each district and place; and the table tells what is so."""
    for one in TABLE:
        assert one.entries == await reached(one.name, one.area), one
        assert one.entries <= (3 if one.fits <= 4 else 4), one


# --- chosen ----------------------------------------------------------------------------------


async def test_what_is_chosen_is_a_council_or_leads_elsewhere() -> None:
    surrey = {"council": CODES["Surrey"], "council_name": "Surrey"}
    assert await settle(CODES["Surrey"]) == Answered("england", surrey)
    for other in (*NATIONS, LONDON, ELSEWHERE):
        assert await settle(other) == Answered(other)
    with pytest.raises(KeyError):
        await settle("E99")


# --- the area code ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "areas"),
    [
        ("+441483222222", ["Surrey"]),
        ("+441158222222", ["Nottingham city", "Nottinghamshire county", "Derbyshire county"]),
        ("+441244222222", ["Cheshire West and Chester", "Wales"]),
        ("+442920222222", ["Wales"]),
        ("+442890222222", ["Northern Ireland"]),
    ],
)
async def test_a_landline_is_a_guess_that_can_be_refused(number: str, areas: list[str]) -> None:
    assert await guess(number) == [*areas, ANOTHER_AREA]


@pytest.mark.parametrize(
    "number", [MOBILE, "", "+442079460000", "+441612098356", "+15551234567", "+44148"]
)
async def test_a_mobile_no_number_and_the_largest_cities_are_not_guessed(number: str) -> None:
    assert await guess(number) == []


def test_every_area_code_has_at_most_three_areas_that_are_known() -> None:
    assert WHERE.area_codes
    for code, areas in WHERE.area_codes.items():
        assert 1 <= len(areas) <= 3, code
        assert all(DIRECTORY.spelling.listed(area) for area in areas)


async def test_every_word_that_is_offered_has_a_clip() -> None:
    vocabulary = set(DIRECTORY.vocabulary())
    matches = DIRECTORY.spelling.matches
    offered = {
        one.words for three in product("23456789", repeat=3) for one in matches("".join(three))
    }
    assert {*offered, ANOTHER_AREA, *BEYOND.values()} <= vocabulary


# --- mistakes in the files -------------------------------------------------------------------


def complaint(folder: Path, places: str = "", codes: str = "") -> list[str]:
    for name in ("councils.csv", "council-names.csv"):
        (folder / name).write_bytes((DATA / name).read_bytes())
    (folder / "places.csv").write_text("name,kind,council,source\n" + places)
    (folder / "area-codes.csv").write_text("area_code,area,council,source\n" + codes)
    with pytest.raises(BookError) as caught:
        load_whereabouts(folder)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Guildford,district,E10000099,x", '3: error F007: council: "E10000099" is neither'),
        ("Guildford,town,E10000030,x", '2: error F007: kind: "town" is not a kind of place'),
        ("Guildford,district,E10000030,", "4: error F006: source: nobody can look it up"),
        ("12,district,E10000030,x", "1: error F006: name: there are no letters to spell it by"),
    ],
)
def test_a_bad_place_is_named_with_line_and_column(tmp_path: Path, row: str, message: str) -> None:
    (said,) = complaint(tmp_path, f"{row}\n")
    assert said.startswith(f"places.csv:2:{message}")


def test_all_bad_rows_of_both_files_are_named_at_once(tmp_path: Path) -> None:
    row, code = "Guildford,district,E10000030,x\n", "01483,Guildford,"
    four = [f"0115,Nottingham,E0600000{number},x\n" for number in (1, 2, 3, 4)]
    said = complaint(
        tmp_path, row * 2, f"1483,Guildford,wales,x\n{code}wales,x\n{code}wales,x\n{''.join(four)}"
    )
    assert [line.split(" (")[0] for line in said] == [
        "places.csv:3:1: error F004: name: Guildford is there twice",
        'area-codes.csv:2:1: error F007: area_code: "1483" is not an area code of the UK',
        "area-codes.csv:4:3: error F004: council: it is there twice for this code",
        "area-codes.csv:8:1: error F007: area_code: 0115 has more than 3 councils",
    ]


def test_without_places_the_councils_are_still_found() -> None:
    alone = Directory(load_councils(DATA))
    assert [one.words for one in alone.spelling.matches(keypad("LEE"))] == ["Leeds"]
    assert Whereabouts().guesses("+441483222222") == ()


# --- calls -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helpline]:
    with helpline(tmp_path_factory.mktemp("var")) as line:
        yield line


def rung(line: Helpline, name: Reaching) -> Page:
    """Where a caller comes who spells this name, and presses the key of what they meant."""
    page = line.play("3", name.letters[:3])
    for at in range(3, len(name.letters) + 3, 3):
        if "the next three" in page.words:
            page = line.post(page.action, name.letters[at : at + 3]).page
    if "I can read out names" in page.words:
        page = line.post(page.action, "1").page
    spelled = (name.letters[:count] for count in range(3, len(name.letters) + 3, 3))
    found = (one for letters in spelled for one in DIRECTORY.spelling.matches(letters))
    offered = "|".join({re.escape(one.words) for one in found if one.area == name.area})
    while "Is it one of these?" in page.words:
        meant = re.search(rf"(?:{offered}) press ([1-4])", page.words)
        page = line.post(page.action, meant[1] if meant else "4").page
    return page


COUNCILS = {one.area: one for one in of_councils(DIRECTORY)}  # by the last of its names
OF_DISTRICTS = [
    one
    for one in TABLE
    if (one.name, one.area) in {(each.name, each.council) for each in DISTRICTS}
]


def test_each_council_is_reached_by_a_call_and_has_its_number_or_the_good_answer(
    line: Helpline,
) -> None:
    """All 153. A number is heard if and only if somebody vouches for it."""
    assert len(COUNCILS) == 153
    for name in COUNCILS.values():
        council, caller = DIRECTORY.council(name.area), line.another_caller()
        page = rung(caller, name)
        assert f"{council.spoken} has a free advice service for parents." in page.words, name
        if not DIRECTORY.may_be_spoken(council, now().date()):
            assert "We have not checked its number yet" in page.words
            assert "For us to find it press 1. Through your council press 2." in page.words
            continue
        for key in "11":
            page = caller.post(page.action, key).page
        digits = " ".join(DIGITS[int(d)] for d in council.entry.phone_printed if d.isdecimal())
        assert page.words.count(digits) == 2


def test_each_district_leads_a_call_to_its_county(line: Helpline) -> None:
    """All 164."""
    assert len(OF_DISTRICTS) == 164
    for name in OF_DISTRICTS:
        county = DIRECTORY.council(name.area).spoken
        page = rung(line.another_caller(), name)
        assert f"{county} has a free advice service for parents." in page.words, name


def test_a_guess_can_be_taken_refused_or_waited_for(line: Helpline) -> None:
    at_home = line.another_caller("+441483200123")
    guessed = at_home.play("3")
    assert "Surrey press 1. Another area press 2." in guessed.words
    assert "Surrey has a free advice service" in at_home.post(guessed.action, "1").page.words
    for refused in ("2", ""):
        assert "Spell the first three letters" in at_home.post(guessed.action, refused).page.words


def test_star_never_leads_back_to_a_guess_that_others_have_taken_the_place_of(
    line: Helpline,
) -> None:
    """Names that were spelled are not offered as where the phone number may be from."""
    at_home = line.another_caller("+441483200124")
    page = at_home.play("3", "", "274")
    for _ in range(5):
        page = at_home.post(page.action, "*").page
        assert "Your phone number may tell" not in page.words or "Surrey press 1" in page.words


def test_the_keys_that_are_named_spell_their_names() -> None:
    """For Leeds, and on for Bristol."""
    said = (DATA.parent.parent / "prompts" / "en-GB" / "council.yaml").read_text()
    assert f"For Leeds, the keys are {' '.join(keypad('Leeds')[:3])}." in said
    assert f"For Bristol, the next keys are {' '.join(keypad('Bristol')[3:6])}." in said


def test_a_mobile_spells_at_once(line: Helpline) -> None:
    assert "Spell the first three letters" in line.play("3").words
    assert "Is it one of these?" not in line.play("3").words


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("227", "343"), "In Wales, special needs are called additional learning needs."),
        (("334", "2"), "In Scotland, this help is called additional support for learning."),
        (("235", "2"), "In Northern Ireland, the Education Authority deals with special needs"),
    ],
)
def test_a_place_in_another_country_has_that_countrys_answer(
    line: Helpline, keys: tuple[str, ...], said: str
) -> None:
    """By letters alone, and no number is read out."""
    page = line.play("3", *keys)
    heard = page.words
    while "Did that help?" not in page.words:
        page = line.post(page.action, "1").page
        heard += page.words
    assert said in heard


def test_letters_that_fit_many_are_heard_page_by_page_if_spelling_is_too_hard(
    line: Helpline,
) -> None:
    many = line.play("3", keypad("BRI"))
    assert "Now spell the next three." in many.words
    waited = line.post(many.action).page
    assert "To hear the names press 1." in waited.words
    names = line.post(waited.action, "1").page
    assert "Brighton and Hove press 1. Bristol press 2." in names.words
    assert "Bristol has a free advice service" in line.post(names.action, "2").page.words
