"""`glueprint trial figures`: draw what a virtual trial showed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from glueprint import trials
from glueprint.cli.output import Json, print_json, print_table, progress_console
from glueprint.cli.trial_draws import (
    Posterior,
    PosteriorFolder,
    Seed,
    Workers,
    draws_for,
    posterior_of,
    progress_bar,
)
from glueprint.errors import InputError
from glueprint.runs.store import write_tables
from glueprint.trials import Protocol, kept

__all__ = ["command"]

Source = Annotated[
    str, typer.Argument(help="Folder of `glueprint trial run --out`, or a protocol, which is run first.")
]


def command(
    source: Source,
    out: Annotated[Path, typer.Option(help="Folder for the figures.")],
    ending: Annotated[str, typer.Option("--format", help="svg, png, pdf or html.")] = "svg",
    only: Annotated[str | None, typer.Option(help="Some figures, as in km,forest; all if left out.")] = None,
    replicates: Annotated[int, typer.Option(help="How many virtual trials of a protocol.")] = 1,
    seed: Seed = 1,
    workers: Workers = 1,
    posterior: Posterior = None,
    posterior_from: PosteriorFolder = None,
    as_json: Json = False,
) -> None:
    """Draw a virtual trial: survival, response, subgroups, doses, and with a posterior what was learnt."""
    # Drawing costs an import that the other commands of trials need not pay.
    from glueprint.report import figures, trial_figures
    from glueprint.report.figures.drawing import check_ending

    names = None if only is None else [name.strip() for name in only.split(",") if name.strip()]
    trial_figures.chosen(names)
    check_ending(out / f"figure.{ending}")
    # A folder that cannot be written is better known before the work than after it.
    write_tables(out, {})
    found = posterior_of(posterior, posterior_from)
    trial = _kept(source) or _run(source, replicates, seed, workers, (posterior, posterior_from))
    given = trial_figures.Given(*trial, posterior=found, interactive=ending == "html")
    written: list[tuple[str, Path]] = []
    left_out: list[tuple[str, InputError]] = []
    for name, drawn in trial_figures.draw(given, names):
        if isinstance(drawn, InputError):
            left_out.append((name, drawn))
            continue
        for stem, chart in drawn.items():
            written.append((name, figures.save(chart, out / f"{stem}.{ending}")))
    if as_json:
        print_json(
            {
                "trial": given.protocol.name,
                "label": given.label,
                "figures": [{"figure": name, "file": str(path)} for name, path in written],
                "left_out": [{"figure": name, "reason": problem.message} for name, problem in left_out],
            }
        )
        return
    rows = [(name, str(path), trial_figures.FIGURES[name].says) for name, path in written]
    print_table(f"{given.protocol.name}: {given.label}", ("figure", "file", "shows"), rows)
    for name, problem in left_out:
        progress_console.print(f"left out {name}: {problem.message}", markup=False)


Trial = tuple[Protocol, int, str, Callable[[str], pl.DataFrame]]


def _kept(source: str) -> Trial | None:
    """A result from its folder; None where the source is none."""
    folder = Path(source)
    if not folder.is_dir():
        return None
    found = kept.load(folder)
    return found.protocol, found.seed, found.label, cache(found.table)


def _run(
    source: str, replicates: int, seed: int, workers: int, posterior: tuple[str | None, Path | None]
) -> Trial:
    """A protocol, run with the posterior's draws if there are any."""
    protocol = trials.load_protocol(source)
    draws = draws_for(protocol, *posterior, replicates, seed)
    with progress_bar(f"{protocol.name}, {replicates} trial(s)") as told:
        result = trials.run(protocol, replicates, seed, told, workers, draws=draws)
    return protocol, seed, result.label, result.tables().__getitem__
