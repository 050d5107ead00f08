"""`glueprint qualify`: whether this installation gives the answers that are known, with a report."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import glueprint as gp  # a room is imported when it is first used: help needs none
from glueprint.cli.output import Json, console, print_json, print_table, progress_console

__all__ = ["app"]

app = typer.Typer(add_completion=False)

FINDING = 1


@app.command(name="qualify")
def command(
    quick: Annotated[bool, typer.Option("--quick", help="Without what runs whole trials.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the report: HTML and JSON.")] = None,
    as_json: Json = False,
) -> None:
    """Check installation, operation and performance against known answers; 1 if one is not given."""
    found = gp.qualification.qualify(quick=quick)
    written = gp.qualification.write(found, out) if out is not None else ()
    failed = [asdict(one) for one in found.outcomes if one.status != gp.qualification.PASSED]
    if as_json:
        print_json(found.as_dict() | {"files": [str(path) for path in written]}, findings=failed)
    else:
        for stage, name in gp.qualification.STAGES.items():
            rows = [
                (one.id, one.requirement, one.title, one.status, one.expected, one.found)
                for one in found.outcomes
                if one.id.startswith(stage)
            ]
            print_table(
                f"{name} ({stage})", ("check", "requirement", "what", "result", "expected", "found"), rows
            )
        left = f"; left out: {', '.join(found.left_out)}" if found.left_out else ""
        console.print(f"{len(found.outcomes)} checks, {len(failed)} failed{left}")
        for path in written:
            progress_console.print(f"wrote {path}")
    if failed:
        raise typer.Exit(FINDING)
