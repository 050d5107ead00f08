"""Which capacity of a cell gives a potency that is asked for: every potency is met by one number of its cell.

The sampler walks over potencies, which the claims hold tight, and not over capacities: near the plateau of an
insensitive line a capacity is held within one per cent by all others together, a ridge no walker can follow.
Kernels: arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint import references
from glueprint.experiments import LPS, Culture, forward, grow
from glueprint.mechanism import Scenario
from glueprint.references import InVitro

__all__ = ["ABOUT", "PARTS", "Part", "Solved", "solve"]

Floats = NDArray[np.float64]
HOURS_PER_DAY = 24.0
# Points a round: the bracket shrinks from 3.5 decades to 3.5/(7 x 7 x 5) = 0.014, inside it is interpolated.
ROUNDS = (8, 6, 4)
# Half-width of the central differences, decades; the engine's error of 1e-6 over it is far below the slopes.
STEP = 0.02


@dataclass(frozen=True)
class Part:
    """One potency: which claim prints it, which culture shows it and which parameter is solved for it.

    solved: engine name of the parameter.   low, high: log10 of it, where it is searched.   sign: +1 if the
    response falls with it, -1 if it rises.   shared: parameters of the culture by the fit's name of them.
    hours: of the read-out; None where the shared "assay_days" says it.
    """

    name: str
    claim_id: str
    model: str
    line: str | None
    output: str
    solved: str
    low: float
    high: float
    sign: float
    shared: Mapping[str, str]
    hours: float | None = None


MYELOMA = {
    name: name
    for name in (
        *("kd_nm", "kdeg_per_h", "hydrolysis_per_h", "irf4_per_h", "myc_per_h", "irf4_hill", "irf4_basal"),
        *("irf4_ikzf50", "irf4_feedback", "myc_irf450", "myc_hill", "death_delay_h", "death_per_h"),
    )
}


def _about() -> InVitro:
    found = references.default().in_vitro
    assert found is not None, "the default reference names the claims of the in-vitro fit"
    return found


# The claims that the fit reads, by what shows them.
ABOUT = _about()


def _line(name: str) -> Part:
    claim_id = ABOUT.potencies[name]
    shared = MYELOMA | {"doubling_h": f"{name}_doubling_h", "assay_days": "assay_days"}
    return Part(name, claim_id, "culture_myeloma", name, "cells", "rho", -0.5, 3.0, 1.0, shared)


MONOCYTE = ("tnf_mrna_per_h", "tnf_mrna_with_drug_per_h", "tnf_transcription_max", "tnf_per_h")
BOTH = ("kd_nm", "hydrolysis_per_h")
PARTS: tuple[Part, ...] = (
    _line("MM1S"),
    _line("RPMI8226"),
    _line("OPM2"),
    Part(
        name="monocyte",
        claim_id=ABOUT.potencies["monocyte"],
        model="culture_monocyte",
        line="monocyte",
        output="tnf",
        solved="rho",
        low=-0.5,
        high=3.0,
        sign=1.0,
        shared={name: name for name in (*BOTH, "kdeg_per_h", *MONOCYTE)},
        hours=forward.TNF_H,
    ),
    Part(
        name="treg",
        claim_id=ABOUT.potencies["treg"],
        model="culture_treg",
        line="t_cell",
        output="treg_proliferation",
        solved="treg_power_of_ligase",
        low=-1.2,
        high=1.2,
        sign=-1.0,
        shared={name: name for name in (*BOTH, "treg_per_h")},
        hours=forward.TREG_H,
    ),
)


@dataclass(frozen=True)
class Solved:
    """log10 of the parameter (n,), NaN where none gives the potency, and its slope over log10 potency."""

    log10_value: Floats
    slope: Floats


def solve(values: Mapping[str, Floats], log10_nm: Mapping[str, Floats]) -> dict[str, Solved]:
    """The parameter of each potency's cell with which the culture shows it.

    values: (n,) parameters by the fit's names, see `Part.shared`.   log10_nm: (n,) potencies by `Part.name`.
    Returns Solved by `Part.name`; parts of one model are run in one ensemble.
    Source: bisection by grids, then central differences of the response (implicit function theorem).
    """
    found: dict[str, Solved] = {}
    for model in dict.fromkeys(part.model for part in PARTS):
        parts = [part for part in PARTS if part.model == model]
        found |= _solve_model(parts, values, log10_nm)
    return found


def _solve_model(
    parts: list[Part], values: Mapping[str, Floats], log10_nm: Mapping[str, Floats]
) -> dict[str, Solved]:
    dose = np.concatenate([log10_nm[part.name] for part in parts])
    shared = {own: np.concatenate([values[part.shared[own]] for part in parts]) for own in parts[0].shared}
    response = _response(parts[0], shared)
    low = np.full(dose.size, parts[0].low)
    high = np.full(dose.size, parts[0].high)
    root, reached = _root(lambda at: response(np.repeat(dose[:, None], at.shape[1], axis=1), at), low, high,
                          parts[0].sign)  # fmt: skip
    # Slope of the solved parameter along the line of equal response.
    ahead = np.array([STEP, -STEP, 0.0, 0.0])
    across = np.array([0.0, 0.0, STEP, -STEP])
    near = response(dose[:, None] + ahead, np.where(reached, root, low)[:, None] + across)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = -(near[:, 0] - near[:, 1]) / (near[:, 2] - near[:, 3])
    at, by = np.split(np.where(reached, root, np.nan), len(parts)), np.split(slope, len(parts))
    return {part.name: Solved(at[k], by[k]) for k, part in enumerate(parts)}


def _response(part: Part, shared: Mapping[str, Floats]) -> Callable[[Floats, Floats], Floats]:
    """What the culture shows less what halves it, (n, k) at log10 doses and log10 parameters (n, k)."""
    cells: Culture = grow(part.model, Scenario.of(line=part.line))
    own = dict(shared)
    rows = own["kd_nm"].size
    hours = own.pop("assay_days") * HOURS_PER_DAY if part.hours is None else np.full(rows, part.hours)
    later = LPS if part.output == "tnf" else ()
    logged = part.output == "cells"
    output = "log_cells" if logged else part.output

    def read(dose_nm: Floats, log10_values: Floats) -> Floats:
        n, k = log10_values.shape
        lanes = {name: np.repeat(value, k) for name, value in own.items()}
        lanes[part.solved] = 10.0 ** log10_values.ravel()
        if part.output == "treg_proliferation":
            lanes["treg_max"] = np.ones(n * k)  # half of the largest effect, however large that is
        return cells.at(dose_nm.ravel(), np.repeat(hours, k), [output], lanes, later=later)[output].reshape(
            n, k
        )

    # Without drug the solved parameter is without effect, but for the tiny number that keeps powers finite.
    vehicle = read(np.zeros((hours.size, 1)), np.full((hours.size, 1), part.high))

    def response(log10_doses: Floats, log10_values: Floats) -> Floats:
        found = read(10.0**log10_doses, log10_values)
        return (found - vehicle) / np.log(2.0) + 1.0 if logged else found / vehicle - 0.5

    return response


def _root(
    response: Callable[[Floats], Floats], low: Floats, high: Floats, sign: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """Where sign x response falls through zero (n,), and whether it does between low and high."""
    rows = np.arange(low.size)
    ends = (np.zeros(low.size), np.zeros(low.size))
    reached = np.ones(low.size, dtype=np.bool_)
    for count in ROUNDS:
        first_round = count == ROUNDS[0]
        inner = np.arange(count) / (count - 1) if first_round else np.arange(1, count + 1) / (count + 1)
        grid = low[:, None] + (high - low)[:, None] * inner
        above = sign * response(grid)
        if not first_round:
            grid = np.concatenate([low[:, None], grid, high[:, None]], axis=1)
            above = np.concatenate([ends[0][:, None], above, ends[1][:, None]], axis=1)
        if first_round:
            reached = np.isfinite(above).all(axis=1) & (above[:, 0] > 0.0) & (above[:, -1] <= 0.0)
        right = np.clip(np.argmax(above <= 0.0, axis=1), 1, grid.shape[1] - 1)
        low, high = grid[rows, right - 1], grid[rows, right]
        ends = above[rows, right - 1], above[rows, right]
    fall = ends[0] - ends[1]
    share = np.divide(ends[0], fall, out=np.full(low.size, 0.5), where=fall != 0.0)
    return low + (high - low) * share, reached
