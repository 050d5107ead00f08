"""Numbers that replace those of the files for one run: typical values, and variances between patients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from glueprint.errors import InputError, nearest
from glueprint.mechanism.quantities import LogitNormalPrior, Quantity

__all__ = ["VARIANCE", "overridden"]

# "omega2.growth_per_d" is the variance between patients of "growth_per_d".
VARIANCE = "omega2."
Known = Mapping[str, tuple[str, Quantity]]


def overridden(known: Known, overrides: Mapping[str, float] | None) -> dict[str, tuple[str, Quantity]]:
    """Quantities with typical values and variances replaced; all else of them stays.

    known: name -> (section, quantity).   overrides: name -> typical value in the unit of the table, or
    "omega2." and a name -> variance between patients, above 0.
    Raises InputError GP-M050 for a name that the model does not have, GP-M051 for a value it cannot have.
    """
    found = dict(known)
    for name, value in (overrides or {}).items():
        target = name.removeprefix(VARIANCE)
        section, quantity = _target(name, known)
        field = "typical" if target == name else "omega2"
        _check(name, float(value), quantity, field)
        found[target] = (section, found[target][1].model_copy(update={field: float(value)}))
    return found


def _target(name: str, known: Known) -> tuple[str, Quantity]:
    """The quantity that an override speaks of."""
    free = dict(known)
    free |= {f"{VARIANCE}{word}": pair for word, pair in free.items() if pair[1].variability != "none"}
    if name in free:
        return free[name]
    raise InputError(
        "GP-M050",
        f'"{name}" is no parameter of the trial model that can be replaced{nearest(name, free)}',
        where=f"overrides, {name}",
        expected="a name of parameters.table(), or omega2.NAME of one that varies between patients; "
        "baselines belong to the case-mix",
        next_step="correct or leave out the name; another structure of the tumour has other names",
    )


def _check(name: str, value: float, quantity: Quantity, field: str) -> None:
    share = field == "typical" and (
        quantity.variability == "logit" or isinstance(quantity.prior, LogitNormalPrior)
    )
    lowest_allowed = field == "typical" and not share
    if np.isfinite(value) and (value > 0 or (lowest_allowed and value == 0)) and not (share and value >= 1):
        return
    raise InputError(
        "GP-M051",
        f'"{name}" cannot be {value:g}',
        where=f"overrides, {name}",
        expected="a share between 0 and 1"
        if share
        else f"a finite number {'of zero or more' if lowest_allowed else 'above zero'}",
        next_step="correct the value",
    )
