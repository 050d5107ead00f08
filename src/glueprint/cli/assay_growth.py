"""`glueprint assay growth`: viability, growth rate and division to IC50, GI50 and GR50."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from glueprint.assays import growth
from glueprint.assays.findings import Finding, findings_table
from glueprint.assays.growth import plates
from glueprint.assays.intake import door
from glueprint.cli.assay_degradation import Columns, OutFolder, names_of
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import (
    Exclude,
    FigureFile,
    LayoutFile,
    ReaderName,
    SheetName,
    print_findings,
    shown,
    write_tables,
)
from glueprint.errors import InputError

__all__ = ["command"]

GivenFile = Annotated[Path, typer.Argument(help="A plate reader's file, or a tidy table, one row a well.")]

POTENCIES = (
    "line",
    "compound",
    "experiment",
    "time_h",
    "definition",
    "relation",
    "value",
    "low",
    "high",
    "unit",
    "n",
    "reasons",
)
CURVES = (
    "line",
    "compound",
    "experiment",
    "time_h",
    "doubling_time_h",
    "divisions",
    "top",
    "bottom",
    "slope",
    "emax_percent",
    "status",
)
GROWTH = (
    "line",
    "compound",
    "experiment",
    "time_h",
    "divisions",
    "divisions_from",
    "gr_max",
    "gr_inf",
    "gr_slope",
    "gr_aoc",
)
# More rows than this belong into --out.
MOST = 60


def command(
    file: GivenFile,
    layout_file: LayoutFile = None,
    reader: ReaderName = None,
    sheet: SheetName = None,
    channel: Annotated[str | None, typer.Option(help="Reading of the plate that is the signal.")] = None,
    time0: Annotated[Path | None, typer.Option(help="Plate of time zero, where it is another file.")] = None,
    time0_layout: Annotated[Path | None, typer.Option(help="Its layout, if not that of the plate.")] = None,
    column: Columns = None,
    dose_unit: Annotated[str | None, typer.Option(help="Unit of a column dose, such as uM or ug/mL.")] = None,
    model: Annotated[str, typer.Option(help="4pl, 3pl or 5pl.")] = "4pl",
    top: Annotated[float | None, typer.Option(help="Hold the plateau without drug, as a fraction.")] = None,
    bottom: Annotated[float | None, typer.Option(help="Hold the far plateau, as a fraction.")] = None,
    effect: Annotated[str, typer.Option(help="f, or discover: false discovery rate over all curves.")] = "f",
    index: Annotated[str, typer.Option(help="Of dividing cells: divided or division-index.")] = "divided",
    exclude: Exclude = None,
    figure: FigureFile = None,
    out: OutFolder = None,
    as_json: Json = False,
) -> None:
    """Fit viability, growth rate or division against dose: IC50, GI50, GR metrics, pooled over
    experiments."""
    settings = growth.Settings(
        model=model, top=top, bottom=bottom, effect=effect, index=index, dose_unit=dose_unit
    )
    beside = (time0, time0_layout)
    asked = (reader, sheet, channel, tuple(exclude or ()))
    table, noticed, line, left_out = _given(file, layout_file, asked, names_of(column), beside)
    if not as_json:
        console.print(line, markup=False)
    result = growth.analyse(table, replace(settings, exclude=left_out))
    findings = (*noticed, *result.findings)
    if figure is not None:
        # Drawing costs an import that numbers need not pay.
        from glueprint.report import figures
        from glueprint.report.figures.growth import growth_curves

        figures.save(growth_curves(result.tables), figure)
    if out is not None:
        write_tables(out, {**result.tables, "findings": findings_table(findings)})
    if as_json:
        print_json(result.as_dict() | {"findings": [finding.as_dict() for finding in findings]})
    else:
        _print(result)
        print_findings(findings)
    if result.refused:
        raise typer.Exit(1)


def _given(
    file: Path,
    layout_file: Path | None,
    asked: tuple[str | None, str | None, str | None, tuple[str, ...]],
    names: dict[str, str],
    beside: tuple[Path | None, Path | None],
) -> tuple[pl.DataFrame, tuple[Finding, ...], str, tuple[str, ...]]:
    """The table of cultures in a plate's file or in a table, what was noticed, what it was read as, and what
    is still to be left out: of a plate that is marked already, because blanks are no part of the table.

    asked: reader, sheet, channel, and what to leave out.   beside: plate of time zero, and its layout.
    """
    reader, sheet, channel, exclude = asked
    if names and (layout_file or reader or channel):
        raise InputError(
            "GP-A158",
            "--column is for tables, and --layout, --reader and --channel are for plates",
            where="--column",
            expected="one of both kinds",
            next_step="say in the layout what is in the wells of a plate",
        )
    if names:
        table, line = door.table(file, names, sheet)
        return table, (), line, exclude
    found = door.read(file, reader=reader, layout=layout_file, sheet=sheet)
    start, start_layout = beside
    if start is not None:
        found = door.with_time_zero(found, start, start_layout)
    if found.wells is None:
        return found.given, (), found.line, exclude
    wells = found.wells
    table, noticed = plates.cultures_table(wells.table, wells.assay, channel=channel, exclude=exclude)
    return table, (*found.findings, *noticed), found.line, ()


def _print(result: growth.Result) -> None:
    for name, columns, title in (
        ("potencies", POTENCIES, "Potencies"),
        ("growth_rate", GROWTH, "Growth-rate inhibition"),
        ("curves", CURVES, "Curves"),
    ):
        rows = result.tables[name].select(columns)
        if rows.height:
            cut = f", first {MOST} of {rows.height}" if rows.height > MOST else ""
            cells = [[shown(cell) for cell in row] for row in rows.head(MOST).rows()]
            print_table(title + cut, columns, cells)
