"""`glueprint glue`: one folder from your plates to your predicted trial."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from glueprint import study
from glueprint.cli import bars
from glueprint.cli.output import Json, console, print_json, print_table, progress_console
from glueprint.cli.plates import TablesForm, print_findings
from glueprint.cli.trial_draws import between, heading
from glueprint.cli.trust import TrustedFile, keys_in
from glueprint.mechanism import compounds
from glueprint.runs import progress
from glueprint.runs.progress import Step
from glueprint.runs.store import write_file
from glueprint.study import glue

app = typer.Typer(no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="Folder of the project.")]
INTERRUPTED = 130
NO_REFERENCE = "none"
NOTES = "note"


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="A new or an empty folder.")],
    compound: Annotated[str, typer.Option(help="Name of your glue.")],
    smiles: Annotated[str, typer.Option(help="Its structure.")],
    reference: Annotated[
        str, typer.Option(help='The compound beside it on its plates, whose trials are known; "none".')
    ] = compounds.REFERENCE,
    trial: Annotated[
        str | None, typer.Option(help="Whose patients, visits and partner drug; the reference's largest.")
    ] = None,
    twin: Annotated[
        bool, typer.Option("--twin", help="Fill it with simulated raw files of a made-up glue.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the project, and of the made-up glue.")] = 1,
    as_json: Json = False,
) -> None:
    """Begin a project: glue.toml, which says what each raw file is, and folders for the files."""
    project = glue.new(
        folder,
        compound=compound,
        smiles=smiles,
        reference=None if reference == NO_REFERENCE else reference,
        protocol=trial,
        twin=twin,
        seed=seed,
    )
    if as_json:
        print_json({"folder": str(folder), "project": project.model_dump(mode="json", exclude_none=True)})
        return
    told = "simulated raw files, nothing measured" if twin else "put your raw files into raw/ and name them"
    console.print(f"{folder / 'glue.toml'}: {told}", soft_wrap=True)
    console.print(f"Next: glueprint glue {'run' if twin else 'status'} {folder}", soft_wrap=True)


@app.command()
def run(
    folder: Folder,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, all cores if left out; no number depends on it.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A shorter fit, to look.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Compute everything again.")] = False,
    events: bars.Events = None,
    trusted: TrustedFile = None,
    as_json: Json = False,
) -> None:
    """Read, analyse, fit, predict the trial and write the report; go on where a run was stopped."""
    from glueprint.report import glue_page

    try:
        with ExitStack() as stack:
            listeners = [stack.enter_context(progress.events_into(events))] if events else []
            bar = _bar()
            stack.enter_context(bar)
            task = bar.add_task(str(folder), total=None)

            def listen(step: Step) -> None:
                bar.update(task, description=step.what, completed=step.done, total=step.total)
                for listener in listeners:
                    listener(step)

            result = glue.run(
                folder,
                workers=workers or os.cpu_count() or 1,
                quick=quick,
                fresh=fresh,
                trusted=keys_in(trusted),
                progress=listen,
            )
        path = result.folder / glue_page.FILE
        if not study.is_signed(folder):
            glue_page.write(result, path)
            study.add_file(result.folder, path)
    except KeyboardInterrupt:
        progress_console.print("Interrupted. What is done is kept: the same command goes on from there.")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(_as_dict(result, path))
    else:
        _print(result, path)
    if result.refused:
        raise typer.Exit(1)


@app.command()
def status(folder: Folder, trusted: TrustedFile = None, as_json: Json = False) -> None:
    """What is there, what is missing, and what would help most; nothing is computed."""
    found = glue.status(folder, trusted=keys_in(trusted))
    if as_json:
        print_json(found.as_dict())
        return
    mark = " (simulated)" if found.simulated else ""
    console.print(f"{found.compound}{mark}, beside {found.reference or 'no reference'}", markup=False)
    rows = [
        (one["name"], one["kind"], one["cells"], ", ".join(one["files"]), "yes" if one["there"] else "no")
        for one in found.assays
    ]
    print_table("Assays", ("name", "kind", "cells", "files", "there"), rows)
    for what, said in (("Pharmacokinetics", found.pk), ("Trial", found.trial), ("Result", found.result)):
        console.print(f"{what}: {said or 'none'}", markup=False, soft_wrap=True)
    print_findings(found.findings)
    for place, help_ in enumerate(found.helps, start=1):
        console.print(f"What would help, {place}: {help_}", markup=False, soft_wrap=True)


@app.command()
def tables(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="Folder for the files.")],
    form: TablesForm = "csv",
    as_json: Json = False,
) -> None:
    """Write all tables of the last run for spreadsheets."""
    written = []
    for name, content in glue.export(folder, form).items():
        write_file(out / name, content)
        written.append(str(out / name))
    if as_json:
        print_json({"files": written})
        return
    console.print(f"{len(written)} files in {out}", markup=False, soft_wrap=True)


def _bar() -> Progress | bars.Lines:
    return bars.bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed} of {task.total}", markup=False),
        TimeRemainingColumn(),
    )


def _as_dict(result: glue.GlueResult, report: Path) -> dict[str, object]:
    """What a run gave, for machines."""
    shown = ("about", "learnt", "outcomes", "against", "odds", "limits", "findings")
    return {
        "compound": result.project.compound,
        "folder": str(result.folder),
        "report": str(report),
        "compound_file": str(result.folder / f"{result.project.compound}.toml"),
        "computed": list(result.computed),
        "seconds": result.record.seconds,
        **{name: result.tables[name].to_dicts() for name in shown if name in result.tables},
    }


def _print(result: glue.GlueResult, report: Path) -> None:
    learnt = result.tables["learnt"]
    rows = [
        (row["name"], between(row["median"], row["low_95"], row["high_95"]), row["unit"], row["verdict"])
        for row in learnt.to_dicts()
    ]
    print_table("What the assays together say", ("quantity", "value (95 %)", "unit", ""), rows)
    if result.has_trial:
        _print_trial(result)
    findings = result.tables["findings"].filter(pl.col("severity") != NOTES)
    for row in findings.to_dicts():
        place = f" {row['where']}" if row["where"] else ""
        told = f"{row['code']} {row['severity']}{place}: {row['message']}"
        console.print(told, markup=False, soft_wrap=True)
    notes = result.tables["findings"].height - findings.height
    console.print(f"{notes} notes beside them are in the report.")
    console.print(f"Report: {report}", soft_wrap=True)


def _print_trial(result: glue.GlueResult) -> None:
    """The glue beside the reference in the same patients, then doses and limits."""
    outcomes = result.tables["outcomes"]
    cells: dict[str, dict[str, str]] = {}
    for row in outcomes.filter(pl.col("part") != "swept").to_dicts():
        named = heading(row["endpoint"])
        cells.setdefault(named, {})[row["arm"]] = between(row["value"], row["low"], row["high"])
    arms = list(dict.fromkeys(outcomes.filter(pl.col("part") != "swept")["arm"]))
    print_table(
        "The same virtual patients: median (95 % of the trials)",
        ("", *arms),
        [(name, *(found.get(arm, "") for arm in arms)) for name, found in cells.items()],
    )
    for name, title in (("odds", "How likely at each dose"), ("limits", "Doses at which limits are passed")):
        if name in result.tables:
            table = result.tables[name]
            rows = [[f"{v:.3g}" if isinstance(v, float) else v for v in row] for row in table.rows()]
            print_table(title, table.columns, rows)
