"""How much capacity a culture needs to show half of an effect at a dose: the mechanism as a response surface.

A dose enters the mechanism over the compound's Kd alone. So one function per culture says it all: the rho
with which the level is just reached at a dose of so many Kd. It is smooth where the potency itself runs off
to infinity, and its inverse is the potency. It is run at draws of the in-vitro posterior.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from glueprint.calibration import in_vitro
from glueprint.calibration.in_vitro.potencies import PARTS, Part
from glueprint.experiments import LPS, grow
from glueprint.mechanism import Scenario

__all__ = ["CELLS", "SEEN", "Assay", "Surface", "parts_of", "potency", "seen", "surface"]

Floats = NDArray[np.float64]
# Draws of the in-vitro posterior at which the mechanism is run, evenly spaced over the chain.
SEEN = 400
# log10 of dose over Kd: where the surface is known, and how finely it is read between the knots.
KNOTS = np.array([-3.0, -2.0, -1.25, -0.6, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.5])
FINE = np.linspace(KNOTS[0], KNOTS[-1], 91)
# The knot from which the rest is told: ten Kd.
ANCHOR = 1.0
# log10 rho that is searched, and how: the bracket of 7 decades shrinks to 7/(9 x 9 x 7) = 0.012.
LOWEST, HIGHEST = -2.5, 4.5
ROUNDS = (10, 8, 6)
EDGE = 0.1  # so close to the highest, none was found
# Names that people write -> cells of the in-vitro posterior.
CELLS = {
    "MM1S": "MM1S",
    "RPMI8226": "RPMI8226",
    "OPM2": "OPM2",
    "MONOCYTE": "monocyte",
    "MONOCYTES": "monocyte",
    "PBMC": "monocyte",
    "PBMCS": "monocyte",
}
# Shapes of the surface that are kept, beside its level: what they leave out is below 0.02 decades.
SHAPES = 2
# A cubic spline is linear in its values at the knots: (k, f).
BETWEEN = np.asarray(CubicSpline(KNOTS, np.eye(KNOTS.size))(FINE).T)
HALF = 0.5


@dataclass(frozen=True)
class Assay:
    """One read-out of a culture: cells by the name of the in-vitro posterior, hours, and its level.

    level: "half" of what the vehicle shows, or "half rate" of growth.
    """

    cells: str
    hours: float
    level: str = "half"


@dataclass(frozen=True)
class Surface:
    """The rho that an assay needs, over dose: level and shapes at each draw.

    reached: (seen,) draws with which some capacity does it; d of them.   level: (d,) log10 rho needed at ten
    Kd.   mean: (k,) of the rest at `KNOTS`, about the level.   shapes: (s, k) directions in which it differs
    between draws.   scores: (d, s), of unit variance.
    weight: share of IKZF1 in what the cells respond to.   left_out: (d, k) what the shapes do not hold.
    """

    reached: NDArray[np.bool_]
    level: Floats
    mean: Floats
    shapes: Floats
    scores: Floats
    weight: float
    left_out: Floats

    def rest(self, scores: Floats) -> Floats:
        """log10 of the rho needed at doses `FINE` over that at ten Kd, (n, f) of scores (n, s)."""
        return np.asarray((self.mean + scores @ self.shapes) @ BETWEEN)


def parts_of(cells: str) -> Part:
    """The culture behind cells; that of MM1S for a line which the in-vitro posterior does not know."""
    known = {part.name: part for part in PARTS}
    return known.get(cells, known["MM1S"])


def seen() -> pl.DataFrame:
    """The draws of the in-vitro posterior at which surfaces are known."""
    draws = in_vitro.posterior().draws
    return draws[np.linspace(0, draws.height - 1, SEEN).astype(np.int64)].cast(pl.Float64)


@lru_cache(maxsize=32)
def surface(assay: Assay) -> Surface:
    """The surface of an assay, run once in a process: 400 draws, about two seconds."""
    part = parts_of(assay.cells)
    needed = _needed(part, assay)
    reached = np.asarray((needed < HIGHEST - EDGE).all(axis=1))
    needed = needed[reached]
    anchor = int(np.argmin(np.abs(KNOTS - ANCHOR)))
    level = needed[:, anchor]
    rest = needed - level[:, None]
    mean = rest.mean(axis=0)
    away = rest - mean
    _, sizes, directions = np.linalg.svd(away, full_matrices=False)
    shapes = directions[:SHAPES] * (sizes[:SHAPES, None] / np.sqrt(level.size - 1))
    scores = away @ np.linalg.pinv(shapes)
    weight = grow(part.model, Scenario.of(line=part.line)).typical("weight_ikzf1")
    return Surface(reached, level, mean, shapes, scores, weight, away - scores @ shapes)


def potency(
    known: Surface, scores: Floats, margin: Floats, log10_rho: Floats, efficacy: tuple[Floats, Floats]
) -> Floats:
    """log10 of the dose over Kd (n,) at which the level is reached; beyond the last knot it never is.

    scores: (n, s).   margin: (n,) log10 of the cell's rho over that needed at ten Kd, for efficacy 1.
    log10_rho: (n,) of the cell.   efficacy: (n,) log10 of IKZF1's and IKZF3's.
    Past the last knot the shortfall is added, so that a limit still tells how far off it is.
    Source: own derivation, docs/your-glue-fit.md, "Cells".
    """
    occupancy = 10.0**FINE / (1.0 + 10.0**FINE)
    induced = 10.0 ** (np.minimum(log10_rho, 6.0)[:, None]) * occupancy
    first, third = (10.0 ** np.clip(e, -6.0, 6.0)[:, None] * induced for e in efficacy)
    left = known.weight / (1.0 + first) + (1.0 - known.weight) / (1.0 + third)
    # What one efficacy for both would have to be, at this occupancy.
    joint = np.log10((1.0 / left - 1.0) / induced)
    lacking = known.rest(scores) - margin[:, None] - joint
    return _crossing(lacking)


def _crossing(lacking: Floats) -> Floats:
    """Where (n, f) first falls through zero along `FINE`; continued in a straight line beyond both ends."""
    below = lacking <= 0.0
    never, always = ~below.any(axis=1), below[:, 0]
    right = np.clip(np.argmax(below, axis=1), 1, FINE.size - 1)
    right = np.where(never, FINE.size - 1, right)
    rows = np.arange(lacking.shape[0])
    before, after = lacking[rows, right - 1], lacking[rows, right]
    fall = np.maximum(before - after, 1e-9)
    inside = FINE[right - 1] + (FINE[right] - FINE[right - 1]) * np.clip(before / fall, 0.0, 1.0)
    # At low doses rho and dose trade one to one; at high doses what lacks is a capacity.
    return np.select([never, always], [FINE[-1] + lacking[:, -1] * 3.0, FINE[0] + lacking[:, 0]], inside)


def _needed(part: Part, assay: Assay) -> Floats:
    """log10 of rho (d, k) with which the level is reached at `KNOTS` times Kd, at each draw of `seen`."""
    draws = seen()
    response = _response(part, assay, draws)
    low = np.full((draws.height, KNOTS.size), LOWEST)
    high = np.full_like(low, HIGHEST)
    for count in ROUNDS:
        inner = np.arange(1, count) / count
        grid = low[..., None] + (high - low)[..., None] * inner
        above = response(grid) > 0.0
        reached = above.sum(axis=-1)  # the response falls with rho
        step = (high - low) / count
        low, high = low + step * reached, low + step * (reached + 1)
    return 0.5 * (low + high)


def _response(part: Part, assay: Assay, draws: pl.DataFrame) -> Callable[[Floats], Floats]:
    """What the culture shows less its level, (d, k, r) at log10 rho (d, k, r), at doses `KNOTS` times Kd."""
    cells = grow(part.model, Scenario.of(line=part.line))
    own = {name: draws[column].to_numpy() for name, column in part.shared.items() if name != "assay_days"}
    later = LPS if part.output == "tnf" else ()
    logged = part.output == "cells"
    output = "log_cells" if logged else part.output
    dose = own["kd_nm"][:, None] * 10.0**KNOTS

    def read(doses: Floats, log10_rho: Floats) -> Floats:
        shape = log10_rho.shape
        lanes = {
            name: np.broadcast_to(value.reshape(-1, *[1] * (len(shape) - 1)), shape).ravel()
            for name, value in own.items()
        }
        lanes["rho"] = 10.0 ** log10_rho.ravel()
        nm = np.broadcast_to(doses, shape).ravel()
        return cells.at(nm, assay.hours, [output], lanes, later=later)[output].reshape(shape)

    vehicle = read(np.zeros((draws.height, 1)), np.zeros((draws.height, 1)))
    if logged:
        fall = np.log(2.0) if assay.level == "half" else vehicle * (1.0 - np.log2(1.5))
        target = vehicle - fall
    else:
        target = HALF * vehicle

    def response(log10_rho: Floats) -> Floats:
        return np.asarray(read(dose[..., None], log10_rho) - target[..., None])

    return response
