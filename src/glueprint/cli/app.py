"""The `glueprint` command: assembles the sub-commands and turns errors into exit codes.

Exit codes: 0 done, 1 a finding, 2 unusable input or system, 3 our bug, 130 interrupted, 141 not read on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated, Any

import typer

import glueprint
from glueprint.cli import choices
from glueprint.cli.groups import Groups
from glueprint.cli.output import report_error
from glueprint.cli.streams import finish, prepare, refused
from glueprint.errors import GlueprintError, InputError, InternalError

# Of the parser that typer uses, whichever it is: what it raises for a wrong word.
ClickException: type[Any] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="glueprint",
    cls=Groups,
    help="Cereblon molecular glues from the plate to the patient.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: its panels cost as much time as everything else of a help page
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(show: bool) -> None:
    if show:
        print(f"glueprint {glueprint.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    keep_formulas: Annotated[
        bool,
        typer.Option(
            "--keep-formulas", help="CSV files: no apostrophe before text that a spreadsheet would compute."
        ),
    ] = False,
) -> None:
    del version  # its callback has said it
    # It holds for this command alone, also where one process runs several.
    context.call_on_close(partial(choices.keep_formulas.reset, choices.keep_formulas.set(keep_formulas)))


def main() -> None:
    """Run the command line and exit with the code its outcome has."""
    prepare()
    sys.exit(_outcome(as_json=_asks_for_json(sys.argv[1:])))


def _asks_for_json(words: Sequence[str]) -> bool:
    """Whether errors are to be JSON, too: known before the words are understood, or because they are not."""
    pairs = pairwise(words)
    return "--json" in words or "--format=json" in words or ("--format", "json") in pairs


def _outcome(*, as_json: bool) -> int | str | None:
    """The exit code, once everything is written or the reason why it is not."""
    try:
        try:
            # By itself, a parser tells people of a wrong word and ends; as JSON we tell it.
            code: int | None = app(standalone_mode=not as_json, prog_name="glueprint")
            return code
        finally:
            finish()
    except SystemExit as done:
        return done.code
    except KeyboardInterrupt:
        return 130
    except GlueprintError as error:
        report_error(error, as_json=as_json)
        return error.exit_code
    except ClickException as error:
        wrong = _usage(error)
        report_error(wrong, as_json=as_json)
        return wrong.exit_code
    except Exception as error:
        bug = refused(error) or InternalError(
            "GP-X001",
            f"unexpected {type(error).__name__}: {error}",
            next_step="report this with the command and its input; GLUEPRINT_TRACEBACK=1 shows details",
        )
        report_error(bug, as_json=as_json, cause=error)
        return bug.exit_code


def _usage(error: Any) -> InputError:
    """What the parser of the command line refused, as one of our errors."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "glueprint"
    return InputError(
        "GP-X007",
        error.format_message(),
        where=command,
        expected="options and arguments as the help names them",
        next_step=f"see `{command} --help`",
    )
