"""`glueprint assay degradation` and `glueprint assay design`: fractions remaining to DC50s, and what to
measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from glueprint.assays import degradation
from glueprint.assays.degradation import joining
from glueprint.assays.findings import findings_table
from glueprint.assays.intake import door
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import (
    Columns,
    Exclude,
    FigureFile,
    OutFolder,
    SheetName,
    names_of,
    print_findings,
    shown,
    write_tables,
)

__all__ = ["command"]

TableFiles = Annotated[
    list[Path], typer.Argument(help="Tidy CSV or TSV files, one row a lane; several are joined.")
]
POINTS = ("target", "compound", "time_h", "process", "method", "experiments", "dmax", "dmax_low", "dmax_high")
RATES = ("target", "compound", "experiment", "name", "dose_nm", "relation", "value", "low", "high", "unit")


def command(
    tables: TableFiles,
    column: Columns = None,
    sheet: SheetName = None,
    method: Annotated[str, typer.Option(help="auto, joint or per-time.")] = "auto",
    error: Annotated[str, typer.Option(help="Of a reading: auto, proportional or constant.")] = "auto",
    hook: Annotated[str, typer.Option(help="test or never.")] = "test",
    exclude: Exclude = None,
    figure: FigureFile = None,
    out: OutFolder = None,
    as_json: Json = False,
) -> None:
    """Fit fractions remaining over dose and time: DC50s, Dmax, rates, half-lives, recovery."""
    settings = degradation.Settings(method=method, error=error, hook=hook, exclude=tuple(exclude or ()))
    names = names_of(column)
    given = []
    for path in tables:
        read, line = door.table(path, names, sheet)
        given.append((str(path), read))
        if not as_json:
            console.print(line, markup=False)
    table, noticed = joining.joined(given)
    result = degradation.analyse(table, settings)
    findings = (*noticed, *result.findings)
    if figure is not None:
        # Drawing costs an import that numbers need not pay.
        from glueprint.report import figures
        from glueprint.report.figures.degradation import degradation_curves

        figures.save(degradation_curves(result.tables), figure)
    if out is not None:
        write_tables(out, {**result.tables, "findings": findings_table(findings)})
    if as_json:
        print_json(result.as_dict() | {"findings": [finding.as_dict() for finding in findings]})
    else:
        _print(result)
        print_findings(findings)
    if result.refused:
        raise typer.Exit(1)


def _print(result: degradation.Result) -> None:
    rows = [
        (*(shown(row[name]) for name in POINTS), point.relative.text(), point.absolute.text())
        for row, point in zip(result.table.to_dicts(), result.points, strict=True)
    ]
    word = "Degradation" if {point.process for point in result.points} == {"degradation"} else "Loss"
    print_table(f"{word} at each time", (*POINTS, "DC50 relative", "DC50 absolute"), rows)
    for name, columns, title in (
        ("rates", RATES, "Rates and half-lives"),
        ("arms", None, "Controls of mechanism"),
    ):
        table = result.tables[name]
        if name == "rates" and (table["experiments"] > 1).any():
            # The rows of single experiments are in --out and --json.
            table = table.filter(pl.col("experiments") > 1)
        if table.height:
            chosen = table.select(columns) if columns else table
            print_table(title, chosen.columns, [[shown(cell) for cell in row] for row in chosen.rows()])
