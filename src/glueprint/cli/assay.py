"""`glueprint assay`: plates, layouts and readers, and the analyses of single assays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glueprint.assays import readers
from glueprint.assays.findings import Finding
from glueprint.cli.output import Json, console, print_json, print_table

app = typer.Typer(help="Assays: plates, layouts, readers, analyses.", no_args_is_help=True)

Reader = Annotated[str | None, typer.Option("--reader", help="Name of a reader (see readers).")]
PlateFile = Annotated[Path, typer.Argument(help="A plate reader's file, or a tidy CSV file.")]


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


def print_findings(findings: tuple[Finding, ...]) -> None:
    """Findings for people, the gravest first."""
    for severity in ("refusal", "warning", "note"):
        for finding in findings:
            if finding.severity == severity:
                console.print(finding.text(), markup=False)
