"""Curves of growth to potencies: relative and absolute IC50, GI50 and GR50, with the error of the
controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from glueprint import curves
from glueprint.assays.growth import rates
from glueprint.assays.growth.reading import Culture
from glueprint.assays.growth.settings import Settings
from glueprint.curves import Fits, Potency

__all__ = ["DEFINITIONS", "GR_DEFINITIONS", "Curves", "of_growth_rate", "of_viability"]

Floats = NDArray[np.float64]
HALF = 0.5
DEFINITIONS = ("relative IC50", "absolute IC50", "GI50")
GR_DEFINITIONS = ("GR50", "GEC50")
STEP = 1e-4


@dataclass(frozen=True)
class Curves:
    """Fits of several cultures, one row each, and their potencies by definition (None where not
    defined)."""

    cultures: tuple[Culture, ...]
    fits: Fits
    potencies: dict[str, tuple[Potency | None, ...]]


def of_viability(cultures: Sequence[Culture], settings: Settings) -> Curves:
    """Viability against dose: relative IC50, absolute IC50 (half of the control), GI50 (half of its
    growth).

    Source: GI50 after Monks et al. 1991, doi 10.1093/jnci/83.11.757: (x - x0)/(c - x0) = 0.5.
    """
    dose, response = _batch(cultures, [one.viability for one in cultures])
    fixed = {
        name: value
        for name, value in (("front", settings.top), ("back", settings.bottom))
        if value is not None
    }
    fits = curves.fit(dose, response, model=settings.model, fixed=fixed, confidence=settings.confidence)
    fits = _judged(fits, settings)
    times = [one.time_h for one in cultures]
    absolute = curves.absolute(fits, HALF, "IC50", control=1.0, time_h=times)
    error = np.array([HALF * one.control_se for one in cultures])
    degrees = np.array([max(one.control_wells - 1, 1) for one in cultures])
    start = np.array([np.nan if one.at_zero is None else one.at_zero for one in cultures])
    known = np.isfinite(start) & (start < 1.0)
    level = np.where(known, 0.5 * (1.0 + start), HALF)
    half_growth = curves.absolute(fits, level, "IC50", control=1.0, time_h=times)
    # The level (c + x0)/2 over c moves with the control and with time zero.
    growth_error = np.array(
        [0.5 * np.hypot(one.control_se, (one.at_zero or 0.0) * one.at_zero_se) for one in cultures]
    )
    return Curves(
        tuple(cultures),
        fits,
        {
            "relative IC50": curves.relative(fits, "IC50", time_h=times),
            "absolute IC50": tuple(widened(absolute, fits, error, degrees)),
            "GI50": tuple(
                replace(
                    found, notes=(*found.notes, "GI50: half of the growth of the control since time zero")
                )
                if held
                else None
                for found, held in zip(widened(half_growth, fits, growth_error, degrees), known, strict=True)
            ),
        },
    )


def of_growth_rate(cultures: Sequence[Culture], settings: Settings) -> Curves:
    """GR value against dose, GR 1 without drug: GR50 and GEC50.

    cultures: with divisions.   Source: Hafner et al. 2016, doi 10.1038/nmeth.3853.
    """
    divisions = [one.divisions or np.nan for one in cultures]
    values = [rates.gr_value(one.viability, n) for one, n in zip(cultures, divisions, strict=True)]
    dose, response = _batch(cultures, values)
    fits = curves.fit(dose, response, fixed={"front": 1.0}, confidence=settings.confidence)
    times = [one.time_h for one in cultures]
    found = curves.absolute(fits, HALF, "GR50", control=1.0, time_h=times)
    # At GR 0.5 the cells went through log2(1.5) of each division of the control: d GR = 1.5 ln2 dD, and
    # D = ln(x/x0)/ln(c/x0) moves with ln c by -D/ln(c/x0), with ln x0 by (D - 1)/ln(c/x0).
    gone = np.log2(1.0 + HALF)
    spread = np.array([np.hypot(gone * one.control_se, (1.0 - gone) * one.at_zero_se) for one in cultures])
    error = (1.0 + HALF) * spread / np.array(divisions)
    degrees = np.array([max(one.control_wells - 1, 1) for one in cultures])
    return Curves(
        tuple(cultures),
        fits,
        {
            "GR50": tuple(widened(found, fits, error, degrees)),
            "GEC50": curves.relative(fits, "GR50", time_h=times),
        },
    )


def widened(found: Sequence[Potency], fits: Fits, level_sd: Floats, degrees: Floats) -> list[Potency]:
    """Absolute potencies with the error of their level: each bound moves out by the root of the sum of
    squares.

    level_sd: (n,) standard error of the level; NaN adds nothing.   degrees: (n,) of freedom behind it.
    Source: own derivation, docs/growth.md.
    """
    value = np.array([np.nan if one.value_nm is None else one.value_nm for one in found])
    around = value[:, None] * 10.0 ** np.array([-STEP, STEP])
    rows = fits.predict(np.where(np.isfinite(around), around, 1.0))
    per_decade = np.abs(rows[:, 1] - rows[:, 0]) / (2.0 * STEP)
    out = []
    for i, one in enumerate(found):
        error = float(level_sd[i] / per_decade[i]) if per_decade[i] > 0.0 else np.nan
        if one.relation != "=" or one.value_nm is None or not np.isfinite(error):
            out.append(one)
            continue
        centre = float(np.log10(one.value_nm))
        reach = float(student.ppf(0.5 + 0.5 * one.confidence, degrees[i])) * error
        low, high = (
            None
            if bound is None
            else float(10.0 ** (centre + sign * np.hypot(np.log10(bound) - centre, reach)))
            for bound, sign in ((one.low_nm, -1.0), (one.high_nm, 1.0))
        )
        wider = None if one.log10_se is None else float(np.hypot(one.log10_se, error))
        out.append(replace(one, low_nm=low, high_nm=high, log10_se=wider))
    return out


def _batch(cultures: Sequence[Culture], responses: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Doses and responses (n, m), short cultures filled with missing points."""
    longest = max(one.dose.size for one in cultures)
    dose, response = np.full((len(cultures), longest), np.nan), np.full((len(cultures), longest), np.nan)
    for i, (one, values) in enumerate(zip(cultures, responses, strict=True)):
        dose[i, : one.dose.size], response[i, : values.size] = one.dose, values
    return dose, response


def _judged(fits: Fits, settings: Settings) -> Fits:
    return curves.discover(fits).apply() if settings.effect == "discover" else fits
