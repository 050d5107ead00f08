"""Lanes that the rest of their experiment contradicts, by the turnover model or a logistic of their time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from glueprint import curves
from glueprint.assays.degradation import joint
from glueprint.assays.degradation.joint import Joint
from glueprint.assays.degradation.likelihood import Floats
from glueprint.assays.degradation.reading import Lanes
from glueprint.assays.degradation.settings import Settings
from glueprint.assays.findings import Finding
from glueprint.assays.quality import logistics, verdicts
from glueprint.assays.quality.outliers import Readings, worst_of

__all__ = ["suspects"]

# A logistic of one time needs this many readings to judge any of them.
LEAST = 8


def suspects(
    fits: Sequence[Joint], apart: Sequence[Lanes], settings: Settings
) -> tuple[pl.DataFrame, list[Finding]]:
    """The table `suspects` of an analysis and its findings; readings below detection are not judged.

    fits: experiments fitted over dose and time.   apart: those fitted at each time.
    """
    fits = [_scaled(fit, settings) for fit in fits]
    times = [(one, time_h) for one in apart for time_h in _times(one)]

    def fitted(i: int, without: frozenset[str]) -> Readings:
        if i < len(fits):
            return _jointly(fits[i], without, settings)
        return _at_time(*times[i - len(fits)], without)

    return verdicts.judged(len(fits) + len(times), fitted, unit="nM", what="lane")


def _scaled(fit: Joint, settings: Settings) -> Joint:
    """The fit with proportional errors, if these are the likelier ones but for one reading.

    One bad reading may make constant errors the likelier, and then hides behind them.
    """
    if fit.sample.logarithm or settings.error != "auto" or (fit.lanes.fraction <= 0.0).any():
        return fit
    log = joint.fit(fit.lanes, settings, logarithm=True)
    worst = worst_of(_jointly(log, frozenset(), settings))
    if worst is None:
        return fit
    rest = _part(fit.lanes, np.array([name not in worst.where for name in fit.lanes.names]))
    return log if joint.can(rest) and joint.likelier(rest) > 0.0 else fit


def _times(one: Lanes) -> list[float]:
    known = one.side == 0
    return [
        time_h
        for time_h in one.times_h.tolist()
        if (known & ((one.time_h == time_h) | (one.dose_nm == 0.0))).sum() >= LEAST
    ]


def _jointly(fit: Joint, without: frozenset[str], settings: Settings) -> Readings:
    if without:
        kept = np.array([name not in without for name in fit.lanes.names])
        fit = joint.fit(_part(fit.lanes, kept), settings, logarithm=fit.sample.logarithm)
    sample, known = fit.sample, fit.lanes.side == 0
    mean, slopes = (part[0] for part in sample.curve(fit.fit.theta[None]))
    return Readings(
        name=fit.lanes.name,
        where=tuple(name for name, here in zip(fit.lanes.names, known, strict=True) if here),
        level=fit.lanes.dose_nm[known],
        value=sample.y[known],
        fitted=mean[known],
        jacobian=slopes[known][:, sample.free],
        weights=np.ones(int(known.sum())),
        aside=np.zeros(int(known.sum()), dtype=bool),
        log=sample.logarithm,
        groups=False,
    )


def _at_time(one: Lanes, time_h: float, without: frozenset[str]) -> Readings:
    vehicle = one.dose_nm == 0.0
    here = (one.time_h == time_h) & (one.side == 0)
    here |= vehicle & (one.side == 0) & ~(here & vehicle).any()
    kept = here & np.array([name not in without for name in one.names])
    dose: Floats = one.dose_nm[kept]
    model = "4pl" if np.unique(dose).size >= LEAST else "3pl"
    fits = curves.fit(model, dose, one.fraction[kept], within=(0.0, None), intervals=False)
    names = [name for name, mine in zip(one.names, kept, strict=True) if mine]
    return replace(
        logistics.of_logistics(fits, [f"{one.name} at {time_h:g} h".strip()], [names])[0], groups=False
    )


def _part(one: Lanes, kept: np.ndarray) -> Lanes:
    arrays = {
        name: getattr(one, name)[kept] for name in ("dose_nm", "time_h", "fraction", "side", "membrane")
    }
    names = tuple(name for name, here in zip(one.names, kept, strict=True) if here)
    return replace(one, **arrays, names=names)
