"""`glueprint assay read`: what a file holds and what it is read as, without an analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glueprint.assays import degradation, growth
from glueprint.assays.findings import Finding
from glueprint.assays.intake import door
from glueprint.assays.intake.door import Reading
from glueprint.cli.csv_files import csv_text
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import Columns, LayoutFile, ReaderName, SheetName, names_of, print_findings
from glueprint.runs.store import write_file

__all__ = ["command"]

GivenFile = Annotated[Path, typer.Argument(help="A plate's file, a table, a workbook or a Prism file.")]
# Rows of the table that are shown; --save writes all.
MOST = 24


def command(
    file: GivenFile,
    layout_file: LayoutFile = None,
    reader: ReaderName = None,
    sheet: SheetName = None,
    column: Columns = None,
    dose_unit: Annotated[str | None, typer.Option(help="Unit of a column dose, such as uM or ug/mL.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write the table under our names, as CSV.")] = None,
    as_json: Json = False,
) -> None:
    """Say what a file is read as: columns, units, curves, controls, what is not used and why."""
    found = door.read(file, reader=reader, layout=layout_file, sheet=sheet, names=names_of(column))
    findings = (*found.findings, *_checked(found, dose_unit))
    if save is not None:
        write_file(save, csv_text(found.tidy))
    if as_json:
        print_json(
            {
                "source": found.source,
                "read": found.line,
                "kind": "table" if found.plate is None else "plate",
                "response": found.response,
                "curves": found.curves.to_dicts(),
                "rows": found.tidy.to_dicts(),
                "findings": [finding.as_dict() for finding in findings],
            }
        )
    else:
        _show(found)
        print_findings(findings)
    if any(finding.severity == "refusal" for finding in findings):
        raise typer.Exit(1)


def _checked(found: Reading, dose_unit: str | None) -> tuple[Finding, ...]:
    """What the assay that the table belongs to notices before any fit; it raises what it would refuse."""
    if found.response in ("viability", "viability_percent", "inhibition", "inhibition_percent", "signal"):
        return growth.checked(found.given, growth.Settings(dose_unit=dose_unit))
    if found.response:
        return degradation.checked(found.given)
    return ()


def _show(found: Reading) -> None:
    console.print(found.line, markup=False)
    if found.curves.height:
        print_table("Curves", found.curves.columns, found.curves.rows())
    shown = found.tidy.head(MOST)
    cut = f", first {MOST} of {found.tidy.height} rows" if found.tidy.height > MOST else ""
    print_table(f"As read{cut}", shown.columns, shown.rows())
