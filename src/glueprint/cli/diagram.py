"""`glueprint diagram`: the pathway and the work flows of the assays as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.report import diagrams

app = typer.Typer(help="Draw the pathway and the assays' work flows.", no_args_is_help=True)


@app.command("list")
def list_diagrams(as_json: Json = False) -> None:
    """List the diagrams with their titles."""
    rows = [{"name": name, "title": diagrams.title(name)} for name in diagrams.names()]
    if as_json:
        print_json(rows)
        return
    print_table("Diagrams", ("name", "title"), [tuple(row.values()) for row in rows])


@app.command("draw")
def draw_diagram(
    name: Annotated[str, typer.Argument(help="Name of a diagram (see list).")],
    out: Annotated[Path, typer.Option(help="File to write: .svg, .png, .pdf or .sbgn (SBGN-ML).")],
    theme: Annotated[str, typer.Option(help="light or dark.")] = "light",
) -> None:
    """Draw a diagram into a file."""
    path = diagrams.save(name, out, theme)
    console.print(f"Wrote {path}", markup=False)
