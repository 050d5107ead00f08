"""Potencies and effects of the in-vitro assays for many parameter sets in one call, for calibration.

Every function takes parameters by engine name, scalar or (n,), in place of those of the scenario (the usual
compound and cells if None), and returns (n,). Short names: `rho`, `binds` and `kdeg_per_h` set IKZF1 and
IKZF3 together. There is no measurement error: results are exact up to the solver and smooth. A potency is
log10 of nM; +inf where the level is reached at no dose up to 10 mM, -inf where it is passed at every dose,
NaN where a lane failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.experiments.cultures import LPS, Culture, Later, grow
from glueprint.experiments.settings import missing_numbers
from glueprint.mechanism import Scenario, binding

__all__ = [
    "TNF_H",
    "TREG_H",
    "crossing",
    "degradation",
    "effect",
    "fp_competition",
    "half",
    "in_system",
    "proliferation",
    "tnf_alpha",
    "treg",
]

Floats = NDArray[np.float64]
Parameters = Mapping[str, ArrayLike]
# Decades of dose that are searched, log10 nM.
LOWEST, HIGHEST = -4.0, 7.0
# Points a round and rounds: the last bracket is 11/9^4 = 0.0017 decades wide, and inside it is interpolated.
POINTS, ROUNDS = 8, 4
HOURS_PER_DAY = 24.0
# Guide 1, TNF-alpha assay: 1 to 2 h with drug, then 18 to 24 h with LPS.
TNF_H = 24.0
# A usual time; the source of the potency states none.
TREG_H = 72.0
SYSTEMS = ("PBMC", "whole blood")


def fp_competition(parameters: Parameters) -> Floats:
    """log10 of the total competitor, nM, that halves the bound tracer, all three species depleted.

    parameters: ki_nm (or kd_nm), protein_nm, tracer_nm, tracer_kd_nm.
    Source: the exact mass balance solved at half of the tracer, own derivation, docs/experiments.md.
    """
    ki = _floats(parameters["ki_nm" if "ki_nm" in parameters else "kd_nm"])
    protein, tracer, tracer_kd = (
        _floats(parameters[name]) for name in ("protein_nm", "tracer_nm", "tracer_kd_nm")
    )
    half = 0.5 * binding.binary_complex(protein, tracer, tracer_kd)
    free = half * tracer_kd / (tracer - half)
    return np.atleast_1d(np.log10((protein - free - half) * (1.0 + ki / free)))


def tnf_alpha(parameters: Parameters, scenario: Scenario | None = None, *, system: str = "PBMC") -> Floats:
    """log10 of the total dose, nM, that halves TNF-alpha; system: "PBMC" or "whole blood".

    In blood only the share `unbound` acts, the compound's fraction unbound unless it is given; nothing else
    differs. Raises NotSupportedError GP-L003 where the compound has none.
    """
    cells = grow("culture_monocyte", scenario or Scenario.of())
    return half(cells, in_system(cells, system, parameters), "tnf", TNF_H, later=LPS)


def in_system(cells: Culture, system: str, values: Parameters) -> dict[str, ArrayLike]:
    """Parameters of monocytes in medium ("PBMC") or in "whole blood", where the free fraction acts."""
    if system == SYSTEMS[0] or "unbound" in values:
        return dict(values)
    fraction = cells.glue.pharmacology.fraction_unbound
    if fraction is None:
        raise missing_numbers(cells.glue.name, ["fraction_unbound"])
    return {**values, "unbound": fraction.typical}


def proliferation(parameters: Parameters, scenario: Scenario | None = None) -> Floats:
    """log10 of the dose, nM, that leaves half of vehicle's cells on the line's assay day (`assay_days`)."""
    cells, own = grow("culture_myeloma", scenario or Scenario.of()), dict(parameters)
    usual = cells.line.assay_days.typical if cells.line and cells.line.assay_days else 5.0
    days = _floats(own.pop("assay_days", usual))
    return half(cells, own, "cells", days * HOURS_PER_DAY)


def treg(parameters: Parameters, scenario: Scenario | None = None) -> Floats:
    """log10 of the dose, nM, with half of the largest inhibition of Treg proliferation on day 3."""
    cells = grow("culture_treg", scenario or Scenario.of())
    most = _floats(parameters.get("treg_max", cells.typical("treg_max")))
    return half(cells, parameters, "treg_proliferation", TREG_H, level=1.0 - 0.5 * most)


def degradation(
    parameters: Parameters,
    scenario: Scenario | None = None,
    *,
    target: str = "ikzf1",
    time_h: float = 24.0,
) -> Floats:
    """log10 of the absolute DC50, nM: half of a substrate ("ikzf1", "ikzf3") is gone at `time_h`."""
    return half(grow("culture_myeloma", scenario or Scenario.of()), parameters, target, time_h)


def effect(
    model: str,
    output: str,
    parameters: Parameters,
    scenario: Scenario | None = None,
    *,
    dose_nm: ArrayLike,
    time_h: ArrayLike,
) -> Floats:
    """One quantity of a culture at a dose and time, over that of its vehicle.

    model, output: such as ("culture_myeloma", "ikzf1"), ("culture_t_cell", "il2"),
    ("culture_nk", "nk_lysis"), ("culture_monocyte", "tnf"), ("culture_treg",
    "treg_proliferation").   dose_nm: scalar or (n,).
    """
    cells = grow(model, scenario or Scenario.of())
    later = LPS if model == "culture_monocyte" else ()
    count = max(_count(parameters), np.size(dose_nm))
    vehicle = cells.at(np.zeros(count), time_h, [output], parameters, later=later)[output]
    doses = np.broadcast_to(_floats(dose_nm), (count,))
    return cells.at(doses, time_h, [output], parameters, later=later)[output] / vehicle


def crossing(response: Callable[[Floats], Floats], level: ArrayLike, count: int) -> Floats:
    """log10 dose (n,) at which a falling response meets its level, by repeated division of the bracket.

    response: (n, k) log10 doses to (n, k).   level: scalar or (n,).
    """
    target = np.broadcast_to(_floats(level), (count,))[:, None]
    low, high = np.full(count, LOWEST), np.full(count, HIGHEST)
    rows = np.arange(count)
    limits = np.zeros(count)
    for this in range(ROUNDS):
        grid = np.linspace(low, high, POINTS + 2, axis=1)
        above = response(grid) - target
        failed = np.isnan(above).any(axis=1)
        # The first point at or below the level ends the bracket.
        first = np.argmax(above <= 0.0, axis=1)
        never, always = ~(above <= 0.0).any(axis=1), above[:, 0] <= 0.0
        right = np.where(never, POINTS + 1, np.maximum(first, 1))
        low, high = grid[rows, right - 1], grid[rows, right]
        ends = above[rows, right - 1], above[rows, right]
        if this == 0:
            limits = np.select([failed, never, always], [np.nan, np.inf, -np.inf], 0.0)
    share = np.divide(ends[0], ends[0] - ends[1], out=np.full(count, 0.5), where=ends[0] != ends[1])
    return np.where(limits == 0.0, low + (high - low) * share, limits)


def half(
    cells: Culture,
    parameters: Parameters,
    output: str,
    hours: ArrayLike,
    *,
    level: ArrayLike = 0.5,
    later: Later = (),
) -> Floats:
    """log10 dose (n,), nM, at which an output ("cells" is their number) falls to `level` of vehicle's."""
    count = max(_count(parameters), np.size(hours))
    logged = output == "cells"
    name = "log_cells" if logged else output

    def lanes(value: ArrayLike, width: int) -> Floats:
        return np.repeat(np.broadcast_to(_floats(value), (count,)), width)

    def read(doses: Floats, width: int) -> Floats:
        values = {key: lanes(value, width) for key, value in parameters.items()}
        return cells.at(doses, lanes(hours, width), [name], values, later=later)[name].reshape(count, width)

    vehicle = read(np.zeros(count), 1)

    def response(log10_doses: Floats) -> Floats:
        found = read((10.0**log10_doses).ravel(), log10_doses.shape[1])
        return np.exp(found - vehicle) if logged else found / vehicle

    return crossing(response, level, count)


def _count(parameters: Parameters) -> int:
    return max((np.size(value) for value in parameters.values()), default=1)


def _floats(value: ArrayLike) -> Floats:
    return np.asarray(value, dtype=np.float64)
