"""Whether numbers can be what their column says: scale, complement, direction, logarithms and limits of
nature.

Every function returns findings. One of severity "refusal" is a contradiction: its numbers are not fitted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from glueprint.assays.findings import Finding
from glueprint.assays.intake.headers import CONCENTRATIONS, unit_of
from glueprint.assays.intake.logarithms import base, counts, doses
from glueprint.assays.intake.responses import (
    RESPONSES,
    Response,
    Sense,
    levels_apart,
    losses,
    one_scale,
    replicates_apart,
    scale,
)
from glueprint.errors import InputError

__all__ = [
    "RESPONSES",
    "Response",
    "Sense",
    "base",
    "bound_anisotropy",
    "counts",
    "densities",
    "dilutions",
    "doses",
    "hours",
    "levels_apart",
    "losses",
    "one_scale",
    "polarization",
    "refused",
    "replicates_apart",
    "scale",
    "undiluted",
    "unusual_hours",
]

Floats = NDArray[np.float64]
HOURS, DOUBLING_H = 1000.0, (5.0, 1000.0)
# Cells that are counted are treated for longer, hardly beyond two weeks; a protein is not followed for
# longer, nor in steps of 5 h.
GROWTH_H, LANES_H, MINUTES, FEWEST_MINUTES = (12.0, 336.0), 96.0, 5.0, 15.0
# Lakowicz, Principles of Fluorescence Spectroscopy, 3rd ed., ch. 10: P is at most 0.5 and at least -1/3 with
# one
# photon in an isotropic solution; a dye that is excited to its first state does not read below 0.
MOST_MP, LEAST_MP = 500.0, -20.0
# Below this both controls would be free dye. Fully polarised light has r = 1; an active share of protein that
# is not known to a factor of two stays below it, a wrong unit does not.
LEAST_WINDOW_MP, MOST_ANISOTROPY = 10.0, 1.0
# No plate reader sees one photon in 10^6.
MOST_OD = 6.0
# A sample concentrated twofold has a factor of 0.5; one of a quarter and less is a share.
LEAST_FACTOR = 0.25


def hours(column: str, values: Sequence[float], where: str = "") -> list[Finding]:
    """Hours that no assay lasts, or in which no human cell divides: minutes or days."""
    known = [value for value in values if value > 0.0]
    low, high = DOUBLING_H if column == "doubling_time_h" else (0.0, HOURS)
    wrong = [value for value in known if not low <= value <= high]
    if not wrong:
        return []
    text = f"{wrong[0]:g} hours"
    expected = f"between {low:g} and {high:g} hours"
    place = ", ".join(part for part in (where, f'column "{column}"') if part)
    return [Finding("GP-A207", "refusal", text, place, expected, "convert minutes or days to hours")]


def unusual_hours(column: str, values: Sequence[float], *, lanes: bool) -> list[Finding]:
    """Warnings of hours that may be days (of cells) or minutes (of cells and of lanes of a blot)."""
    known = sorted({value for value in values if value > 0.0})
    fives = len(known) > 1 and all(value % MINUTES == 0.0 for value in known)
    minutes = known and (known[-1] > LANES_H or (fives and (len(known) > 2 or known[0] >= FEWEST_MINUTES)))
    days = known and known[-1] < GROWTH_H[0]
    if not lanes:
        minutes = known and known[-1] > GROWTH_H[1]
    if not (minutes or (days and not lanes)):
        return []
    text = (
        f"hours of {', '.join(f'{value:g}' for value in known[:4])} may be {'minutes' if minutes else 'days'}"
    )
    remedy = "convert them to hours if they are not"
    return [Finding("GP-A207", "warning", text, f'column "{column}"', "hours", remedy)]


def polarization(free: Floats, bound: Floats, *, stored: bool, where: str) -> list[Finding]:
    """Whether the controls of a polarisation assay can be: mP of tracer alone, and with protein.

    stored: the mP are the file's, not computed from channels.
    """
    named = {"tracer_only": free, "tracer_protein": bound}
    means = {name: float(values.mean()) for name, values in named.items() if values.size}
    said = " and ".join(f"{name} {value:.3g} mP" for name, value in means.items())
    if not means:
        return []
    expected = "between 0 and 500 mP, and higher with protein"
    if stored and max(abs(value) for value in means.values()) < LEAST_WINDOW_MP:
        shares = max(abs(value) for value in means.values()) < 1.0
        remedy = "mP are 1000 times P: multiply by 1000" if shares else "give the mP themselves"
        text = f"{said}: {'polarisations' if shares else 'logarithms'}, not mP"
        return [Finding("GP-A208", "refusal", text, where, expected, remedy)]
    falls = False
    if len(means) == 2:
        error = sum(float(v.var(ddof=1)) / v.size for v in named.values() if v.size > 1) ** 0.5
        falls = means["tracer_protein"] < means["tracer_only"] - max(3.0 * error, 5.0)
    if min(means.values()) < LEAST_MP:
        why = ", and lower with protein" if falls else ""
        remedy = "exchange the channels (--parallel, --perpendicular), or correct the G factor"
        text = f"{said}: below zero{why}: channels exchanged, or a wrong G factor"
        return [Finding("GP-A208", "refusal", text, where, expected, remedy)]
    if max(means.values()) > MOST_MP:
        remedy = "correct the G factor and the blank, and check the channels"
        return [
            Finding("GP-A208", "refusal", f"{said}: above what a solution can have", where, expected, remedy)
        ]
    if falls:
        remedy = "check which wells have protein, and which channel is parallel"
        text = f"{said}: protein lowers it: roles or channels exchanged"
        return [Finding("GP-A208", "refusal", text, where, expected, remedy)]
    return []


def bound_anisotropy(free: float, top: float, bound: float, where: str) -> list[Finding]:
    """A share of bound tracer so small that its anisotropy would be above what light can have.

    free, top: mean anisotropy without and with protein.   bound: share of tracer bound, by the concentrations
    stated.
    """
    needed = free + (top - free) / bound if bound > 0.0 else math.inf
    if needed <= MOST_ANISOTROPY:
        return []
    text = f"at {100.0 * bound:.3g} % bound tracer its anisotropy would be {needed:.3g}"
    remedy = "check the units of protein, tracer and tracer Kd: all are in nM"
    return [Finding("GP-A208", "warning", text, where, f"at most {MOST_ANISOTROPY:g}", remedy)]


def densities(unit: str, values: Floats, where: str) -> list[Finding]:
    """Optical densities that no reader can see: milli-OD, per cent of transmission, or another quantity."""
    if unit_of(unit) in CONCENTRATIONS.values():
        text = f"readings in {unit}: concentrations, not signals"
        remedy = "give what the reader measured; concentrations need no standard curve"
        return [Finding("GP-A209", "refusal", text, where, "optical densities or counts", remedy)]
    if unit != "OD" or not values.size or float(np.median(values)) <= MOST_OD:
        return []
    text = f"optical densities with a median of {float(np.median(values)):g}"
    remedy = "thousandths of OD are mOD; give the unit that was measured"
    return [Finding("GP-A209", "refusal", text, where, f"OD of at most {MOST_OD:g}", remedy)]


def dilutions(factors: Sequence[float]) -> list[Finding]:
    """Shares of the sample named as factors of dilution: all that are not 1 lie below it."""
    told = sorted({factor for factor in factors if factor != 1.0})
    if not told or told[-1] > 1.0 or told[0] > LEAST_FACTOR:
        return []
    remedy = f"{told[0]:g} as a share is the factor {1.0 / told[0]:g}"
    text = f"dilutions of {told[0]:g} to {told[-1]:g} look like shares"
    return [Finding("GP-A210", "refusal", text, 'column "dilution"', "factors of 1 and more", remedy)]


def undiluted(factors: Mapping[str, Sequence[float]]) -> list[Finding]:
    """A warning of samples without dilution, or of 1, beside others that all have one.

    factors: sample -> its dilutions.
    """
    plain = [name for name, own in factors.items() if set(own) == {1.0}]
    others = [own for name, own in factors.items() if name not in plain]
    if not plain or not others or any(1.0 in own for own in others):
        return []
    text = f"samples without dilution beside others of {min(map(min, others)):g}-fold and more: "
    remedy = "fill in their dilution; 1 is right for what was measured as it is"
    return [
        Finding(
            "GP-A210",
            "warning",
            text + ", ".join(plain[:6]),
            'column "dilution"',
            "a dilution of each",
            remedy,
        )
    ]


def refused(findings: Sequence[Finding]) -> None:
    """Raise the first refusal among findings as an InputError with its code; else nothing."""
    for one in findings:
        if one.severity == "refusal":
            raise InputError(
                one.code, one.message, where=one.where, expected=one.expected, next_step=one.next_step
            )
