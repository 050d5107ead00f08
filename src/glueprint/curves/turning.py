"""Complete curves whose last doses turn back: what a model that turns says of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from glueprint.curves.evidence import TURNING, f_test
from glueprint.curves.fitting import fit
from glueprint.curves.logistic import Floats
from glueprint.curves.result import Fits
from glueprint.curves.status import Status

__all__ = ["turning"]

# A return by less than this share of the range of the mean responses is not looked at.
RETURN = 0.15


def turning(fits: Fits) -> tuple[str, ...]:
    """A note for every logistic curve that the model hook fits better (F test).

    A logistic curve cannot turn back: its far plateau then lies between what the curve reached and where it
    returned to, and half way to that is no dose of the molecule.
    Source: the bell is the logistic with one parameter more, docs/curves.md.
    """
    if not fits.problem.logistic or fits.shared:
        return ()
    return tuple(
        _notes(fits, [i for i in np.flatnonzero(fits.status != Status.TURNS).tolist() if _returns(fits, i)])
    )


def _returns(fits: Fits, i: int) -> bool:
    """Whether the mean response at the highest dose is nearer to that at the lowest than at one between."""
    used = fits.problem.weights[i] > 0.0
    doses, at = np.unique(fits.problem.given["dose"][i][used], return_inverse=True)
    if doses.size < 6:
        return False
    means: Floats = np.bincount(at, fits.problem.response[i][used]) / np.bincount(at)
    far = int(np.argmax(np.abs(means - means[0])))
    turned = (means[far] - means[-1]) * np.sign(means[far] - means[0])
    return bool(turned > RETURN * np.ptp(means))


def _notes(fits: Fits, rows: list[int]) -> Iterator[str]:
    for i in rows:
        used = fits.problem.weights[i] > 0.0
        bell = fit(
            "hook",
            fits.problem.given["dose"][i][used],
            fits.problem.response[i][used],
            weights=fits.problem.weights[i][used],
            fixed={"slope": None},
            intervals=False,
        )
        rss, extra = float(bell.rss[0]), fits.dof[i] - bell.dof[0]
        p = float(f_test(fits.rss[i] - rss, extra, rss, bell.dof[0])[1])
        if p < TURNING:
            name = f"{fits.sets[i]}: the" if fits.sets[i] else "the"
            yield f"{name} response turns back at high doses: the model hook fits better (F test, p {p:.2g})"
