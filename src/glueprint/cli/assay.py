"""`glueprint assay`: plates, layouts and readers, and the analyses of single assays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
import typer

from glueprint.assays import layout, quality, readers
from glueprint.assays.intake import door
from glueprint.assays.plate import Plate
from glueprint.assays.quality import Inspection, corrections, exclusions
from glueprint.assays.wells import Layout
from glueprint.cli import (
    assay_commands,
    assay_design,
    assay_read,
    assay_twin,
)
from glueprint.cli.csv_files import csv_text
from glueprint.cli.output import Json, console, print_json, print_table, write
from glueprint.cli.plates import (
    Exclude,
    FigureFile,
    LayoutFile,
    PlateFile,
    ReaderName,
    SheetName,
    print_findings,
)
from glueprint.errors import InputError
from glueprint.runs.store import write_file

app = typer.Typer(no_args_is_help=True)
app.command("twin")(assay_twin.command)
app.command("design")(assay_design.design)
for name, analysis in assay_commands.COMMANDS.items():
    app.command(name)(analysis)
app.command("read")(assay_read.command)


@app.command("readers")
def list_readers(as_json: Json = False) -> None:
    """List the readers of plate files."""
    found, findings = readers.available()
    if as_json:
        rows = [{"name": reader.name, "title": reader.title} for reader in found]
        print_json({"readers": rows, "findings": [finding.as_dict() for finding in findings]})
        return
    print_table("Readers", ("name", "what it reads"), [(reader.name, reader.title) for reader in found])
    print_findings(findings)


@app.command("plate")
def inspect_plate(
    file: PlateFile,
    layout_file: LayoutFile = None,
    reader: ReaderName = None,
    sheet: SheetName = None,
    replicates: Annotated[
        Literal["rows", "columns"] | None,
        typer.Option(help="Without a layout: along what wells hold the same."),
    ] = None,
    correct: Annotated[
        int | None, typer.Option(help="Divide by a surface through scattered controls: degree 1 or 2.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the wells, corrected where asked, as CSV for the analyses.")
    ] = None,
    exclude: Exclude = None,
    figure: FigureFile = None,
    as_json: Json = False,
) -> None:
    """Read any plate: channels, flags, quality numbers, position effects, findings."""
    plate, wells = door.plate(file, layout=layout_file, reader=reader, sheet=sheet)
    if not as_json:
        console.print(wells.line, markup=False)
    marked, said = exclusions.marked(wells.table, tuple(exclude or ()))
    used = replace(wells, table=marked, findings=(*wells.findings, *said))
    if correct is not None:
        used = corrections.by_controls(used, degree=correct)
    if save is not None:
        write_file(save, csv_text(used.table))
    kept = used.table.filter(pl.col(exclusions.COLUMN) == "")
    found = quality.inspect(kept, replicates=replicates, findings=used.findings)
    if figure is not None:
        # Drawing costs an import that a look at numbers need not pay.
        from glueprint.report import figures

        figures.save(figures.plate_map(used.table), figure)
    if as_json:
        about = {"source": plate.source, "reader": plate.reader, "metadata": dict(plate.metadata)}
        print_json({**about, **found.as_dict(), "figure": str(figure) if figure else None})
    else:
        _show(plate, found)
    if any(finding.severity == "refusal" for finding in found.findings):
        raise typer.Exit(1)


def _show(plate: Plate, found: Inspection) -> None:
    for name, title in (("channels", f"Channels ({plate.reader})"), ("flags", "Flags")):
        table = found.tables[name]
        if table.height:
            rows = [[_cell(value) for value in row] for row in table.rows()]
            print_table(title, table.columns, rows)
    quality = found.quality.select("plate", "channel", "name", "value", "limit", "verdict")
    if quality.height:
        print_table("Quality", quality.columns, [[_cell(value) for value in row] for row in quality.rows()])
    print_findings(found.findings)


def _cell(value: object) -> object:
    """A number to four digits, a list of wells as text."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else value


@app.command("layout")
def show_layout(
    file: Annotated[
        Path | None, typer.Argument(help="A layout in TOML, or a plate file with a layout of its own.")
    ] = None,
    template: Annotated[
        str | None, typer.Option(help=f"Print a file to begin with: {', '.join(layout.TEMPLATES)}.")
    ] = None,
    wells: Annotated[int, typer.Option(help="Wells of the template's plate: 96 or 384.")] = 96,
    show: Annotated[bool, typer.Option("--show", help="Draw the plate.")] = False,
    write_to: Annotated[
        Path | None, typer.Option("--write", help="Write it as a file, .toml or .xlsx.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a layout file, draw it, write it in another form, or print a template."""
    if (file is None) == (template is None):
        raise InputError(
            "GP-A048",
            "a layout file and a template" if file else "neither a layout file nor a template",
            where="glueprint assay layout",
            expected="FILE, or --template with its kind",
            next_step=f"--template {next(iter(layout.TEMPLATES))} prints a file to begin with",
        )
    if file is None:
        text = layout.template(str(template), wells)
        found = layout.parse(text, f"template {template}")
        if not show and not as_json and write_to is None:
            write(text)
            return
    else:
        found = _layout_in(file)
    if write_to is not None:
        write_file(write_to, _as_file(found, write_to))
    if as_json:
        findings = [finding.as_dict() for finding in found.findings]
        written = {"written": str(write_to)} if write_to else {}
        wells_in = found.table.to_dicts()
        print_json({"source": found.source, "wells": wells_in, "findings": findings, **written})
        return
    if show:
        write(layout.draw(found) + "\n")
    else:
        roles = found.table.group_by("role", maintain_order=True).len()
        print_table("Roles", ("role", "wells"), roles.rows())
    print_findings(found.findings)


def _as_file(found: Layout, path: Path) -> str | bytes:
    """A layout in the form that the ending of a path says."""
    ending = path.suffix.lower()
    if ending not in (".toml", ".xlsx"):
        raise InputError(
            "GP-A251",
            f'a layout as "{path.suffix}"',
            where=str(path),
            expected=".toml or .xlsx",
            next_step="choose one of these endings",
        )
    return layout.text(found) if ending == ".toml" else layout.workbook(found)


def _is_map(file: Path) -> bool:
    """Whether no reader of an instrument's files knows the file, which may be a map of the plate."""
    try:
        return readers.identify(file) in ("tidy", "magellan")
    except InputError:
        return True


def _layout_in(file: Path) -> Layout:
    """The layout of a TOML file, or of a plate file that says what is in its wells."""
    if file.suffix.lower() == ".toml" or _is_map(file):
        return layout.read(file)
    plate = readers.read(file)
    if plate.layout is None:
        raise InputError(
            "GP-A049",
            f"a file of the reader {plate.reader} without a layout",
            where=str(file),
            expected="a .toml file, or a plate file that says what is in its wells",
            next_step="write a layout: `glueprint assay layout --template elisa` gives one to begin with",
        )
    return plate.layout
