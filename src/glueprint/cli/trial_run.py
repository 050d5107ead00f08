"""`glueprint trial run`: run virtual trials and print what trials report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from glueprint import trials, workshop
from glueprint.calibration import clinical
from glueprint.cli import bars
from glueprint.cli.output import Json, print_json, print_table, progress_console
from glueprint.cli.plates import shown
from glueprint.cli.trial_draws import (
    Posterior,
    PosteriorFolder,
    Seed,
    TrialName,
    Workers,
    between,
    draws_and_origin,
    progress_bar,
)
from glueprint.errors import InputError
from glueprint.runs.store import write_tables
from glueprint.trials import TrialResult, headlines, kept, prediction_intervals, write_spreadsheets

__all__ = ["command"]

WITH_POSTERIOR = 200  # replicates: enough for the ends of a 95 % interval
Cells = dict[tuple[str, str], str]


def command(
    trial: TrialName,
    replicates: Annotated[
        int | None,
        typer.Option(help=f"How many virtual trials; 1, or {WITH_POSTERIOR} with a posterior."),
    ] = None,
    seed: Seed = 1,
    workers: Workers = 1,
    posterior: Posterior = None,
    posterior_from: PosteriorFolder = None,
    population: Annotated[
        Path | None,
        typer.Option(
            help="Folder of `glueprint model population`: each patient has the numbers of one of its vectors."
        ),
    ] = None,
    counterfactual: Annotated[
        bool, typer.Option("--counterfactual", help="Also survival had nothing followed progression.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for tables, protocol and seed.")] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="Also in --out: csv or xlsx, every table of the trial."),
    ] = None,
    events: bars.Events = None,
    as_json: Json = False,
) -> None:
    """Run virtual trials and print what a trial reports; with a posterior, predict it."""
    if form is not None:
        _check_form(form, out)
    protocol = trials.load_protocol(trial)
    asked = posterior is not None or posterior_from is not None
    count = replicates if replicates is not None else WITH_POSTERIOR if asked else 1
    draws, origin = draws_and_origin(protocol, posterior, posterior_from, count, seed)
    given = workshop.load_population(population) if population is not None else None
    if given is not None:
        origin |= {"population": given.digest}
    if out is not None:
        # A folder that cannot be written is better known before the work than after it.
        write_tables(out, {})
    with progress_bar(f"{protocol.name}, {count} trial(s)", events, count) as told:
        result = trials.run(
            protocol,
            count,
            seed,
            told,
            workers,
            draws=draws,
            population=given,
            counterfactual=counterfactual,
        )
    if out is not None:
        kept.save(result, out, origin)
        if form is not None:
            write_spreadsheets(kept.load(out).tables(), out, form)
    idle = trials.idle_covariates(protocol, draws)
    if as_json:
        intervals = prediction_intervals(result.endpoints).to_dicts()
        summary = {**result.summary(), "idle_covariates": idle, "origin": origin}
        print_json({**summary, **({"prediction_intervals": intervals} if asked else {})})
        return
    _print(result, predicted=asked)
    if idle:
        progress_console.print(f"nothing in this structure reads {', '.join(idle)}", markup=False)
    if protocol.data_cuts:
        _print_looks(result)


def _check_form(form: str, out: Path | None) -> None:
    """Refuse a form of files that is not known, or one of files that nobody writes.

    Raises InputError GP-T082 or GP-T104.
    """
    trials.check_form(form, trials.FORMS, "tables")
    if out is None:
        raise InputError(
            "GP-T104",
            f'"{form}" without --out',
            where="--format",
            expected="--format together with --out: it says in which form the files are written there",
            next_step="add --out FOLDER for files, or --json for the result on standard output",
        )


def _print_looks(result: TrialResult) -> None:
    """Each data cut of the first virtual trial, and how the trials ended."""
    names = ("cut", "months", "reason", "patients", "events", "z", "efficacy_z", "futility_z", "decision")
    first = result.looks.filter(pl.col("replicate") == result.looks["replicate"][0])
    rows = [[shown(row[name]) for name in names] for row in first.iter_rows(named=True)]
    print_table(f"Data cuts, virtual trial {first['replicate'][0]}", names, rows)
    ends = result.looks.group_by("replicate", maintain_order=True).agg(pl.col("cut", "decision").last())
    if result.replicates > 1:
        counted = ends.group_by("cut", "decision", maintain_order=True).len()
        print_table("How the trials ended", ("cut", "decision", "trials"), counted.rows())


def _print(result: TrialResult, *, predicted: bool) -> None:
    """The headline endpoints: one trial's own, or the middle of many with their range."""
    n = result.replicates
    if predicted:
        cells, kind = _predicted(result), f"{result.label}, median and 95 % prediction interval of {n} trials"
    elif n == 1:
        cells, kind = _of_one(result), "95 % intervals"
    else:
        cells, kind = _of_many(result), f"mean of {n} trials (2.5 to 97.5 % between them)"
    heads, tables = _columns(result, cells)
    rows = [
        (row.heading, *(table.get((arm, endpoint), "") for arm, table in tables))
        for endpoint, row in headlines().items()
        if any(endpoint == known for _, known in cells)
    ]
    print_table(f"{result.protocol.name}, seed {result.seed}: {kind}", ("", *heads), rows)
    if result.failed:
        progress_console.print(
            f"{result.failed} patient(s) could not be computed; see `reason` in the patients table"
        )
    for finding in result.outside:
        progress_console.print(f"outside of what was fitted: {finding}", markup=False)
    if not predicted:
        progress_console.print(
            f"These numbers are {result.label}; none is a prediction. See docs/trials.md, and --posterior."
        )


def _columns(result: TrialResult, cells: Cells) -> tuple[list[str], list[tuple[str, Cells]]]:
    """A column for each arm and comparison, each followed by what was published of it, if it was fitted."""
    published = clinical.printed(result.protocol)
    sizes = {arm.name: arm.patients for arm in result.protocol.arms}
    heads, tables = list[str](), list[tuple[str, Cells]]()
    for arm in dict.fromkeys(result.endpoints.get_column("arm").to_list()):
        heads.append(f"{arm} (n {sizes[arm]})" if arm in sizes else arm)
        tables.append((arm, cells))
        if any(arm == known for known, _ in published):
            heads.append("published")
            tables.append((arm, published))
    return heads, tables


def _predicted(result: TrialResult) -> Cells:
    rows = prediction_intervals(result.endpoints).filter(pl.col("replicates") > 0).iter_rows(named=True)
    return {(r["arm"], r["endpoint"]): between(r["median"], r["low"], r["high"]) for r in rows}


def _of_many(result: TrialResult) -> Cells:
    rows = result.overview().iter_rows(named=True)
    return {(r["arm"], r["endpoint"]): between(r["mean"], r["low"], r["high"]) for r in rows}


def _of_one(result: TrialResult) -> Cells:
    return {
        (r["arm"], r["endpoint"]): between(r["value"], r["low"], r["high"]) + _p_value(r["p_value"])
        for r in result.endpoints.iter_rows(named=True)
    }


def _p_value(p_value: float | None) -> str:
    if p_value is None:
        return ""
    return f", p {p_value:.2g}" if p_value >= 0.0001 else ", p < 0.0001"
