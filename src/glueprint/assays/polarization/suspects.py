"""Wells and doses of a competition plate that the rest of their curve contradicts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from glueprint import curves
from glueprint.assays.findings import Finding
from glueprint.assays.polarization import competition, model
from glueprint.assays.polarization.competition import Curves, Floats
from glueprint.assays.polarization.penalised import Estimates, widths
from glueprint.assays.polarization.plates import Contents
from glueprint.assays.quality import logistics, verdicts
from glueprint.assays.quality.outliers import Readings

__all__ = ["suspects"]


def suspects(
    plate: Contents,
    compounds: Mapping[str, pl.DataFrame],
    points: tuple[Floats, Floats],
    exact: tuple[Curves, Estimates] | None,
) -> tuple[pl.DataFrame, list[Finding]]:
    """The table `suspects` of a plate and its findings.

    compounds: sample -> wells, as fitted.   points: doses and anisotropies (n, m), controls first.
    exact: the curves and their fit by the exact model; None: a logistic of the doses, without free tracer.
    """
    controls = [*plate.free["well"], *plate.top["well"]]
    names = [[*controls, *wells["well"]] for wells in compounds.values()]
    where = [[f"{plate.plate}:{well}" if plate.plate else well for well in mine] for mine in names]
    samples = list(compounds)

    def fitted(i: int, without: frozenset[str]) -> Readings:
        kept = np.array([j for j, place in enumerate(where[i]) if place not in without])
        places = tuple(where[i][j] for j in kept)
        dose, response = points[0][i, kept], points[1][i, kept]
        if exact is None:
            lit = np.isfinite(dose)
            fits = curves.fit("4pl", dose[lit], response[lit], intervals=False)
            mine = [place for place, here in zip(places, lit, strict=True) if here]
            return logistics.of_logistics(fits, [samples[i]], [mine])[0]
        given, found = exact
        one = Curves(dose[None], response[None], given.stated[i : i + 1], given.stated_sd[i : i + 1])
        if without:
            return _readings(samples[i], places, one, (competition.fit(one), 0))
        return _readings(samples[i], places, one, (found, i))

    return verdicts.judged(len(samples), fitted, unit="nM")


def _readings(name: str, where: tuple[str, ...], one: Curves, fit: tuple[Estimates, int]) -> Readings:
    """The wells of one compound, and what is stated about its concentrations as further readings."""
    found, i = fit
    theta = found.theta[i]
    mean, slopes = model.anisotropy(theta[None], one.dose)
    stated, width = one.stated[0], widths(one.stated_sd)[0]
    known = np.zeros((stated.size, theta.size))
    known[:, theta.size - stated.size :] = np.eye(stated.size)
    count = one.dose.shape[1]
    return Readings(
        name=name,
        where=(*where, *[""] * stated.size),
        # Tracer alone has no dose; below zero it is no group of its own.
        level=np.append(np.where(np.isfinite(one.dose[0]), one.dose[0], -1.0), np.full(stated.size, np.nan)),
        value=np.append(one.anisotropy[0], stated),
        fitted=np.append(mean[0], theta[theta.size - stated.size :]),
        jacobian=np.concatenate([slopes[0], known]),
        weights=np.append(np.ones(count), (found.noise_sd[i] / width) ** 2),
        aside=np.zeros(count + stated.size, dtype=bool),
    )
