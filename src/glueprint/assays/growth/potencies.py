"""Curves of growth to potencies: relative and absolute IC50, GI50 and GR50, with the error of the
controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glueprint import curves
from glueprint.assays import scatter
from glueprint.assays.controls import SharedError, widened
from glueprint.assays.growth import rates
from glueprint.assays.growth.reading import Culture
from glueprint.assays.growth.settings import Settings
from glueprint.curves import Fits, Potency

__all__ = ["DEFINITIONS", "Curves", "of_growth_rate", "of_viability", "viability_fits"]

Floats = NDArray[np.float64]
HALF = 0.5
# No fewer than no cells live; a GR value of -1 is a culture in which none does.
POSSIBLE, POSSIBLE_GR = (0.0, None), (-1.0, None)
DEFINITIONS = ("relative IC50", "absolute IC50", "GI50")
# Below this share no cells are left whose scatter could be told.
DEAD = 1e-3


@dataclass(frozen=True)
class Curves:
    """Fits of several cultures, one row each, and their potencies by definition (None where not
    defined)."""

    cultures: tuple[Culture, ...]
    fits: Fits
    potencies: dict[str, tuple[Potency | None, ...]]


def viability_fits(
    cultures: Sequence[Culture], settings: Settings, *, heavy: bool = False, intervals: bool = True
) -> Fits:
    """Viability against dose, with the scatter that grows with it.   heavy: as `scatter.fit` takes it."""
    dose, response = _batch(cultures, [one.viability for one in cultures])
    fixed = {
        name: value
        for name, value in (("front", settings.top), ("back", settings.bottom))
        if value is not None
    }
    return scatter.fit(
        dose,
        response,
        lambda mean: (np.maximum(mean, 0.0), np.ones_like(mean)),
        heavy=heavy,
        judge=lambda plain: _judged(plain, settings),
        intervals=intervals,
        model=settings.model,
        fixed=fixed,
        within=POSSIBLE,
        confidence=settings.confidence,
    ).fits


def of_viability(cultures: Sequence[Culture], settings: Settings) -> Curves:
    """Viability against dose: relative IC50, absolute IC50 (half of the control), GI50 (half of its
    growth).

    Source: GI50 after Monks et al. 1991, doi 10.1093/jnci/83.11.757: (x - x0)/(c - x0) = 0.5.
    """
    fits = viability_fits(cultures, settings)
    times = [one.time_h for one in cultures]
    control = _control(cultures, fits)
    absolute = curves.absolute(fits, HALF, "IC50", control=1.0, time_h=times)
    return Curves(
        tuple(cultures),
        fits,
        {
            "relative IC50": tuple(widened(curves.relative(fits, "IC50", time_h=times), fits, (control,))),
            "absolute IC50": tuple(widened(absolute, fits, (control,))),
            "GI50": _half_growth(cultures, fits, control),
        },
    )


def _half_growth(cultures: Sequence[Culture], fits: Fits, control: SharedError) -> tuple[Potency | None, ...]:
    """GI50s; None where time zero is unknown or not below the control."""
    start = np.array([np.nan if one.at_zero is None else one.at_zero for one in cultures])
    known = np.isfinite(start) & (start < 1.0)
    level = np.where(known, 0.5 * (1.0 + start), HALF)
    zero = np.where(known, start, 0.0)
    # The level (c + x0)/2 over c moves with time zero, and with the control beneath it.
    errors = (
        replace(control, level=-0.5 * zero),
        SharedError(zero * _zero_se(cultures), control.degrees, np.zeros_like(control.moves), 0.5),
    )
    times = [one.time_h for one in cultures]
    found = widened(curves.absolute(fits, level, "IC50", control=1.0, time_h=times), fits, errors)
    note = "GI50: half of the growth of the control since time zero"
    return tuple(
        replace(one, notes=(*one.notes, note)) if held else None
        for one, held in zip(found, known, strict=True)
    )


def of_growth_rate(cultures: Sequence[Culture], settings: Settings) -> Curves:
    """GR value against dose, GR 1 without drug: GR50 and GEC50.

    cultures: with divisions.   Source: Hafner et al. 2016, doi 10.1038/nmeth.3853.
    """
    divisions = np.array([one.divisions or np.nan for one in cultures])[:, None]
    values = [rates.gr_value(one.viability, n) for one, n in zip(cultures, divisions[:, 0], strict=True)]
    dose, response = _batch(cultures, values)

    def spread(mean: Floats) -> tuple[Floats, Floats]:
        # GR + 1 = 2 v^(1/N) of a viability v, so d GR / d v = (GR + 1)/(N v).
        share = np.maximum(0.5 * (mean + 1.0), DEAD)
        viability = np.maximum(share**divisions, rates.LEAST)
        return viability, 2.0 * share / (divisions * viability)

    fits = scatter.fit(
        dose, response, spread, fixed={"front": 1.0}, within=POSSIBLE_GR, confidence=settings.confidence
    ).fits
    times = [one.time_h for one in cultures]
    # D = ln(x/x0)/ln(c/x0) moves with ln c by -D/ln(c/x0), with ln x0 by (D - 1)/ln(c/x0); GR + 1 = 2^D.
    mean = np.nan_to_num(fits.predict(np.where(np.isfinite(dose), dose, 1.0)), nan=1.0)
    gone = np.log2(np.maximum(mean + 1.0, 2.0 * DEAD))
    per_gone = (mean + 1.0) / divisions
    treated = dose > 0.0
    control = replace(_control(cultures, fits), moves=np.where(treated, -per_gone * gone, 0.0), wells=None)
    zero = SharedError(_zero_se(cultures), control.degrees, np.where(treated, per_gone * (gone - 1.0), 0.0))
    errors = (control, zero)
    absolute = curves.absolute(fits, HALF, "GR50", control=1.0, time_h=times)
    return Curves(
        tuple(cultures),
        fits,
        {
            "GR50": tuple(widened(absolute, fits, errors)),
            "GEC50": tuple(widened(curves.relative(fits, "GR50", time_h=times), fits, errors)),
        },
    )


def _control(cultures: Sequence[Culture], fits: Fits) -> SharedError:
    """The error of the mean of the control, by which all wells were divided; none where it is not known."""
    known = np.array([np.isfinite(one.control_se) for one in cultures])[:, None]
    data = fits.problem
    mean = np.nan_to_num(np.where(data.weights > 0.0, fits.predict(10.0**data.log10_dose), 0.0))
    return SharedError(
        sd=np.array([one.control_se for one in cultures]),
        degrees=np.array([float(max(one.control_wells - 1, 1)) for one in cultures]),
        moves=np.where(known, -mean, 0.0),
        wells=np.where(known & np.isneginf(data.log10_dose), 1.0, 0.0),
    )


def _zero_se(cultures: Sequence[Culture]) -> Floats:
    return np.array([one.at_zero_se for one in cultures])


def _batch(cultures: Sequence[Culture], responses: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Doses and responses (n, m), short cultures filled with missing points."""
    longest = max(one.dose.size for one in cultures)
    dose, response = np.full((len(cultures), longest), np.nan), np.full((len(cultures), longest), np.nan)
    for i, (one, values) in enumerate(zip(cultures, responses, strict=True)):
        dose[i, : one.dose.size], response[i, : values.size] = one.dose, values
    return dose, response


def _judged(fits: Fits, settings: Settings) -> Fits:
    return curves.discover(fits).apply() if settings.effect == "discover" else fits
