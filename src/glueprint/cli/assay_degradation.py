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
from glueprint.cli.plates import Exclude, FigureFile, SheetName, print_findings, shown, write_tables
from glueprint.errors import InputError, nearest

__all__ = ["Columns", "OutFolder", "command", "design", "names_of"]

TableFiles = Annotated[
    list[Path], typer.Argument(help="Tidy CSV or TSV files, one row a lane; several are joined.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="Our name for a column of yours: OURS=THEIRS, as often as needed."),
]
OutFolder = Annotated[Path | None, typer.Option(help="Folder for all tables as CSV.")]
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


def design(
    assay: Annotated[str, typer.Argument(help="degradation.")],
    doses: Annotated[str, typer.Option(help="Doses, nM, with commas.")] = "100,1000,10000",
    times: Annotated[str, typer.Option(help="Times, hours, with commas.")] = "1,3,6,24",
    k_deg: Annotated[float, typer.Option(help="Presumed natural rate of loss, 1/h.")] = 0.1,
    k_max: Annotated[float, typer.Option(help="Presumed greatest added rate, 1/h.")] = 1.0,
    ec50: Annotated[float, typer.Option(help="Presumed EC50 of the added rate, nM.")] = 100.0,
    slope: Annotated[float, typer.Option(help="Presumed Hill slope.")] = 1.0,
    noise: Annotated[float, typer.Option(help="Error of a reading, SD of its natural logarithm.")] = 0.15,
    replicates: Annotated[int, typer.Option(help="Lanes a dose and time.")] = 1,
    vehicles: Annotated[int, typer.Option(help="Vehicle lanes a time.")] = 2,
    most: Annotated[int, typer.Option(help="Suggestions to print.")] = 8,
    as_json: Json = False,
) -> None:
    """Say what a design of doses and times would show, and which further ones would tell most."""
    if assay != "degradation":
        raise InputError(
            "GP-A140",
            f'"{assay}"{nearest(assay, ["degradation"])}',
            where="glueprint assay design",
            expected="degradation",
            next_step="other assays have no design helper yet",
        )
    found = degradation.design(
        k_deg_per_h=k_deg,
        k_max_per_h=k_max,
        ec50_nm=ec50,
        slope=slope,
        noise=noise,
        replicates=replicates,
        vehicles=vehicles,
        doses_nm=_numbers("--doses", doses),
        times_h=_numbers("--times", times),
    )
    if as_json:
        print_json(found.as_dict())
        return
    for title, table in (("Expected", found.expected), ("Worth adding", found.suggested.head(most))):
        print_table(title, table.columns, [[shown(cell) for cell in row] for row in table.rows()])
    console.print(found.advice, markup=False)


def _numbers(option: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(
            "GP-A140",
            f'"{text}"',
            where=option,
            expected="numbers with commas, such as 1,10,100",
            next_step="decimal points, no units",
        ) from error


def names_of(column: list[str] | None) -> dict[str, str]:
    """The columns that --column names: {ours: theirs}.

    Raises InputError GP-A158 for one without an equals sign.
    """
    found = {}
    for text in column or []:
        ours, mark, theirs = text.partition("=")
        if not mark or not ours.strip():
            raise InputError(
                "GP-A158",
                f'"{text}"',
                where="--column",
                expected="OURS=THEIRS, such as dose_nm=conc",
                next_step="our names are in docs/degradation.md and docs/growth.md",
            )
        found[ours.strip()] = theirs.strip()
    return found
