"""The documents are true."""

import re
from pathlib import Path

import click
import pytest

from ivr.cli import main
from ivr.config import PREFIX, Settings
from ivr.core.speaking import WAYS
from ivr.flowfile.steps import FIELDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
FLOWS = (ROOT / "docs" / "flows.md").read_text()


def commands(group: click.Group, path: str = "ivr") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= commands(command, f"{path} {name}")
        else:
            found[f"{path} {name}"] = command
    return found


def test_the_readme_lists_every_setting_as_the_program_knows_it() -> None:
    listed = dict(re.findall(r"^\| `(IVR_\w+)` \| (.+) \|$", README, re.MULTILINE))
    known = {
        PREFIX + name.upper(): field.description for name, field in Settings.model_fields.items()
    }
    assert listed == known


@pytest.mark.parametrize("name", commands(main))
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    command = commands(main)[name]
    assert command.help
    assert name in (command.epilog or ""), "the epilog gives an example"


@pytest.mark.parametrize("mentioned", sorted(set(re.findall(r"ivr [a-z]+(?: [a-z]+)?", README))))
def test_the_readme_names_only_commands_that_exist(mentioned: str) -> None:
    known = {known for command in commands(main) for known in (command, command.rsplit(" ", 1)[0])}
    assert mentioned in known or mentioned.rsplit(" ", 1)[0] in known


def test_every_kind_of_step_and_way_of_speaking_is_explained() -> None:
    assert [kind for kind in FIELDS if not re.search(rf"\b{kind}: ", FLOWS)] == []
    assert [way for way in WAYS if f"| `{way}` |" not in FLOWS] == []


def test_every_mistake_is_explained() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "ivr").rglob("*.py"))
    assert set(re.findall(r'"([FA]\d{3})"', code)) == set(
        re.findall(r"^\| ([FA]\d{3}) \|", FLOWS, re.M)
    )


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_lock_file_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|file://", lock)
    assert "--hash=sha256:" in lock
