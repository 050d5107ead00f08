"""A fit: searches from many starts, what the best of them says, and how far each parameter is known."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.errors import InputError
from glueprint.frames import as_pandas, in_notebook
from glueprint.runs.streams import uniforms
from glueprint.workshop import result_tables
from glueprint.workshop.objective import Cost, Fitted, Objective
from glueprint.workshop.problem import Problem
from glueprint.workshop.profiles import Profile, Walk, beside_others, profiles
from glueprint.workshop.search import Searched, joined, search, taken

__all__ = ["Fit", "Keeper", "Settings", "Told", "draw_starts", "fit"]

Floats = NDArray[np.float64]
Told = Callable[[str, int, int], None]
"""Hears what is done, and how much of how much."""

SAME_OPTIMUM = 0.05  # of minus log posterior: two searches that end so near to one another found the same
MOST_AGAIN = 4  # times that a better optimum, which a profile has found, begins the profiles anew
FIGURE = "glueprint.report.figures.workshop:of_fit"


@dataclass(frozen=True)
class Settings:
    """How to fit.

    starts: how many searches.   seed: of the starts.   rounds: evaluations of each search at most.
    confidence: of the intervals.   accuracy: of the model's runs.   with_profiles: whether limits are sought.
    """

    starts: int = 50
    seed: int = 1
    rounds: int = 200
    confidence: float = 0.95
    accuracy: float = 1e-7
    with_profiles: bool = True

    def __post_init__(self) -> None:
        for name, fine, expected in (
            ("starts", self.starts >= 1, "at least one"),
            ("seed", self.seed >= 0, "0 or more"),
            ("rounds", self.rounds >= 2, "at least two"),
            ("confidence", 0.0 < self.confidence < 1.0, "a share between 0 and 1"),
            ("accuracy", 1e-13 <= self.accuracy <= 1e-2, "from 1e-13 to 1e-2"),
        ):
            if not fine:
                raise InputError(
                    "GP-W022",
                    f"{name} is {getattr(self, name)}",
                    where=name,
                    expected=expected,
                    next_step="correct the number",
                )


@dataclass(frozen=True, eq=False)
class Fit:
    """What a fit has found.

    searched: all searches, the best first.   profiles: one for each parameter, none if not asked for.
    fitted: the model beside each row at the best values.   evaluations: of the objective, all vectors.
    notes: what a reader should know.
    """

    problem: Problem
    settings: Settings
    searched: Searched
    profiles: tuple[Profile, ...]
    fitted: Fitted = field(repr=False)
    evaluations: int
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """Minus log posterior at the best values."""
        return float(self.searched.value[0])

    @property
    def log_likelihood(self) -> float:
        """Of all rows at the best values, without priors."""
        return float(self.fitted.likelihood[0].sum())

    @property
    def found_again(self) -> int:
        """How many searches ended at the best value, or next to it; 1 says nothing about others."""
        return int((self.searched.value <= self.value + SAME_OPTIMUM).sum())

    @property
    def status(self) -> str:
        """Of the fit as a whole: "ok", or what is to be minded."""
        if self.searched.status[0] not in ("converged", "flat"):
            return "not converged"
        return "ok" if self.found_again > 1 else "found once"

    @property
    def reason(self) -> str:
        """What `status` means here, with the remedy."""
        if self.status == "not converged":
            return "the best search still falls; ask for more rounds"
        if self.status == "found once":
            return f"one search of {self.settings.starts} reached the best value; ask for more starts"
        return ""

    @property
    def estimates(self) -> dict[str, float]:
        """Best values by name."""
        best = self.problem.scales.plain(self.searched.scaled[0])
        return {one.name: float(x) for one, x in zip(self.problem.estimated, best, strict=True)}

    @cached_property
    def tables(self) -> Mapping[str, pl.DataFrame]:
        """parameters, starts, rows, profiles."""
        return MappingProxyType(
            {
                "parameters": result_tables.parameters(
                    self.problem, self.searched, self.profiles, SAME_OPTIMUM
                ),
                "starts": result_tables.starts(self.problem, self.searched),
                "rows": result_tables.rows(self.problem, self.fitted),
                "profiles": result_tables.profile_points(self.problem, self.profiles),
            }
        )

    def as_dict(self) -> dict[str, Any]:
        """Everything but rows and profiles, for JSON."""
        return {
            "problem": self.problem.name,
            "status": self.status,
            "reason": self.reason,
            "minus_log_posterior": self.value,
            "log_likelihood": self.log_likelihood,
            "measurements": len(self.problem.rows),
            "found_again": self.found_again,
            "evaluations": self.evaluations,
            "seed": self.settings.seed,
            "confidence": self.settings.confidence,
            "notes": list(self.notes),
            "parameters": self.tables["parameters"].to_dicts(),
            "starts": self.tables["starts"].to_dicts(),
        }

    def plot(self) -> Any:
        """Waterfall of the searches, fits and residuals, and profiles, as one Altair chart."""
        return pkgutil.resolve_name(FIGURE)(self)

    def to_pandas(self) -> dict[str, Any]:
        """Every table as a pandas frame.   Raises EnvironmentProblemError GP-N090 without pandas."""
        return as_pandas(self.tables)

    def _repr_html_(self) -> str:
        return in_notebook(repr(self), self.tables["parameters"])

    def __repr__(self) -> str:
        n = len(self.problem.estimated)
        return (
            f"<fit of {self.problem.name}: {n} parameters, {len(self.problem.rows)} measurements, minus log "
            f"posterior {self.value:.6g}, {self.found_again} of {self.settings.starts} starts; {self.status}>"
        )


def draw_starts(problem: Problem, count: int, seed: int) -> Floats:
    """Scaled starts (count, p): a Latin hypercube within the bounds or from what `drawn` says, and the
    starts that parameters name in place of the first.
    """
    p = len(problem.estimated)
    units = np.arange(count)
    order = np.argsort(uniforms(seed, "order of starts", units, p), axis=0).argsort(axis=0)
    share = (order + uniforms(seed, "starts", units, p)) / count
    low, high = problem.box()
    scaled = low + share * (high - low)
    for place, one in enumerate(problem.estimated):
        if one.drawn is not None:
            drawn = one.drawn.draw(share[:, place])
            column = np.tile(np.clip(drawn, one.low, one.high)[:, None], (1, p))
            scaled[:, place] = drawn if one.drawn.on_scale else problem.scales.scaled(column)[:, place]
    given = problem.scales.scaled(np.array([one.start for one in problem.estimated]))
    scaled[0] = np.where(np.isnan(given), scaled[0], given)
    return np.clip(scaled, low, high)


class Keeper(Protocol):
    """Where profiles are kept as they go.   number: of the time that they begin, from 1."""

    def walks(self, number: int) -> list[Walk] | None:
        """What is there, None for nothing."""

    def keep(self, number: int, walks: Sequence[Walk]) -> None:
        """Take the state after a point."""


def fit(
    problem: Problem,
    settings: Settings | None = None,
    *,
    told: Told | None = None,
    searched: Searched | None = None,
    objective: Objective | None = None,
    keeper: Keeper | None = None,
) -> Fit:
    """Fit a problem.

    told: hears how far it is.   searched: searches that were made before, in place of new ones.
    objective: of the problem, if it is there already.   keeper: of profiles, which go on from what it has.
    Raises InputError GP-W021 where no start can be computed, and as `Objective`.
    """
    settings = settings or Settings()
    objective = objective or Objective(problem, accuracy=settings.accuracy)
    box = problem.box()

    def function(z: Floats, _: Any) -> Cost:
        return objective(z)

    def hears(what: str) -> Callable[[int, int], None] | None:
        return None if told is None else lambda done, all_: told(what, done, all_)

    if searched is None:
        starts = draw_starts(problem, settings.starts, settings.seed)
        searched = search(function, starts, box, rounds=settings.rounds, told=hears("searches"))
    if not np.isfinite(searched.value).any():
        raise InputError(
            "GP-W021",
            f"none of {len(searched.status)} starts can be computed; the first: {searched.reasons[0]}",
            where=problem.name,
            expected="bounds within which the model can be run",
            next_step="narrow the bounds, or give starts",
        )
    searched = _sorted(searched)
    walked: list[Profile] = []
    evaluations = 0
    for number in range(1, MOST_AGAIN + 1 if settings.with_profiles else 1):
        walked = profiles(
            function,
            searched.scaled[:1],
            searched.value[:1],
            searched.curvature[:1],
            box,
            confidence=settings.confidence,
            told=hears("profiles"),
            walks=None if keeper is None else keeper.walks(number),
            keep=None if keeper is None else partial(keeper.keep, number),
        )[0]
        evaluations += sum(one.evaluations for one in walked)
        better = [one.better for one in walked if one.better is not None]
        if not better:
            break
        more = search(function, np.stack(better), box, rounds=settings.rounds)
        searched = _sorted(joined([searched, more]))
    equal = searched.scaled[searched.value <= searched.value[0] + SAME_OPTIMUM]
    told_apart = tuple(beside_others(one, equal[:, one.number]) for one in walked)
    fitted = objective.fitted(searched.scaled[:1])
    notes = (*problem.notes, *objective.simulator.notes)
    evaluations += int(searched.rounds.sum())
    return Fit(problem, settings, searched, told_apart, fitted, evaluations, notes)


def _sorted(searched: Searched) -> Searched:
    return taken(searched, np.argsort(searched.value, kind="stable"))
