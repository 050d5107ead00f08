"""The `glueprint` command: assembles the sub-commands and turns errors into exit codes.

Exit codes: 0 done, 1 a finding, 2 unusable input, 3 our bug, 130 interrupted.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import glueprint
from glueprint.cli.groups import Groups
from glueprint.cli.output import report_error
from glueprint.errors import GlueprintError, InternalError

app = typer.Typer(
    name="glueprint",
    cls=Groups,
    help="Cereblon molecular glues from the plate to the patient.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(show: bool) -> None:
    if show:
        print(f"glueprint {glueprint.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line and exit with the code its outcome has."""
    as_json = "--json" in sys.argv
    try:
        app(standalone_mode=True)
    except GlueprintError as error:
        report_error(error, as_json=as_json)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        bug = InternalError(
            "GP-X001",
            f"unexpected {type(error).__name__}: {error}",
            next_step="report this with the command and its input; GLUEPRINT_TRACEBACK=1 shows details",
        )
        report_error(bug, as_json=as_json, cause=error)
        sys.exit(bug.exit_code)
