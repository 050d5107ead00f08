"""`glueprint assay growth`: viability, growth rate and division to IC50, GI50 and GR50."""

from __future__ import annotations

from typing import Annotated

import typer

from glueprint.assays import growth, tidy_table
from glueprint.cli.assay_degradation import Columns, OutFolder, TableFile, names_of
from glueprint.cli.output import Json, print_json, print_table
from glueprint.cli.plates import FigureFile, print_findings, shown, write_tables

__all__ = ["command"]

POTENCIES = (
    "line",
    "compound",
    "experiment",
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
    table: TableFile,
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
    result = growth.analyse(tidy_table.renamed(tidy_table.read(table), names_of(column)), settings)
    if figure is not None:
        # Drawing costs an import that numbers need not pay.
        from glueprint.report import figures
        from glueprint.report.figures.growth import growth_curves

        figures.save(growth_curves(result.tables), figure)
    if out is not None:
        write_tables(out, result.tables)
    if as_json:
        print_json(result.as_dict())
    else:
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
        print_findings(result.findings)
    if result.refused:
        raise typer.Exit(1)
