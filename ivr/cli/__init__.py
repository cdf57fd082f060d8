"""The ``ivr`` command: parse, call, print.

Exits 0 when all is well, 1 when it found problems, 2 when it was used wrongly. A mistake of the
user's never shows a traceback. The rest of the house is imported only when a command needs it, so
that ``ivr call`` speaks at once.
"""

import click

from ivr.cli.call import call
from ivr.cli.callbacks import callbacks
from ivr.cli.check import check
from ivr.cli.database import db
from ivr.cli.directory import directory
from ivr.cli.doctor import doctor
from ivr.cli.duty import duty
from ivr.cli.presses import presses
from ivr.cli.report import report
from ivr.cli.serve import serve
from ivr.cli.speak import speak
from ivr.cli.staff import staff
from ivr.errors import HelplineError, SettingsError, UsageError


class _Helpline(click.Group):
    """Turns the helpline's own exceptions into a message and an exit status."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (UsageError, SettingsError) as mistake:
            raise click.UsageError(str(mistake)) from None
        except HelplineError as problem:
            raise click.ClickException(str(problem)) from None


@click.group(cls=_Helpline, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The school support helpline.

    \b
    Hear it:      ivr call
    Serve it:     ivr serve
    Check it:     ivr check
    """


for command in (
    call,
    callbacks,
    check,
    db,
    directory,
    doctor,
    duty,
    report,
    serve,
    speak,
    staff,
):
    main.add_command(command)
directory.add_command(presses)
