"""Questions to a model: what an output does where parameters vary, one after another or all at once.

Local sensitivities are exact where the engine has them; screening after Morris 1991 (doi:10.2307/1269043) and
variance-based indices after Saltelli et al. 2010 (doi:10.1016/j.cpc.2009.09.018) are SALib's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.engine import Doses, Model, Settings
from glueprint.errors import InputError, optional_package
from glueprint.frames import Framed, in_notebook
from glueprint.workshop.asked import Asked, Range, Told, unusable
from glueprint.workshop.flow import Course, Differenced, Flow, flow

__all__ = ["SUMMARIES", "Answer", "Question", "check_count", "everyone", "local", "morris", "sobol", "sweep"]

Floats = NDArray[np.float64]
SUMMARIES = {
    "end": "the value at the last time",
    "max": "the largest value at the times asked for",
    "min": "the smallest value at these times",
    "mean": "the mean over time, by trapezia between them",
    "auc": "the area under the curve, by trapezia",
    "steady": "the value at the steady state after the last time",
}
CONFIDENCE = 0.95
PER_PART = 5_000


@dataclass(frozen=True, eq=False)
class Question(Asked):
    """What is asked of a model.

    ranges: of parameters or initial values.   outputs: names of the model.   summary: of `SUMMARIES`, of the
    values at `times` (in the model's unit).   given: other values.   doses: of patient 0, for everybody.
    Raises InputError GP-W027 for ranges, outputs, times or a summary that cannot be used.
    """

    model: Model
    ranges: tuple[Range, ...]
    outputs: tuple[str, ...]
    times: Floats
    summary: str = "end"
    given: Mapping[str, float] = field(default_factory=dict)
    doses: Doses | None = None
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.summary not in SUMMARIES:
            raise unusable(f'"{self.summary}" is no summary', "question", f"one of {', '.join(SUMMARIES)}")
        both = [one.name for one in self.ranges if one.name in self.given]
        if both:
            raise unusable(f"{both[0]} varies and is set to a number", both[0], "one of the two")
        if self.times.size == 0 or bool((np.diff(self.times) <= 0).any()):
            raise unusable("the times do not rise", "question", "rising times")

    @property
    def per_part(self) -> int:
        """Patients whose courses are in memory at once."""
        return PER_PART

    def computed(self, plain: Floats) -> Floats:
        """The summaries (n, outputs) at values (n, k) of what varies; NaN where a run failed."""
        return self._part(flow(self.model, ()), plain)[0]

    def content(self) -> tuple[object, ...]:
        """All that decides the summaries beside the values of what varies."""
        doses = {} if self.doses is None else vars(self.doses)
        return (
            self.model.hash,
            self.summary,
            self.times.tobytes().hex(),
            sorted(self.given.items()),
            sorted((name, np.asarray(value).tolist()) for name, value in doses.items()),
            self.settings,
        )

    def _part(self, ready: Flow | Differenced, plain: Floats) -> tuple[Floats, Floats]:
        """Summaries (n, outputs) and their slopes (n, outputs, names of `ready`)."""
        n = plain.shape[0]
        given = {name: np.full(n, value) for name, value in self.given.items()}
        given |= {one.name: plain[:, place] for place, one in enumerate(self.ranges)}
        course = Course(
            self.times, self.outputs, self.settings, everyone(self.doses, n), self.summary == "steady"
        )
        seen = ready.simulate(given, n, course)
        return self._summed(seen.values, seen.slopes)

    def _summed(self, values: Floats, slopes: Floats) -> tuple[Floats, Floats]:
        if self.summary in ("end", "steady"):
            return values[:, -1], slopes[:, -1]
        if self.summary in ("max", "min"):
            pick = np.argmax if self.summary == "max" else np.argmin
            at = pick(np.nan_to_num(values), axis=1)[:, None, :]
            # An output without a value at one of the times has no largest one.
            found = np.take_along_axis(values, at, axis=1)[:, 0]
            found = np.where(np.isnan(values).any(axis=1), np.nan, found)
            return found, np.take_along_axis(slopes, at[..., None], axis=1)[:, 0]
        span = float(self.times[-1] - self.times[0]) if self.summary == "mean" else 1.0
        areas = (np.asarray(np.trapezoid(one, self.times, axis=1)) for one in (values, slopes))
        value, slope = (area / span for area in areas)
        return value, slope


@dataclass(frozen=True, eq=False)
class Answer(Framed):
    """table: one row an output and name.   runs: of the model.   method: how it was found."""

    method: str
    table: pl.DataFrame
    runs: int

    def to_table(self) -> pl.DataFrame:
        """The table."""
        return self.table

    def _repr_html_(self) -> str:
        return in_notebook(f"{self.method}, {self.runs} runs", self.table)


def local(question: Question) -> Answer:
    """Slopes and elasticities at the middle of the ranges, by exact derivatives.

    Elasticity: per cent of the summary for one per cent of the name.
    Raises as `engine.sensitivities`, and InputError GP-W028 where the run fails.
    """
    low, high = question.box()
    plain = question.scales.plain(0.5 * (low + high))[None, :]
    names = [one.name for one in question.ranges]
    values, slopes = question._part(flow(question.model, names), plain)
    _require_all(values)
    rows = [
        {
            "output": output,
            "name": name,
            "at": float(plain[0, k]),
            "value": float(values[0, o]),
            "slope": float(slopes[0, o, k]),
            "elasticity": float(slopes[0, o, k] * plain[0, k] / values[0, o]) if values[0, o] else None,
        }
        for o, output in enumerate(question.outputs)
        for k, name in enumerate(names)
    ]
    return Answer("local", pl.DataFrame(rows), 1)


def check_count(method: str, count: int) -> None:
    """Refuse what a method cannot use: trajectories of `morris`, samples of `sobol`, points of `sweep`.

    Raises InputError GP-W027.
    """
    what, expected = {
        "morris": ("trajectories", "2 or more, such as 50"),
        "sobol": ("samples", "a power of 2, such as 1024"),
        "sweep": ("points", "2 or more for each range, such as 25"),
    }[method]
    if count < 2 or (method == "sobol" and count & (count - 1)):
        raise unusable(f"{count} {what}", what, expected)


def morris(
    question: Asked,
    *,
    trajectories: int = 50,
    seed: int = 1,
    folder: Path | None = None,
    told: Told | None = None,
) -> Answer:
    """Elementary effects, in units of the output for the whole range of a name.

    mu_star: mean size; sigma: spread, large where effects are curved or depend on others.   folder, told: as
    of `Question.quantities`.
    Raises InputError GP-W027 for fewer than two trajectories, GP-W028 where a run fails,
    EnvironmentProblemError GP-W023 without SALib.
    """
    check_count("morris", trajectories)
    sample, analyze = _salib("sample.morris"), _salib("analyze.morris")
    space = _space(question)
    units = sample.sample(space, trajectories, num_levels=4, seed=seed)
    values = _computed(question, units, folder, told)
    rows = [
        row
        for o, output in enumerate(question.outputs)
        for row in _indices(
            question,
            output,
            analyze.analyze(space, units, values[:, o], conf_level=CONFIDENCE, num_levels=4, seed=seed),
            {"mu": "mu", "mu_star": "mu_star", "mu_star_half_width": "mu_star_conf", "sigma": "sigma"},
        )
    ]
    return Answer("Morris", pl.DataFrame(rows), units.shape[0])


def sobol(
    question: Asked,
    *,
    samples: int = 1024,
    seed: int = 1,
    folder: Path | None = None,
    told: Told | None = None,
) -> Answer:
    """First-order and total indices, with the half width of their 95 % limits by SALib's resampling, and the
    standard deviation of the output that they are shares of.

    samples: a power of 2; the model is run samples (k + 2) times.   folder, told: as of
    `Question.quantities`.
    Raises as `morris`, and InputError GP-W027 for another number of samples.
    """
    check_count("sobol", samples)
    sample, analyze = _salib("sample.sobol"), _salib("analyze.sobol")
    space = _space(question)
    units = sample.sample(space, samples, calc_second_order=False, seed=seed)
    values = _computed(question, units, folder, told)
    rows = []
    for o, output in enumerate(question.outputs):
        if np.ptp(values[:, o]) == 0.0:
            raise unusable(f"{output} does not vary at all", output, "an output that what varies can reach")
        found = analyze.analyze(
            space, values[:, o], calc_second_order=False, conf_level=CONFIDENCE, seed=seed
        )
        names = {"first": "S1", "first_half_width": "S1_conf", "total": "ST", "total_half_width": "ST_conf"}
        spread = {"sd": float(values[:, o].std())}
        rows += [row | spread for row in _indices(question, output, found, names)]
    return Answer("Sobol", pl.DataFrame(rows), units.shape[0])


def _indices(
    question: Asked, output: str, found: Mapping[str, Any], names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """What SALib found of one output, a row for each range.   names: ours -> SALib's."""
    return [
        {"output": output, "name": one.name, **{ours: float(found[its][k]) for ours, its in names.items()}}
        for k, one in enumerate(question.ranges)
    ]


def sweep(
    question: Asked, *, points: int = 25, folder: Path | None = None, told: Told | None = None
) -> Answer:
    """The summaries over a grid of one or two ranges: dose and response, or a plane.

    Failed runs have no value in the table.
    Raises InputError GP-W027 for three ranges or more, and for fewer than two points.
    """
    check_count("sweep", points)
    if len(question.ranges) > 2:
        raise unusable(f"{len(question.ranges)} ranges", "sweep", "one range or two")
    low, high = question.box()
    axes = [np.linspace(a, b, points) for a, b in zip(low, high, strict=True)]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
    plain = question.scales.plain(grid)
    values = question.quantities(plain, folder=folder, told=told)
    columns = {one.name: plain[:, k] for k, one in enumerate(question.ranges)}
    columns |= {output: values[:, o] for o, output in enumerate(question.outputs) if output not in columns}
    return Answer("sweep", pl.DataFrame(columns).fill_nan(None), plain.shape[0])


def everyone(doses: Doses | None, patients: int) -> Doses | None:
    """The doses of one patient given to each of several."""
    if doses is None:
        return None
    count = int(np.size(doses.patient))
    columns = ("time_h", "target", "amount", "duration_h", "steady", "interval_h", "given_h")
    return replace(
        doses,
        patient=np.repeat(np.arange(patients), count),
        **{name: np.tile(np.asarray(getattr(doses, name)), patients) for name in columns},
    )


def _space(question: Asked) -> dict[str, Any]:
    names = [one.name for one in question.ranges]
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def _computed(question: Asked, units: Floats, folder: Path | None, told: Told | None) -> Floats:
    """Summaries at places of the unit cube; all of them must be there."""
    low, high = question.box()
    plain = question.scales.plain(low + units * (high - low))
    values = question.quantities(plain, folder=folder, told=told)
    _require_all(values)
    return values


def _require_all(values: Floats) -> None:
    failed = int(np.isnan(values).any(axis=1).sum())
    if failed:
        raise InputError(
            "GP-W028",
            f"{failed} of {values.shape[0]} runs failed or have no value",
            where="ranges",
            expected="ranges within which the model runs: an index of what is left would mislead",
            next_step="narrow the ranges; a sweep shows where the model fails",
        )


def _salib(name: str) -> Any:
    return optional_package(
        f"SALib.{name}",
        "GP-W023",
        where="sensitivity",
        expected="what makes samples and indices after Morris and Sobol",
        next_step='python -m pip install "glueprint[sensitivity]"',
    )
