"""Complete curves whose last doses turn back: what a model that turns says of them."""

from __future__ import annotations

import numpy as np

from glueprint.curves.evidence import TURNING, f_test
from glueprint.curves.fitting import fit
from glueprint.curves.logistic import Floats
from glueprint.curves.result import Fits
from glueprint.curves.status import Status

__all__ = ["turned", "turning"]

# A return by less than this share of the range of the mean responses is not looked at.
RETURN = 0.15
LEAST_DOSES = 6


def turning(fits: Fits) -> tuple[str, ...]:
    """A note for every logistic curve that the model hook fits better.

    A logistic curve cannot turn back: its far plateau then lies between what the curve reached and where it
    returned to, and half way to that is no dose of the molecule.
    """
    if not fits.problem.logistic or fits.shared:
        return ()
    tested = {i: turned(fits, i) for i in np.flatnonzero(fits.status != Status.TURNS).tolist()}
    return tuple(
        (f"{fits.sets[i]}: the" if fits.sets[i] else "the")
        + f" response turns back at high doses: the model hook fits better (F test, p {p:.2g})"
        for i, p in tested.items()
        if p < TURNING
    )


def turned(fits: Fits, i: int) -> float:
    """p of the F test of the model hook over one logistic curve; NaN where its last doses do not return,
    or where responses are limits.

    Source: the bell is the logistic with one parameter more, docs/curves.md.
    """
    problem = fits.problem
    used = problem.weights[i] > 0.0
    if problem.between is not None and problem.between.held[i].any():
        return float("nan")
    dose, response = problem.given["dose"][i][used], problem.response[i][used]
    if not _returns(dose, response):
        return float("nan")
    bell = fit(
        "hook", dose, response, weights=problem.weights[i][used], fixed={"slope": None}, intervals=False
    )
    rss, extra = float(bell.rss[0]), fits.dof[i] - bell.dof[0]
    return float(f_test(fits.rss[i] - rss, extra, rss, bell.dof[0])[1])


def _returns(dose: Floats, response: Floats) -> bool:
    """Whether the mean response at the highest dose is nearer to that at the lowest than at one between."""
    doses, at = np.unique(dose, return_inverse=True)
    if doses.size < LEAST_DOSES:
        return False
    means: Floats = np.bincount(at, response) / np.bincount(at)
    far = int(np.argmax(np.abs(means - means[0])))
    back = (means[far] - means[-1]) * np.sign(means[far] - means[0])
    return bool(back > RETURN * np.ptp(means))
