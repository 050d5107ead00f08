"""`glueprint assay growth`: viability, growth rate and division to IC50, GI50 and GR50."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from glueprint.assays import growth, readers, tidy_table
from glueprint.assays.findings import Finding, findings_table
from glueprint.assays.growth import plates
from glueprint.cli.assay_degradation import Columns, OutFolder, names_of
from glueprint.cli.output import Json, print_json, print_table
from glueprint.cli.plates import (
    FigureFile,
    LayoutFile,
    ReaderName,
    print_findings,
    shown,
    wells_of,
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
    channel: Annotated[str | None, typer.Option(help="Reading of the plate that is the signal.")] = None,
    column: Columns = None,
    dose_unit: Annotated[str | None, typer.Option(help="Unit of a column dose, such as uM or ug/mL.")] = None,
    model: Annotated[str, typer.Option(help="4pl, 3pl or 5pl.")] = "4pl",
    top: Annotated[float | None, typer.Option(help="Hold the plateau without drug, as a fraction.")] = None,
    bottom: Annotated[float | None, typer.Option(help="Hold the far plateau, as a fraction.")] = None,
    effect: Annotated[str, typer.Option(help="f, or discover: false discovery rate over all curves.")] = "f",
    index: Annotated[str, typer.Option(help="Of dividing cells: divided or division-index.")] = "divided",
    figure: FigureFile = None,
    out: OutFolder = None,
    as_json: Json = False,
) -> None:
    """Fit viability, growth rate or division against dose: IC50, GI50, GR metrics, pooled over
    experiments."""
    settings = growth.Settings(
        model=model, top=top, bottom=bottom, effect=effect, index=index, dose_unit=dose_unit
    )
    table, noticed = _given(file, layout_file, reader, channel, names_of(column))
    result = growth.analyse(table, settings)
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
    file: Path, layout_file: Path | None, reader: str | None, channel: str | None, names: dict[str, str]
) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    """The table of cultures in a plate's file, or in a tidy table, and what was noticed on the way."""
    asked = layout_file or reader or channel
    if not asked and (names or not _is_plate(file)):
        return tidy_table.renamed(tidy_table.read(file), names), ()
    if names:
        raise InputError(
            "GP-A158",
            "--column is for tables, and --layout, --reader and --channel are for plates",
            where="--column",
            expected="one of both kinds",
            next_step="say in the layout what is in the wells of a plate",
        )
    _, wells = wells_of(file, layout_file, reader)
    table, noticed = plates.cultures_table(wells.table, wells.assay, channel=channel)
    return table, (*wells.findings, *noticed)


def _is_plate(file: Path) -> bool:
    """Whether a reader of plates knows the file; a table of cultures may name plates and wells as well."""
    try:
        name = readers.identify(file)
    except InputError:
        return False
    return name != "tidy" or "value" in tidy_table.read(file).columns


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
