"""Facts that a parent is harmed by not hearing: each is in the spoken answer, in its short text and
on the public page. They are told apart by words, not by whole sentences, so an editor may rewrite.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from books import Caller, real

from ivr.core.flow import Place, Read
from ivr.core.texting import answer_by_text
from ivr.gsm import segments
from tests.helplines import helpline

BOOK = real().book


@dataclass(frozen=True)
class Fact:
    """A fact, as regular expressions that match in this order.

    Attributes:
        keys: the choices that lead from the opening to the answer.
        answer: the step whose short form is sent as a text.
        spoken: what the caller hears; the public page shows the same words.
        texted: what the text says.
    """

    keys: str
    answer: Place
    spoken: tuple[str, ...]
    texted: tuple[str, ...]


FACTS = {
    "the mediation adviser must be contacted within two months of the letter": Fact(
        keys="2 3",
        answer="plans/refused",
        spoken=(
            r"letter must .* name an adviser on mediation",
            r"Contact that adviser within two months of the date on the letter",
            r"even if you do not want mediation",
            r"you get a certificate",
            r"Without one, you normally cannot appeal",
        ),
        texted=(r"2 months of the letter's date", r"contact the mediation adviser", r"even if"),
    ),
    "an appeal has two months from the letter or one from the certificate": Fact(
        keys="2 3",
        answer="plans/refused",
        spoken=(
            r"only disagree about the school named in a plan, you need no certificate",
            r"SEND Tribunal",
            r"two months from the date on the letter",
            r"one month from the date on the certificate",
            r"later date counts",
        ),
        texted=(r"appeal", r"2 months from the letter", r"1 from the certificate if later"),
    ),
    "the NSPCC is not always open, and others can be rung when it is closed": Fact(
        keys="4 3 4",
        answer="safety/nspcc-number",
        spoken=(
            r"not open at all hours",
            r"nobody answers, ring your council's children's services",
            r"the police on 1 ?0 ?1",
            r"danger now, ring 9 ?9 ?9",
            r"(?:zero eight zero eight|0808)",  # last: callers hang up on hearing it
        ),
        texted=(
            r"0808 800 5000, not at all hours",
            r"children's services, or the police on 101",
            r"danger now\? Ring 999",
        ),
    ),
    "an excluded child must stay out of public places in the first five school days": Fact(
        keys="4 2 1",
        answer="places/allowed",
        spoken=(
            r"From day six, the school or the council must arrange full-time teaching",
            r"rule for you, for the first five school days or all of a shorter suspension",
            r"must not be in a public place in school hours without a good reason",
            r"If the school's letter says so, you must see to that",
        ),
        texted=(
            r"Days 1 to 5: your child must not be in a public place in school hours",
            r"without good reason, if the letter says so",
            r"Day 6 on: taught full time",
        ),
    ),
    "a suspension that would cost an exam or test must be looked at again, however short": Fact(
        keys="4 2 2",
        answer="places/challenge",
        spoken=(
            r"If it is up to five days, .* usually cannot cancel it",
            r"If it is six to fifteen days, they must meet if you ask",
            r"more, or for good, they must meet within fifteen school days",
            r"miss a public exam or a national test\?",
            r"even for one day, the governors must decide whether your child can come back",
            r"must try to meet before the exam",
            r"tell the school at once",
        ),
        texted=(
            r"Over 5 days a term: they meet if asked; over 15, always",
            r"Public exam or national test at risk\? Say so: they must look again",
        ),
    ),
    "the limits for a panel and for a disability claim after a permanent exclusion": Fact(
        keys="4 2 2",
        answer="places/challenge",
        spoken=(
            r"within fifteen school days of their letter",
            r"because of a disability",
            r"six months",
        ),
        texted=(r"Panel: 15 school days from their letter",),
    ),
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The words of the public page, as a browser gets it."""
    with helpline(tmp_path_factory.mktemp("var")) as line:
        body = line.send("GET", "/").body.decode()
        yield " ".join(html.unescape(re.sub(r"<[^>]+>", "", body)).split())


def heard(keys: str) -> str:
    """Everything that is said from the last of these choices on, until silence reaches a menu."""
    caller = Caller(BOOK)
    said = [caller.press(*keys.split())]
    while isinstance(BOOK.steps[caller.at], Read):
        said.append(caller.press("-"))
    return " ".join(said)


def matches(patterns: tuple[str, ...], words: str) -> bool:
    return re.search(".*".join(patterns), words, re.DOTALL) is not None


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_is_heard_in_the_answer_that_its_keys_lead_to(fact: str) -> None:
    assert matches(FACTS[fact].spoken, heard(FACTS[fact].keys))


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_is_in_the_text_of_its_answer_which_takes_two_segments(fact: str) -> None:
    text = answer_by_text(BOOK, FACTS[fact].answer, "https://helpline.example.org/")
    assert matches(FACTS[fact].texted, text)
    assert segments(f"{text}\nReply STOP to end") <= 2


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_is_on_the_public_page(fact: str, page: str) -> None:
    assert matches(FACTS[fact].spoken, page)
