"""Settings of experiments: checked once, with the same words everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glueprint.errors import InputError, NotSupportedError
from glueprint.mechanism.compounds import Compound

__all__ = ["NO_ERROR", "affinity", "amounts", "at_least", "concentration", "missing_number"]


# Concentrations (nM) and times (h) beyond these are slips of the pen, and overflow in the binding equations.
LOWEST, HIGHEST = 1e-9, 1e12

# Said where a simulation has no noise: its readings then carry no interval.
NO_ERROR = "no measurement error, so readings have no interval"


def amounts(name: str, values: Sequence[float], *, zero: bool) -> NDArray[np.float64]:
    """Doses or times: at least one, finite, distinct, ascending, above zero or (`zero`) not below it.

    Raises InputError GP-L002 naming the setting.
    """
    array = np.asarray(values, dtype=float).ravel()
    floor = array >= 0.0 if zero else array > 0.0
    if (
        array.size == 0
        or not (np.isfinite(array) & floor & (array <= HIGHEST)).all()
        or np.any(np.diff(array) <= 0.0)
    ):
        raise _refusal(
            name,
            list(values),
            f"ascending finite numbers, {'zero' if zero else 'above zero'} or more, at most {HIGHEST:g}",
        )
    return array


def at_least(name: str, value: float, least: float, *, above: bool = False, most: float = np.inf) -> float:
    """A finite setting not below `least` (or, `above`, greater than it) and not above `most`.

    Raises InputError GP-L002 naming the setting.
    """
    if not np.isfinite(value) or value < least or (above and value == least) or value > most:
        limit = f" and at most {most:g}" if np.isfinite(most) else ""
        raise _refusal(name, value, f"a finite number {'above' if above else 'of at least'} {least:g}{limit}")
    return float(value)


def concentration(name: str, value: float) -> float:
    """A concentration or constant in nM that the binding equations can hold. Raises InputError GP-L002."""
    return at_least(name, value, LOWEST, most=HIGHEST)


def affinity(compound: Compound, given: float | None, setting: str) -> tuple[float, tuple[str, ...], str]:
    """Affinity to cereblon, nM, its evidence and where it came from: the setting if given, else the compound.

    Raises NotSupportedError GP-L003 if neither has one.
    """
    if given is not None:
        return concentration(setting, given), (), f"{setting} = {given:g} was given"
    quantity = compound.pharmacology.kd_nm
    if quantity is None:
        raise missing_number(compound.name, "affinity to cereblon", setting)
    return (
        quantity.typical,
        quantity.evidence,
        f"Kd {quantity.typical:g} nM of {compound.name}: {quantity.why}",
    )


def missing_number(compound: str, what: str, setting: str) -> NotSupportedError:
    """The refusal to run without a number that the compound file does not give."""
    return NotSupportedError(
        "GP-L003",
        f"{compound} has no {what}, and none is made up",
        where=f"compound {compound}",
        expected=f"{what} in the compound file",
        next_step=f"give the setting {setting}, or add the number to a compound file of your own",
    )


def _refusal(name: str, value: object, expected: str) -> InputError:
    return InputError(
        "GP-L002",
        f"{name} = {value}",
        where=f"setting {name}",
        expected=expected,
        next_step="correct the setting; docs/experiments.md lists them with their defaults",
    )
