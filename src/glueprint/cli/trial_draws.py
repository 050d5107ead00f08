"""What the trial commands share: protocol, posterior and its draws, a progress bar, words for intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from typer.core import TyperCommand

from glueprint.calibration import clinical
from glueprint.calibration.clinical import ClinicalPosterior
from glueprint.cli import bars
from glueprint.cli.choices import completed
from glueprint.cli.output import progress_console
from glueprint.runs import progress
from glueprint.trials import ParameterDraws, Protocol, available, row_of

__all__ = [
    "DEFAULT",
    "Posterior",
    "PosteriorCommand",
    "PosteriorFolder",
    "Seed",
    "TrialName",
    "Workers",
    "between",
    "draws_and_origin",
    "draws_for",
    "heading",
    "posterior_of",
    "progress_bar",
]

FLAG = "--posterior"
TOLERANCE = 1e-9  # a sum of shares is a whole unit within rounding
DEFAULT = clinical.STRUCTURES[0]

TrialName = Annotated[
    str,
    typer.Argument(
        help="Name of a protocol (see list) or path of a TOML file.",
        autocompletion=completed(available),
    ),
]
Seed = Annotated[int, typer.Option(help="Same seed, same bits.")]
Workers = Annotated[int, typer.Option(help="Processes; the result does not depend on it.")]
Posterior = Annotated[
    str | None,
    typer.Option(
        FLAG,
        metavar=f"[{'|'.join(clinical.STRUCTURES)}]",
        help=f"Each replicate with parameters of its own out of the calibration; {DEFAULT} if not said.",
    ),
]
PosteriorFolder = Annotated[
    Path | None,
    typer.Option("--posterior-from", help="Folder of `glueprint calibrate clinical --out`."),
]


def heading(endpoint: str) -> str:
    """What stands above or beside the numbers of a row of the table of endpoints, its unit with it."""
    row = row_of(endpoint)
    return row.heading if row else endpoint


class PosteriorCommand(TyperCommand):
    """A command whose `--posterior` may stand alone: then it means the first structure."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, with the structure put in where `--posterior` stands alone."""
        whole = list(args)
        for place in reversed([at for at, arg in enumerate(args) if arg == FLAG]):
            if whole[place + 1 : place + 2] not in [[name] for name in clinical.STRUCTURES]:
                whole.insert(place + 1, DEFAULT)
        return super().parse_args(ctx, whole)


def posterior_of(structure: str | None, folder: Path | None) -> ClinicalPosterior | None:
    """The posterior that was asked for; None if none was.   Raises as `draws_for`."""
    if structure is None and folder is None:
        return None
    name = structure or DEFAULT
    return clinical.load(folder, name) if folder is not None else clinical.posterior(name)


def draws_for(
    protocol: Protocol, structure: str | None, folder: Path | None, replicates: int, seed: int
) -> ParameterDraws:
    """The posterior's draws for a trial, a row per replicate; its most probable one if none was asked for.

    Says on standard error what a reader of the numbers has to know of the posterior.
    Raises InputError GP-K010 for an unknown structure, GP-K011 for a folder without a posterior.
    """
    draws, _ = draws_and_origin(protocol, structure, folder, replicates, seed)
    return draws


def draws_and_origin(
    protocol: Protocol, structure: str | None, folder: Path | None, replicates: int, seed: int
) -> tuple[ParameterDraws, dict[str, str]]:
    """What `draws_for` gives, and which posterior it came from."""
    asked = posterior_of(structure, folder)
    found = asked or clinical.posterior(DEFAULT)
    if found.status != "ok":
        progress_console.print(f"posterior {found.status}: {found.reason}", markup=False)
    origin = {
        "structure": found.structure,
        "posterior": found.digest,
        "posterior_status": found.status,
        "draws": "of the posterior" if asked else "the most probable",
    }
    if asked is None:
        return found.central(protocol), origin
    draws = found.for_trial(protocol, count=max(replicates, 1), seed=seed)
    if len(draws.values) < replicates:
        progress_console.print(f"{len(draws.values)} draws for {replicates} replicates: each is used again")
    return draws, origin


@contextmanager
def progress_bar(told: str, events: Path | None = None, units: int = 1) -> Iterator[Callable[[float], None]]:
    """A bar on standard error while the block runs; what it gives is called with the share done.

    events: a file that each whole unit of `units` is told to, too, as `runs.progress.events_into` does.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    lines = progress.events_into(events) if events is not None else nullcontext(progress.silent)
    with lines as write, bars.bar(*columns) as bar:
        counter = progress.Counter(write, units)
        counter.tell(told)
        task = bar.add_task(told, total=1.0)

        def tell(share: float) -> None:
            bar.update(task, completed=share)
            more = math.floor(share * units + TOLERANCE) - counter.here
            if more > 0:
                counter.tell(told, more)

        yield tell


def between(value: float | None, low: float | None, high: float | None, digits: int = 3) -> str:
    """A value with its interval in words; an end or a value that is not reached is said."""
    if value is None and low is None:
        return "not reached"
    text = "not reached" if value is None else f"{value:.{digits}g}"
    if low is None and high is None:
        return text
    ends = ["…" if end is None else f"{end:.{digits}g}" for end in (low, high)]
    return f"{text} ({ends[0]} to {ends[1]})"
