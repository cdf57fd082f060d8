"""The helpline's own exceptions.

    HelplineError
    ├── SettingsError      a setting is missing or cannot be used     (whoever deploys)
    ├── BookError          the flow or prompt files have mistakes     (whoever edits them)
    ├── SealError          a sealed address is damaged, old, or another call's
    └── UsageError         a command was used wrongly                 (whoever types it)

Each class's docstring is its default message. A message names the thing, the place and the remedy.
"""


class HelplineError(Exception):
    """Something went wrong in the helpline."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class SettingsError(HelplineError):
    """A setting is missing or cannot be used; the README's table lists them all."""


class BookError(HelplineError):
    """The flows and prompts have mistakes; `ivr check` lists every one."""


class SealError(HelplineError):
    """This address was not sealed by us, belongs to another call, or is too old."""


class UsageError(HelplineError):
    """That is not how this command is used; try it with --help."""
