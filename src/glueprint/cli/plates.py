"""What the assay commands share: options of a plate's file, findings for people, tables as files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glueprint.cli.output import console
from glueprint.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from glueprint.assays.findings import Finding

__all__ = [
    "Columns",
    "Exclude",
    "FigureFile",
    "LayoutFile",
    "OutFolder",
    "PlateFile",
    "ReaderName",
    "SheetName",
    "TablesForm",
    "names_of",
    "print_findings",
    "shown",
    "write_tables",
]

PlateFile = Annotated[Path, typer.Argument(help="A plate reader's file, or a tidy CSV file.")]
LayoutFile = Annotated[
    Path | None, typer.Option("--layout", help="What is in the wells (see glueprint assay layout).")
]
ReaderName = Annotated[
    str | None, typer.Option("--reader", help="Name of a reader (see readers), or allotropy:VENDOR.")
]
SheetName = Annotated[
    str | None, typer.Option("--sheet", help="Sheet of a workbook, or table of a Prism file.")
]


def _drawable(path: Path | None) -> Path | None:
    """A figure's file; an ending that is not written is better known before the work than after it."""
    if path is not None:
        from glueprint.report.figures.drawing import check_ending  # what draws, which a run without needs not

        check_ending(path)
    return path


FigureFile = Annotated[
    Path | None,
    typer.Option("--figure", callback=_drawable, help="Write the figure: .svg, .png, .pdf, .html."),
]
TablesForm = Annotated[str, typer.Option("--format", help="csv, a file a table, or xlsx, a sheet a table.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="Our name for a column of yours: OURS=THEIRS, as often as needed."),
]
OutFolder = Annotated[Path | None, typer.Option(help="Folder for all tables as CSV.")]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude", help='What to leave out and why: "A1,A2=bubble", "plate 2:B4=empty"; repeat for more.'
    ),
]


def print_findings(findings: Iterable[Finding]) -> None:
    """Findings for people, the gravest first."""
    every = tuple(findings)
    for severity in ("refusal", "warning", "note"):
        for finding in every:
            if finding.severity == severity:
                console.print(finding.text(), markup=False)


def shown(value: Any, digits: int = 4) -> Any:
    """A number to some digits for people; anything else as it is."""
    return f"{value:.{digits}g}" if isinstance(value, float) else value


def write_tables(folder: Path, tables: Mapping[str, pl.DataFrame]) -> None:
    """Every table as CSV into a folder; see `csv_files`."""
    from glueprint.cli.csv_files import csv_text
    from glueprint.runs.store import write_file  # tables, which a help page can do without

    for name, table in tables.items():
        write_file(folder / f"{name}.csv", csv_text(table))


def names_of(column: list[str] | None) -> dict[str, str]:
    """The columns that --column names: {ours: theirs}.

    Raises InputError GP-A158 for one without an equals sign.
    """
    found = {}
    for text in column or []:
        ours, mark, theirs = text.partition("=")
        if not mark or not ours.strip() or ours.strip() in found:
            raise InputError(
                "GP-A158",
                f'"{text}"',
                where="--column",
                expected="OURS=THEIRS, such as dose_nm=conc, each of ours once",
                next_step="our names are in docs/degradation.md and docs/growth.md",
            )
        found[ours.strip()] = theirs.strip()
    return found
