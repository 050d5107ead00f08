"""`glueprint study`: from the published evidence to virtual trials and one report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from glueprint import study
from glueprint.cli.output import Json, console, print_json, print_table, progress_console
from glueprint.report import page, study_report

app = typer.Typer(help="Whole studies: from the evidence to the report.", no_args_is_help=True)

REPORT = "report.html"


@app.command("list")
def list_studies(as_json: Json = False) -> None:
    """List the studies that come with Glueprint."""
    plans = [study.load(name) for name in study.available()]
    if as_json:
        print_json([plan.model_dump() for plan in plans])
        return
    rows = [(p.name, p.compound, ", ".join(t.protocol for t in p.trials), p.title) for p in plans]
    print_table("Studies", ("name", "compound", "trials", "title"), rows)


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="Name of a study (see list) or path of a TOML file.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for tables and report; NAME-study if left out.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the seed in the study file.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes, all cores if left out; the numbers do not depend on it."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Replace a folder made from other inputs.")] = False,
    as_json: Json = False,
) -> None:
    """Run a study: tables, provenance and one offline report in a folder."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=progress_console,
    )
    with bar:
        task = bar.add_task(name, total=1.0)
        result = study.run(
            name,
            out,
            seed=seed,
            fresh=fresh,
            workers=workers or os.cpu_count() or 1,
            progress=lambda what, share: bar.update(task, description=what, completed=share),
        )
        bar.update(task, description="report")
        path = page.write(study_report.input_of(result), result.folder / REPORT)
    if as_json:
        print_json(
            {
                "study": result.study.name,
                "seed": result.study.seed,
                "folder": str(result.folder),
                "report": str(path),
                "seconds": result.record.seconds,
                "failed_patients": result.failed,
                "tables": dict(result.record.outputs),
                "comparison": result.tables["comparison"].to_dicts(),
            }
        )
        return
    _print(result, path)


def _print(result: study.StudyResult, report: Path) -> None:
    """Guide tables 3 to 5 beside the computed numbers, and where everything lies."""
    comparison = result.tables["comparison"]
    for table in comparison.get_column("guide_table").unique().sort():
        rows = [
            (_name(row), row["published"], _cell(row), row["label"])
            for row in comparison.filter(guide_table=table).iter_rows(named=True)
        ]
        print_table(f"Guide table {table}", ("", "the guide", "Glueprint", "label"), rows)
    if result.failed:
        console.print(f"{result.failed} virtual patient(s) could not be computed; see the patients tables")
    console.print(f"Report: {report}", soft_wrap=True)


def _name(row: dict[str, object]) -> str:
    """Row and column of a guide cell; a table with one value column needs no column's name."""
    column = str(row["column"])
    return str(row["row"]) if column in ("Value", "IC50", "") else f"{row['row']}, {column}"


def _cell(row: dict[str, object]) -> str:
    value, low, high = row["computed"], row["computed_low"], row["computed_high"]
    if not isinstance(value, float):
        return ""
    if isinstance(low, float) and isinstance(high, float):
        return f"{_number(value)} ({_number(low)} to {_number(high)})"
    return _number(value)


def _number(value: float) -> str:
    """Three significant digits, and no exponent before a million."""
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}"
