"""Which names may have been meant by what was heard. Pure.

Speech comes as text that a machine made of a telephone line: "erm Redding please" for Reading. So
names are compared word by word first, and then by how near they come in letters and in sound. What
is found is offered, never taken: the caller confirms it with a key.
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar
from unicodedata import normalize

from rapidfuzz import fuzz, process

Meant = TypeVar("Meant", bound=Hashable)
Words: TypeAlias = tuple[str, ...]

LONGEST_RUN = 5  # words: no name that is spoken has more, fillers apart
MOST_WORDS = 14  # of what was heard, fillers apart
MOST_HINTS, LONGEST_HINT = 500, 100  # Twilio's limits: entries, and characters in each
NEAR = 79.0  # of 100: names less alike than that are others
CLOSE = 8.0  # a name that is so much less alike than the nearest is not offered beside it
COVERED = 30.0  # what a name loses that has nothing to do with most of what was heard
SAME, HALF = 100.0, 50.0
LIKE_SOUND = 0.9  # names that sound alike count for a little less than the same letters
SHORTEST_NEAR, SHORTEST_SOUND = 4, 5  # letters: shorter words resemble too much

# Words around a name. A name made of nothing else ("City of London") keeps its last.
FILLERS = frozenset(
    "a about am an and are area at authority because been borough but by call called can can't"
    " child children city coast come comes council councils county daughter didn't district do"
    " does don't down er erm for from get going got hang has have he he's hello help her hey hi"
    " him hm hold how i i'd i'll i'm i've ideally if in is it it's its just kind know like live"
    " lived lives living ll local looking m maybe me mean means metropolitan minute mm moved mum"
    " my name named near need needs no number of oh ok okay on one or our over please possibly"
    " probably re really right royal s say saying school second service she she's so some son"
    " sort speak special start sure talk thank thanks that that's the them then there there's"
    " they think this to town uh uhm um under unitary up upon us ve wait want was we we'd we'll"
    " we're well what what's which with would yeah yes you your".split()
)
BEFORE_BOROUGH = re.compile(r"\b(?:london|royal) borough\b")
DIRECTIONS = frozenset({"north", "south", "east", "west", "central"})
CUT = re.compile(r"\b(?:upon|on|under|in|with|and)\b|,")  # people leave out what follows
SHIRE = "shire"


@dataclass(frozen=True, slots=True)
class _Name(Generic[Meant]):
    words: Words
    meant: Meant


class Hearing(Generic[Meant]):
    """Names, and what each of them means: a council, or a place and its council."""

    def __init__(self, names: Iterable[tuple[str, Meant]]) -> None:
        """Take the names with what they mean, the most important first; a name may mean several
        things, and a thing may have several names."""
        self._names = tuple(dict.fromkeys(_all_names(names)))
        self._letters = [_letters(name.words) for name in self._names]
        self._sounds = [sound(letters) for letters in self._letters]
        self._whole: dict[str, list[Meant]] = {}
        for name in self._names:
            self._whole.setdefault("".join(name.words), []).append(name.meant)

    def meant(self, heard: str) -> tuple[Meant, ...]:
        """What may have been meant, the likeliest first; or nothing at all."""
        words = plain(heard)[:MOST_WORDS]
        if DIRECTIONS.issuperset(words):
            return ()
        found = self._said(words) or self._part_of(words) or self._near(words)
        return tuple(dict.fromkeys(found))

    def _said(self, words: Words) -> list[Meant]:
        """Whole names that stand in what was heard; not a name within a longer one."""
        names = {(start, end): "".join(words[start:end]) for start, end in _runs(len(words))}
        runs = [run for run, name in names.items() if name in self._whole]
        outer = [
            (start, end)
            for start, end in runs
            if not any(s <= start and end <= e and (s, e) != (start, end) for s, e in runs)
        ]
        longest_first = sorted(outer, key=lambda run: run[0] - run[1])
        return [meant for start, end in longest_first for meant in self._whole[names[start, end]]]

    def _part_of(self, words: Words) -> list[Meant]:
        """Names of which all that was heard is a part: "Northamptonshire", "Bedfordshire"."""
        return [
            name.meant
            for name in self._names
            if _within(words, name.words) or _is_its_shire(words, name.words)
        ]

    def _near(self, words: Words) -> list[Meant]:
        """Names that are spelled or sound nearly like some of what was heard."""
        everything = len(_letters(words))
        scores: dict[int, float] = {}
        for start, end in _runs(len(words)):
            letters = _letters(words[start:end])
            if len(letters) >= SHORTEST_NEAR:
                lost = COVERED * (1 - len(letters) / everything)
                for number, alike in self._alike(letters):
                    if _same_direction(words, self._names[number].words):
                        scores[number] = max(scores.get(number, 0.0), alike - lost)
        best = max(scores.values(), default=0.0)
        least = max(NEAR, best - CLOSE)
        near = [number for number, score in scores.items() if score > least]
        return [self._names[number].meant for number in sorted(near, key=lambda n: -scores[n])]

    def _alike(self, letters: str) -> Iterator[tuple[int, float]]:
        """The numbers of names that these letters are like, each with how much, of 100."""
        spoken = sound(letters)
        # Short sounds say too little, unless they are the same.
        cutoff = NEAR / LIKE_SOUND if len(spoken) >= SHORTEST_SOUND else SAME
        for _, alike, number in _extract(letters, self._letters, NEAR):
            yield number, alike
        for name, alike, number in _extract(spoken, self._sounds, cutoff):
            half = fuzz.ratio(letters, self._letters[number]) >= HALF
            if half and name[:1] == spoken[:1]:  # how it begins is heard best
                yield number, alike * LIKE_SOUND


def hints(names: Iterable[str]) -> tuple[str, ...]:
    """The names that a telephone line should expect, within Twilio's limits."""
    one_by_one = (part.strip() for name in names for part in name.split(","))
    usable = (part[:LONGEST_HINT] for part in one_by_one if part)
    return tuple(dict.fromkeys(usable))[:MOST_HINTS]


def plain(text: str) -> Words:
    """The words of a name, or of what was heard, without those around a name."""
    bare = normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    bare = BEFORE_BOROUGH.sub(" ", bare.replace("&", " and "))
    words = ["saint" if word == "st" else word for word in re.findall(r"[a-z']+", bare)]
    telling = [word.replace("'", "") for word in words if word not in FILLERS]
    return tuple(word for word in telling if word)


def sound(letters: str) -> str:
    """Roughly how letters sound: vowels are alike, and so are consonants that are often mixed up.
    "Leads" and "Leeds", "Redding" and "Reading" sound the same."""
    for pattern, spoken in SOUNDS:
        letters = pattern.sub(spoken, letters)
    return letters


SOUNDS = tuple(
    (re.compile(pattern), spoken)
    for pattern, spoken in (
        (r"ough|augh", "o"),
        (r"igh", "i"),
        (r"^kn", "n"),
        (r"^wr", "r"),
        (r"^wh", "w"),
        (r"ph", "f"),
        (r"ck|q|c(?![eiyh])", "k"),
        (r"c(?=[eiy])|z", "s"),
        (r"x", "ks"),
        (r"(?<=[aeiou])r(?![aeiou])", ""),  # not said in most of England
        (r"(?<!^)h(?!$)", ""),
        (r"(.)\1", r"\1"),
        (r"(?<!^)[aeiouwy]+", "a"),
        (r"a$", ""),
    )
)


def _all_names(names: Iterable[tuple[str, Meant]]) -> Iterator[_Name[Meant]]:
    """Each name as it stands, and as people shorten it."""
    for name, meant in names:
        for spoken in (name, *CUT.split(name)):
            words = plain(spoken) or tuple(spoken.lower().split()[-1:])
            if not DIRECTIONS.issuperset(words):
                yield _Name(words, meant)


def _extract(wanted: str, names: Sequence[str], least: float) -> list[tuple[str, float, int]]:
    return process.extract(wanted, names, scorer=fuzz.ratio, score_cutoff=least, limit=None)


def _letters(words: Words) -> str:
    """The letters of a name, without North and South: they are compared apart."""
    return "".join(word for word in words if word not in DIRECTIONS)


def _is_its_shire(heard: Words, name: Words) -> bool:
    """Whether one is the other's county: "Bedfordshire" and Bedford."""
    if len(heard) != 1 or len(name) != 1:
        return False
    return heard[0] + SHIRE == name[0] or heard[0] == name[0] + SHIRE


def _runs(length: int) -> Iterator[tuple[int, int]]:
    """Where each run of words begins and ends."""
    for start in range(length):
        for end in range(start + 1, min(start + LONGEST_RUN, length) + 1):
            yield start, end


def _within(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether these words stand in the others, one behind another."""
    last = len(whole) - len(part)
    return any(whole[at : at + len(part)] == part for at in range(last + 1))


def _same_direction(heard: Words, name: Words) -> bool:
    """Whether neither is North while the other is South; and West Yorkshire is not York."""
    one, other = DIRECTIONS.intersection(heard), DIRECTIONS.intersection(name)
    if one and other:
        return bool(one & other)
    return not one or not any(word.endswith(SHIRE) for word in heard)
