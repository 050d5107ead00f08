"""`glueprint diagram`: the pathway, the assays' work flows and trials' schemas as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.report import diagrams

app = typer.Typer(no_args_is_help=True)


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
    name: Annotated[str, typer.Argument(help="A diagram (see list), or a trial's own .toml file.")],
    out: Annotated[Path, typer.Option(help="File to write: .svg, .png, .pdf; maps also .sbgn (SBGN-ML).")],
    theme: Annotated[str, typer.Option(help="light or dark.")] = "light",
    compound: Annotated[
        str | None, typer.Option(help="Colour a map by what this compound does: a name or your .toml file.")
    ] = None,
    dose_nm: Annotated[
        float | None, typer.Option(help="Dose of a coloured map, nM; 1000 if left out.")
    ] = None,
    time_h: Annotated[float | None, typer.Option(help="Time of a coloured map, h; 24 if left out.")] = None,
) -> None:
    """Draw a diagram into a file; with a compound, dose or time, a map is coloured by their effect."""
    path = diagrams.save(name, out, theme, compound=compound, dose_nm=dose_nm, time_h=time_h)
    console.print(f"Wrote {path}", markup=False)
