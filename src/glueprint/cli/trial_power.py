"""`glueprint trial power`: how a design behaves over sizes of the trial, by simulation with the model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from glueprint import trials
from glueprint.cli.output import Json, console, print_json, print_table, progress_console
from glueprint.cli.plates import FigureFile
from glueprint.cli.trial_draws import (
    Posterior,
    PosteriorFolder,
    Seed,
    TrialName,
    Workers,
    draws_for,
    progress_bar,
)
from glueprint.cli.trial_sweep import dose_of, listed_in
from glueprint.errors import InputError
from glueprint.runs.store import write_tables
from glueprint.trials import Operating, OperatingGrid, OperatingSettings, grid

__all__ = ["command"]

TARGETS = (80.0, 90.0)
HEADS = (
    "patients",
    "truth",
    "benefit, %",
    "limits",
    "futility, %",
    "events",
    "enrolled",
    "months",
    "hazard ratio",
)


def command(
    trial: TrialName,
    patients: Annotated[str, typer.Option(help="Sizes of the trial, both arms together, as 200,300,400.")],
    simulated: Annotated[
        int, typer.Option("--trials", help="Simulated trials of each size and truth.")
    ] = 2000,
    dose_mg: Annotated[str | None, typer.Option(help="Doses of the first arm's glue, such as 2,3,4.")] = None,
    days: Annotated[
        list[str] | None, typer.Option(help="Its days, such as 1-21 or 1-28/2; once for each schedule.")
    ] = None,
    pools: Annotated[
        int, typer.Option(help="Pools of conducted patients, each with a draw of its own.")
    ] = 20,
    pool_patients: Annotated[int, typer.Option(help="Patients of each arm in a pool.")] = 500,
    seed: Seed = 1,
    workers: Workers = 1,
    posterior: Posterior = None,
    posterior_from: PosteriorFolder = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables; a run that was stopped goes on there.")
    ] = None,
    figure: FigureFile = None,
    as_json: Json = False,
) -> None:
    """Power, error without an effect, events, patients and months of a design; with a posterior, its
    assurance."""
    protocol = trials.load_protocol(trial)
    sizes = _sizes(patients)
    draws = draws_for(protocol, posterior, posterior_from, pools, seed)
    settings = OperatingSettings(pools, pool_patients, simulated, seed, draws, workers)
    variants = grid(dose_mg=[dose_of(text) for text in listed_in(dose_mg)], days=days or ())
    if out is not None:
        write_tables(out, {})
    with progress_bar(f"{protocol.name}, {pools} pool(s)") as told:
        every = trials.operating_grid(protocol, variants, sizes, settings, folder=out, progress=told)
    if dose_mg is not None or days:
        _tell_all(every, protocol.name, seed, out, figure, as_json=as_json)
        return
    (found,) = every.found.values()
    if out is not None:
        write_tables(out, {"operating": found.table, "operating_by_pool": found.by_pool})
    if figure is not None:
        # Drawing costs an import that a look at numbers need not pay.
        from glueprint.report import figures

        figures.save(figures.power(found.table), figure)
    needed = {f"{target:g}": found.patients_for(target) for target in TARGETS}
    if as_json:
        about = {"trial": protocol.name, "label": found.label, "seed": seed, "patients_for_power": needed}
        print_json({**about, "rows": found.table.to_dicts(), "by_pool": found.by_pool.to_dicts()})
        return
    _print(found, needed)


def _tell_all(
    every: OperatingGrid, trial: str, seed: int, out: Path | None, figure: Path | None, *, as_json: bool
) -> None:
    """What a grid of variants gives; each is a figure of its own."""
    if out is not None:
        write_tables(out, {"operating": every.table, "operating_by_pool": every.by_pool})
    if figure is not None:
        from glueprint.report import figures

        for number, one in enumerate(every.found.values(), start=1):
            figures.save(figures.power(one.table), figure.with_stem(f"{figure.stem}-{number}"))
    needed = {
        name: {f"{target:g}": one.patients_for(target) for target in TARGETS}
        for name, one in every.found.items()
    }
    if as_json:
        about = {"trial": trial, "labels": every.labels, "seed": seed, "patients_for_power": needed}
        print_json({**about, "rows": every.table.to_dicts(), "by_pool": every.by_pool.to_dicts()})
        return
    rows = [(row["variant"], *_row(row)) for row in every.table.iter_rows(named=True)]
    print_table(f"{trial}, seed {seed}", ("variant", *HEADS), rows)
    for name, by_target in needed.items():
        for target, size in by_target.items():
            console.print(f"{name}: {_needs(target, size)}", markup=False)
    told = "; ".join(f"{label} ({name})" for name, label in every.labels.items())
    progress_console.print(f"These numbers are {told}.", markup=False)


def _needs(target: str, size: float | None) -> str:
    told = "not between these sizes" if size is None else f"at about {size:.0f} patients"
    return f"{target} % {told}"


def _sizes(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(
            "GP-T097",
            f'"{text}"',
            where="--patients",
            expected="whole numbers with commas between them",
            next_step="give sizes such as 200,300,400",
        ) from error


def _print(found: Operating, needed: dict[str, float | None]) -> None:
    rows = [_row(row) for row in found.table.iter_rows(named=True)]
    about = f"{found.protocol.name}, seed {found.settings.seed}: {found.settings.trials} trials of each"
    print_table(about, HEADS, rows)
    for target, size in needed.items():
        console.print(_needs(target, size))
    progress_console.print(f"These numbers are {found.label}.", markup=False)


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    numbers = (row["futility_percent"], row["events"], row["enrolled"], row["months"])
    return (
        str(row["patients"]),
        row["truth"],
        f"{row['power_percent']:.1f}",
        f"{row['low']:.1f} to {row['high']:.1f}",
        *(f"{number:.1f}" for number in numbers),
        f"{row['hazard_ratio']:.2f}",
    )
