"""YAML with its places: every value knows its file, line and column, and every mistake is kept.

Nothing here raises for a mistake in a file. A ``Report`` collects them all, so that an editor sees
every one at once.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake: where it is, what it is, and what would mend it. Lines and columns from 1."""

    file: str
    line: int
    column: int
    severity: str  # error | warning
    code: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f" ({self.remedy})" if self.remedy else ""
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place}: {self.severity} {self.code}: {self.message}{remedy}"

    def as_dict(self) -> dict[str, str | int]:
        """The finding as ``ivr check --format json`` prints it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file."""

    file: str
    line: int = 1
    column: int = 1


DEEPEST = 5_000  # lists within lists: the reader in C ends the process at some ten thousand


# Mistakes by which something may be lost that others build on: a step, a way on, a service.
LOSING = frozenset(("F001", "F002", "F003", "F004", "F006", "F008", "F009"))


@dataclass(slots=True)
class Report:
    """The mistakes found so far."""

    findings: list[Finding] = field(default_factory=list)
    lost: bool = False  # was something lost, so that what it leads to would seem to be missing?

    def error(
        self, where: Where, code: str, message: str, remedy: str = "", loses: bool | None = None
    ) -> None:
        """Note something that must be mended. Unless said otherwise, the code tells whether
        something of the file is lost by it."""
        self.lost = self.lost or (code in LOSING if loses is None else loses)
        self._add(where, "error", code, message, remedy)

    def warn(self, where: Where, code: str, message: str, remedy: str = "") -> None:
        """Note something that should be looked at."""
        self._add(where, "warning", code, message, remedy)

    def _add(self, where: Where, severity: str, code: str, message: str, remedy: str) -> None:
        self.findings.append(
            Finding(where.file, where.line, where.column, severity, code, message, remedy)
        )

    @property
    def errors(self) -> list[Finding]:
        """The findings that make a book unusable."""
        return [finding for finding in self.findings if finding.severity == "error"]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy for a name that is not known: the nearest one that is."""
    close = get_close_matches(name, list(known), n=1)
    return f'did you mean "{close[0]}"?' if close else ""


class Value:
    """A value in a YAML file, with its place. Asking for the wrong kind of value is reported."""

    def __init__(self, node: yaml.Node, file: str, report: Report) -> None:
        self._node, self._file, self._report = node, file, report

    @property
    def where(self) -> Where:
        """Where the value stands."""
        mark = self._node.start_mark
        return Where(self._file, mark.line + 1, mark.column + 1)

    @property
    def is_mapping(self) -> bool:
        """Whether it is ``name: value`` pairs."""
        return isinstance(self._node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self._node, yaml.SequenceNode)

    def error(self, code: str, message: str, remedy: str = "", loses: bool | None = None) -> None:
        """Report a mistake at this value; see ``Report.error``."""
        self._report.error(self.where, code, message, remedy, loses)

    def text(self) -> str:
        """The value as text; a list or mapping is a mistake."""
        if isinstance(self._node, yaml.ScalarNode):
            return str(self._node.value)
        self.error("F002", "a text belongs here, not a list or a mapping", "write one value")
        return ""

    def number(self) -> int:
        """The value as a whole number from 1 to 999: seconds, keys, or a count."""
        text = self.text()
        if re.fullmatch("[1-9][0-9]{0,2}", text):
            return int(text)
        message = f'"{text}" is not a whole number from 1 to 999'
        self.error("F002", message, "write it in digits, such as 20", loses=False)
        return 1

    def flag(self) -> bool:
        """The value as true or false."""
        text = self.text()
        if text in ("true", "false"):
            return text == "true"
        message = f'"{text}" is neither true nor false'
        self.error("F002", message, "write true or false", loses=False)
        return True

    def list(self) -> list["Value"]:
        """The items of a list; a single value counts as a list of one."""
        if isinstance(self._node, yaml.SequenceNode):
            return [Value(node, self._file, self._report) for node in self._node.value]
        return [self]

    def pairs(self) -> Iterator[tuple["Value", "Value"]]:
        """Names and values of a mapping; a name written twice is a mistake."""
        if not isinstance(self._node, yaml.MappingNode):
            remedy = "write `name: value`, one on a line"
            self.error("F002", 'a mapping ("name: value") belongs here', remedy)
            return
        seen: set[str] = set()
        for key_node, value_node in self._node.value:
            key = Value(key_node, self._file, self._report)
            name = key.text()
            if name in seen:
                key.error("F004", f'"{name}" is written twice', "give one of them another name")
                continue
            seen.add(name)
            yield key, Value(value_node, self._file, self._report)

    def fields(self, known: Iterable[str], needed: Iterable[str] = ()) -> dict[str, "Value"]:
        """The fields of a mapping by name: an unknown field or a missing one is a mistake."""
        names = list(known)
        found: dict[str, Value] = {}
        for key, value in self.pairs():
            name = key.text()
            if name in names:
                found[name] = value
            else:
                remedy = did_you_mean(name, names) or f"known here: {', '.join(names)}"
                key.error("F002", f'unknown field "{name}"', remedy)
        for name in needed:
            if name not in found and self.is_mapping:
                self.error("F006", f'"{name}" is missing here', f"add `{name}: ...`")
        return found


def read(path: Path, name: str, report: Report) -> Value | None:
    """The content of a YAML file, or None (reported) when it is not YAML or is empty."""
    try:
        node = _composed(path.read_text(encoding="utf-8"))
    except OSError as fault:
        problem = fault.strerror or type(fault).__name__
        message = f"the file cannot be read: {problem}"
        report.error(Where(name), "F001", message, "see that it is there, and may be read")
        return None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as fault:
        mark = getattr(fault, "problem_mark", None)
        where = Where(name, mark.line + 1, mark.column + 1) if mark else Where(name)
        problem = getattr(fault, "problem", None) or type(fault).__name__
        message = f"this is not a YAML file that can be read: {problem}"
        remedy = "look here and at the line before" if mark else "save it as UTF-8 text"
        report.error(where, "F001", message, remedy)
        return None
    if node is None:
        report.error(Where(name), "F001", "the file is empty", "write it, or delete it")
        return None
    return Value(node, name, report)


def _composed(text: str) -> yaml.Node | None:
    """The text as YAML. A reader written in C is ten times as quick where there is no mistake; of
    a mistake, the one written in Python tells more, and more alike on all machines."""
    if _depth_at_most(text) <= DEEPEST:
        with suppress(yaml.YAMLError):
            return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _depth_at_most(text: str) -> int:
    """How deep lists and mappings can lie in one another: each needs one of these, or a line."""
    return sum(map(text.count, "[{-?\n"))


def warn_of_unread(folder: Path, known: Collection[str], report: Report, root: Path) -> None:
    """Warn of what looks like a part of the book and is passed over: folders, unless ``known``, and
    files with another ending."""
    for path in sorted(folder.glob("[!.]*")):
        where, ending = Where(shown(path, root)), path.suffix
        if ending.lower() in (".yaml", ".yml") and ending != ".yaml":
            report.warn(where, "F019", "this is not read", f"name it {path.stem}.yaml")
        elif path.is_dir() and ending != ".yaml" and path.name not in known:
            report.warn(where, "F019", "this folder is not read", "move its files, or delete it")


def shown(path: Path, root: Path) -> str:
    """A path as an editor knows it: from the root of the project, where it lies there. The root
    of all files is no project's."""
    inside = path.is_relative_to(root) and root != root.parent
    return path.relative_to(root).as_posix() if inside else path.as_posix()
