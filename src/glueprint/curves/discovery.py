"""Which curves of a batch show an effect: the F test, its true null distribution, false discovery rates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from glueprint.curves import search
from glueprint.curves.logistic import BACK, FRONT, Floats
from glueprint.curves.models.model import Given
from glueprint.curves.problem import Problem
from glueprint.curves.result import Fits
from glueprint.curves.status import Status
from glueprint.errors import InputError, NotSupportedError, nearest

__all__ = ["DISCOVERIES", "Discoveries", "Null", "adjusted", "discover"]

Null = Literal["simulated", "f"]

# Flat curves simulated for each design; more designs than this (missing points, weights of their own) share
# nulls by their number of points, each design in proportion to its curves.
NULL_CURVES, MOST_DESIGNS = 10_000, 3
# A number of points that fewer of the curves have joins the next one; the fewest curves of a shared null.
LEAST_SHARE, LEAST_CURVES = 0.1, 2_000
# Share of the simulated curves whose tail is continued, beyond what simulation can count.
TAIL = 0.05
# Where a status comes from the F test or from the place of the EC50; other faults stay.
JUDGED = (Status.FINE, Status.NO_EFFECT, Status.BELOW_TESTED, Status.ABOVE_TESTED)

DISCOVERIES = pl.Schema(
    {
        "curve": pl.Int64(),
        "f": pl.Float64(),
        "p": pl.Float64(),
        "q": pl.Float64(),
        "discovered": pl.Boolean(),
        "status": pl.String(),
    }
)


@dataclass(frozen=True)
class Discoveries:
    """Which curves show an effect; every array has one value a curve.

    p: chance of such an F on a flat line, NaN where a curve was not tested.   q: smallest false discovery
    rate at which the curve is still called.   discovered: q <= rate.   tested, not_tested: counts.
    """

    p: Floats
    q: Floats
    discovered: NDArray[np.bool_]
    rate: float
    null: Null
    tested: int
    not_tested: int
    fits: Fits

    def apply(self) -> Fits:
        """The fits with the status that this test gives: no effect where none was discovered."""
        fits = self.fits
        with np.errstate(invalid="ignore"):
            half = fits.log10_ec50
            status = np.full(half.size, int(Status.FINE))
            status[half < np.log10(fits.problem.lowest_dose)] = Status.BELOW_TESTED
            status[half > np.log10(fits.problem.highest_dose)] = Status.ABOVE_TESTED
        status[~self.discovered] = Status.NO_EFFECT
        judged = np.isin(fits.status, JUDGED)
        # A fit still creeping along a ridge of flat data is no better than the flat line.
        judged |= (fits.status == Status.NOT_CONVERGED) & ~self.discovered
        judged &= ~np.isnan(self.p)
        return replace(fits, status=np.where(judged, status, fits.status))

    def table(self) -> pl.DataFrame:
        """One row a curve, columns `DISCOVERIES`; null where a curve was not tested."""
        columns: dict[str, Any] = {
            "curve": np.arange(self.p.size), "f": self.fits.effect_f, "p": self.p, "q": self.q,
            "discovered": self.discovered,
            "status": [Status(code).name for code in self.apply().status.tolist()],
        }  # fmt: skip
        return pl.DataFrame(columns, schema=DISCOVERIES).with_columns(pl.col("f", "p", "q").fill_nan(None))


def discover(
    fits: Fits, *, rate: float = 0.05, null: Null = "simulated", null_curves: int = NULL_CURVES, seed: int = 0
) -> Discoveries:
    """Call the curves with an effect so that of those called at most `rate` are flat, on average.

    rate: false discovery rate.   null: "simulated" judges F by flat curves simulated on the same doses and
    weights; "f" by Fisher's F, which for four and five parameters errs on the quiet side (docs/potencies.md).
    null_curves, seed: flat curves simulated for each design, and their seed.
    Returns `Discoveries`.
    Raises InputError GP-C047 (options), NotSupportedError GP-C048 where no null can be simulated.
    Source: Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x; that a fitted curve's F needs
    its own null after Bayer et al. 2023, doi:10.1038/s41467-023-43696-z; own simulation.
    """
    if not 0.0 < rate < 1.0 or null not in get_args(Null) or null_curves < 100:
        raise InputError(
            "GP-C047",
            f'rate {rate:g}, null "{null}"{nearest(null, get_args(Null))}, null_curves {null_curves}',
            where="discover",
            expected='a rate between 0 and 1, "simulated" or "f", 100 or more null curves',
            next_step="use rate=0.05",
        )
    p = np.array(fits.effect_p)
    if null == "simulated":
        p = _calibrated(fits, null_curves, seed)
    q = adjusted(p)
    tested = int(np.isfinite(p).sum())
    return Discoveries(p, q, q <= rate, rate, null, tested, p.size - tested, fits)


def adjusted(p: ArrayLike) -> Floats:
    """Adjusted p values (n,) after Benjamini and Hochberg; NaN stays NaN and does not count.

    p: (n,).   Source: doi:10.1111/j.2517-6161.1995.tb02031.x, as step-up minima.
    """
    values = np.asarray(p, dtype=float)
    q = np.full(values.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    scaled = values[order] * order.size / np.arange(1, order.size + 1)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def _calibrated(fits: Fits, null_curves: int, seed: int) -> Floats:
    """The F test's p values (n,) judged by simulated flat curves of the same design."""
    if fits.problem.between is not None:
        raise _no_null("responses that are limits: flat curves of the same design would have others")
    if np.isfinite(fits.problem.pins[BACK]):
        raise _no_null("a fixed far plateau: the null of F depends on its distance in noise")
    design = np.concatenate([fits.problem.log10_dose, fits.problem.weights], axis=1)
    testable = np.flatnonzero(np.isfinite(fits.effect_p))
    found = np.full(fits.effect_p.shape, np.nan)
    if testable.size == 0:
        return found
    designs, which = np.unique(design[testable], axis=0, return_inverse=True)
    which = which.reshape(-1)
    groups = np.arange(len(designs))[which]
    if len(designs) > MOST_DESIGNS:
        groups = _by_points(fits.points[testable])
    largest = int(np.bincount(groups).max())
    for i in range(int(groups.max()) + 1):
        mine = groups == i
        draw = np.random.default_rng([seed, i])
        count, rows = null_curves, designs[which[mine][:1]]
        if len(designs) > MOST_DESIGNS:
            count = max(null_curves * int(mine.sum()) // largest, min(LEAST_CURVES, null_curves))
            rows = designs[draw.choice(which[mine], count)]
        null = _null_p(fits.problem, rows, count, draw)
        found[testable[mine]] = _share_beyond(null, fits.effect_p[testable[mine]])
    return found


def _by_points(points: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups (k,) of curves with about the same number of points, none of them small."""
    numbers, counts = np.unique(points, return_counts=True)
    group, filled, found = 0, 0, np.zeros(int(numbers[-1]) + 1, dtype=np.int64)
    for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
        if filled >= LEAST_SHARE * points.size:
            group, filled = group + 1, 0
        found[number] = group
        filled += count
    last = found == group
    if group and filled < LEAST_SHARE * points.size:
        found[last] = group - 1
    return found[points]


def _no_null(what: str) -> NotSupportedError:
    return NotSupportedError(
        "GP-C048",
        what,
        where="discover, null",
        expected="a free far plateau, and responses that are values",
        next_step='free the plateau, or take --effect f (in Python null="f"), which errs on the quiet side',
    )


def _null_p(problem: Problem, designs: Floats, count: int, draw: np.random.Generator) -> Floats:
    """Plain p values (count,) of flat curves on one design, or on one each; F knows neither their height nor
    their noise."""
    log10_dose, weights = np.split(designs, 2, axis=1)
    used = (weights > 0.0).any(axis=0)
    log10_dose, weights = log10_dose[:, used], weights[:, used]
    pinned = problem.pins
    height = pinned[FRONT] if np.isfinite(pinned[FRONT]) else 0.0
    noise = draw.standard_normal((count, weights.shape[1]))
    weights = np.broadcast_to(weights, noise.shape)
    with np.errstate(divide="ignore"):
        response = np.where(weights > 0.0, height + noise / np.sqrt(weights), 0.0)
    given = Given({"dose": np.broadcast_to(10.0**log10_dose, noise.shape)}, weights > 0.0)
    flat = Problem(problem.model, given, response, weights, np.tile(pinned, (count, 1)))
    return flat.effect(search.thorough(flat).cost)[1]


def _share_beyond(null: Floats, p: Floats) -> Floats:
    """Share of the null at or below each p; beyond the tail an exponential law in -ln p goes on.

    Within the tail the law is fitted to the excesses, whose mean is its scale.
    """
    ordered = np.sort(null)
    share = (np.searchsorted(ordered, p, side="right") + 1.0) / (ordered.size + 1.0)
    count = max(int(TAIL * ordered.size), 10)
    edge = max(float(ordered[count]), 1e-300)
    scale = float(np.mean(np.log(edge) - np.log(np.maximum(ordered[:count], 1e-300))))
    with np.errstate(divide="ignore"):
        beyond = count / ordered.size * np.exp((np.log(p) - np.log(edge)) / max(scale, 1e-3))
    return np.where(p < edge, beyond, share)
