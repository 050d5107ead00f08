"""`glueprint study`: from the published evidence to virtual trials and one report."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, cast

import polars as pl
import typer
from rich.progress import BarColumn, TextColumn

from glueprint import study
from glueprint.cli import bars
from glueprint.cli.choices import completed
from glueprint.cli.output import Json, console, print_json, print_table, progress_console
from glueprint.cli.trust import TrustedFile, keys_in, print_verdict
from glueprint.report import page, study_report
from glueprint.runs import progress
from glueprint.runs import query as queries
from glueprint.runs import verify as verification
from glueprint.runs.executor import Choice, Kind
from glueprint.runs.progress import Listener, Step
from glueprint.study import headlines

app = typer.Typer(no_args_is_help=True)

REPORT = "report.html"
INTERRUPTED = 130


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
    name: Annotated[
        str,
        typer.Argument(
            help="Name of a study (see list) or path of a TOML file.",
            autocompletion=completed(study.available),
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for tables and report; NAME-study if left out.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the seed in the study file.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes, all cores if left out; the numbers do not depend on it."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Replace a folder made from other inputs.")] = False,
    executor: Annotated[
        str | None, typer.Option(help="serial, processes or dask, instead of what the study file says.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="A Dask scheduler that runs already, such as tcp://127.0.0.1:8786.")
    ] = None,
    trust_scheduler: Annotated[
        bool,
        typer.Option(
            "--trust-scheduler", help="Use the address in the study file: who runs it can run code as you."
        ),
    ] = False,
    events: bars.Events = None,
    trusted: TrustedFile = None,
    as_json: Json = False,
) -> None:
    """Run a study, or go on with a stopped one: tables, provenance and one offline report in a folder."""
    if executor:
        Choice(cast(Kind, executor), workers or 1, address)  # refused before anything is begun
    if not (workers or executor or address or study.load(name).executor):
        workers = os.cpu_count() or 1
    try:
        with _shown(name, events) as listener:
            result = study.run(
                name,
                out,
                seed=seed,
                fresh=fresh,
                workers=workers,
                executor=cast(Kind | None, executor),
                address=address,
                trust_scheduler=trust_scheduler,
                trusted=keys_in(trusted),
                progress=listener,
            )
        path = result.folder / REPORT
        if not study.is_signed(result.folder):
            page.write(study_report.input_of(result), path)
            study.add_file(result.folder, path)
    except KeyboardInterrupt:
        progress_console.print("Interrupted. What is done is kept: the same command goes on from there.")
        raise typer.Exit(INTERRUPTED) from None
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
                "comparison": _rows(result.tables.get("comparison")),
                "headlines": {name: headlines(one).to_dicts() for name, one in result.trials.items()},
            }
        )
        return
    _print(result, path)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="Folder of a study, finished or not.")],
    trusted: TrustedFile = None,
    as_json: Json = False,
) -> None:
    """Check every byte of a study's folder against its ledger; exit code 1 if anything was changed."""
    print_verdict(verification.verify(folder, keys_in(trusted)), as_json=as_json)


@app.command()
def query(
    folder: Annotated[Path, typer.Argument(help="Folder of a study, finished or not.")],
    sql: Annotated[str, typer.Argument(help='What to ask, such as "select arm, count(*) from ...".')],
    trusted: TrustedFile = None,
    as_json: Json = False,
) -> None:
    """Ask a study's tables in SQL (DuckDB), for reading only; "show tables" names them."""
    answer = queries.query(folder, sql, trusted=keys_in(trusted))
    if as_json:
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        print_json({"columns": dict(zip(answer.columns, answer.types, strict=True)), "rows": rows})
        return
    print_table("", answer.columns, answer.rows)


@contextmanager
def _shown(name: str, events: Path | None) -> Iterator[Listener]:
    """Progress in the terminal, and in a file where one is asked for."""
    bar = bars.bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        transient=False,
    )
    with ExitStack() as stack:
        write = stack.enter_context(progress.events_into(events)) if events else None
        stack.enter_context(bar)
        task = bar.add_task(name, total=None, rate="")

        def listen(step: Step) -> None:
            bar.update(task, description=step.what, completed=step.done, total=step.total, rate=_rate(step))
            if write:
                write(step)

        yield listen


def _rate(step: Step) -> str:
    """Rate, time that remains, and failures, in words."""
    words = [f"{step.done} of {step.total}"]
    if step.per_second:
        words.append(f"{step.per_second:.2g} a second")
    if step.remaining_s:
        words.append(f"{timedelta(seconds=round(step.remaining_s))} left")
    if step.failed_patients:
        words.append(f"{step.failed_patients} failed patients")
    return ", ".join(words)


def _print(result: study.StudyResult, report: Path) -> None:
    """The guide beside the computed numbers, or what each trial gave, and where everything lies."""
    comparison = result.tables.get("comparison")
    if comparison is None:
        _print_headlines(result)
    else:
        _print_guide(comparison)
    if result.failed:
        console.print(f"{result.failed} virtual patient(s) could not be computed; see the patients tables")
    console.print(f"Report: {report}", soft_wrap=True)


def _print_headlines(result: study.StudyResult) -> None:
    """Each trial's main numbers, with nothing published beside them."""
    for name, trial in result.trials.items():
        rows = [
            (row["arm"], row["endpoint"], _cell(row), row["unit"], row["label"])
            for row in headlines(trial).iter_rows(named=True)
        ]
        print_table(name, ("arm", "endpoint", "Glueprint", "unit", "label"), rows)


def _print_guide(comparison: pl.DataFrame) -> None:
    """Every table of the guide beside the computed numbers."""
    for table in comparison.get_column("guide_table").unique().sort():
        rows = [
            (_name(row), row["published"], _cell(row), row["label"])
            for row in comparison.filter(guide_table=table).iter_rows(named=True)
        ]
        print_table(f"Guide table {table}", ("", "the guide", "Glueprint", "label"), rows)


def _rows(table: pl.DataFrame | None) -> list[dict[str, object]]:
    return [] if table is None else table.to_dicts()


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
