"""`glueprint verify`: a folder or a file against what the commands that wrote it recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import glueprint as gp  # a room is imported when it is first used: help needs none
from glueprint.cli.output import Json
from glueprint.cli.trust import TrustedFile, keys_in, print_verdict

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command(name="verify")
def command(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of results, of a study, or of a glue's project; or a file with its record beside it."
        ),
    ],
    trusted: TrustedFile = None,
    as_json: Json = False,
) -> None:
    """Check a folder or file against its records, ledger and signatures; exit code 1 for a finding."""
    print_verdict(gp.runs.audit.audit(folder, keys_in(trusted)), as_json=as_json)
