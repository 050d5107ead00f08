"""Settings of experiments: checked once, with the same words everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.errors import InputError, NotSupportedError, nearest
from glueprint.mechanism import Compound, Quantity, compounds

__all__ = [
    "NO_ERROR",
    "Setting",
    "amounts",
    "at_least",
    "chosen",
    "concentration",
    "error_said",
    "missing_numbers",
    "prepared",
    "whole",
]


# Concentrations (nM) and times (h) beyond these are slips of the pen, and overflow in the binding equations.
LOWEST, HIGHEST = 1e-9, 1e12
# Measurement error beyond this is no assay.
MOST_NOISE_PERCENT = 100.0

# Said where a simulation has no noise: its readings then carry no interval.
NO_ERROR = "no measurement error, so readings have no interval"
# What a compound can lack -> (what it is called, the setting that stands in for it).
STAND_INS: Mapping[str, tuple[str, str]] = {
    "kd_nm": ("affinity to cereblon (pharmacology.kd_nm)", "kd_nm"),
    "IKZF1": ("efficacy on IKZF1 (pharmacology.efficacy.IKZF1)", "rho"),
    "IKZF3": ("efficacy on IKZF3 (pharmacology.efficacy.IKZF3)", "rho"),
    "fraction_unbound": ("fraction unbound (pharmacology.fraction_unbound)", "fraction_unbound"),
}


def _as_it_is(_: str, value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Setting:
    """A setting of an experiment: its default, and the check that a value passes.

    check: name and value to the checked value; raises InputError GP-L002.   A default of None says that the
    setting may be left out, and needs no check.
    """

    default: Any
    check: Callable[[str, Any], Any] = _as_it_is

    def checked(self, name: str, given: Mapping[str, Any]) -> Any:
        """The value that was given by this name, or the default."""
        value = given.get(name, self.default)
        return None if value is None and self.default is None else self.check(name, value)


def amounts(
    name: str, values: Sequence[float], *, zero: bool = False, most: float = HIGHEST
) -> NDArray[np.float64]:
    """Doses or times: at least one, finite, distinct, ascending, above zero or (`zero`) not below it.

    Raises InputError GP-L002 naming the setting.
    """
    try:
        array = np.asarray(values, dtype=float).ravel()
    except (TypeError, ValueError):
        array = np.zeros(0)
    floor = array >= 0.0 if zero else array > 0.0
    if (
        array.size == 0
        or not (np.isfinite(array) & floor & (array <= most)).all()
        or np.any(np.diff(array) <= 0.0)
    ):
        limits = f"{'of at least' if zero else 'above'} 0 and at most {most:g}"
        raise refusal(name, values, f"finite numbers in ascending order, each {limits}")
    return array


def at_least(name: str, value: float, least: float, *, above: bool = False, most: float = np.inf) -> float:
    """A finite setting not below `least` (or, `above`, greater than it) and not above `most`.

    Raises InputError GP-L002 naming the setting.
    """
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else np.nan
    if not np.isfinite(number) or number < least or (above and number == least) or number > most:
        limit = f" and at most {most:g}" if np.isfinite(most) else ""
        raise refusal(name, value, f"a finite number {'above' if above else 'of at least'} {least:g}{limit}")
    return float(number)


def whole(name: str, value: float, least: int, *, most: float = np.inf) -> int:
    """A whole number within its limits; half a well is no well. Raises InputError GP-L002."""
    number = at_least(name, value, least, most=most)
    if number != int(number):
        raise refusal(name, value, f"a whole number of at least {least}")
    return int(number)


def concentration(name: str, value: float) -> float:
    """A concentration or constant in nM that the binding equations can hold. Raises InputError GP-L002."""
    return at_least(name, value, LOWEST, most=HIGHEST)


def chosen(name: str, value: str, allowed: Sequence[str]) -> str:
    """A setting that is one of a few words. Raises InputError GP-L002 with the nearest."""
    if value not in allowed:
        raise refusal(name, f"{value}{nearest(str(value), allowed)}", "one of " + ", ".join(allowed))
    return value


def prepared(
    compound: str | Path | Compound,
    needs: Sequence[str],
    *,
    kd_nm: float | None = None,
    rho: float | None = None,
    fraction_unbound: float | None = None,
) -> tuple[Compound, tuple[str, ...]]:
    """A compound with all that an experiment needs of it, and what was said in place of its file.

    needs: of `STAND_INS`.   kd_nm, rho, fraction_unbound: settings that win over the file.
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 that lists all that is missing, and
    what `compounds.load` raises.
    """
    glue = compound if isinstance(compound, Compound) else compounds.load(compound)
    given: dict[str, float] = {}
    if kd_nm is not None:
        given["kd_nm"] = concentration("kd_nm", kd_nm)
    if rho is not None:
        given["rho"] = at_least("rho", rho, 0.0, most=HIGHEST)
    if fraction_unbound is not None:
        given["fraction_unbound"] = at_least("fraction_unbound", fraction_unbound, 0.0, above=True, most=1.0)
    own = glue.pharmacology
    known: dict[str, object] = {"kd_nm": own.kd_nm, "fraction_unbound": own.fraction_unbound}
    for substrate in ("IKZF1", "IKZF3"):
        known[substrate] = substrate in own.efficacy or f"{substrate.lower()}_myeloma" in own.rho
    missing = [name for name in needs if not known[name] and STAND_INS[name][1] not in given]
    if missing:
        raise missing_numbers(glue.name, missing)
    said = tuple(f"{name} = {value:g} was given" for name, value in given.items())
    if "kd_nm" not in given and own.kd_nm is not None and "kd_nm" in needs:
        said = (f"Kd {own.kd_nm.typical:g} nM of {glue.name}: {own.kd_nm.why}", *said)
    return _with(glue, given), said


def _with(glue: Compound, given: Mapping[str, float]) -> Compound:
    """The compound with what was given; rho goes to the cells, and here only makes an efficacy known."""
    own = glue.pharmacology
    update: dict[str, object] = {
        name: _stated(value, "nM" if name == "kd_nm" else "dimensionless", f"setting {name}")
        for name, value in given.items()
        if name != "rho"
    }
    if "kd_nm" in given:
        # A Kd that is given is that of the racemate-like mixture in the well, whatever the file's form.
        update["form"] = own.form
    if "rho" in given:
        # The number of the cells is replaced; what follows rests on the setting and no longer on the file.
        one, why = _stated(1.0, "dimensionless", "1"), "rho was given as a setting"
        update["efficacy"] = {
            **own.efficacy,
            **{
                name: own.efficacy.get(name, one).model_copy(update={"role": "assumed", "why": why})
                for name in ("IKZF1", "IKZF3")
            },
        }
    return glue.model_copy(update={"pharmacology": own.model_copy(update=update)}) if update else glue


def _stated(value: float, unit: str, why: str) -> Quantity:
    return Quantity(typical=value, unit=unit, role="assumed", why=why)


def error_said(noise_percent: float, replicates: int) -> str:
    """The measurement error in words."""
    if noise_percent == 0.0:
        return NO_ERROR
    return f"measurement error {noise_percent:g} % (lognormal), {replicates} well(s) per condition"


def missing_numbers(compound: str, missing: Sequence[str]) -> NotSupportedError:
    """The refusal to run without numbers that the compound file does not give; missing: of `STAND_INS`."""
    what = ", ".join(STAND_INS[name][0] for name in missing)
    settings = ", ".join(dict.fromkeys(STAND_INS[name][1] for name in missing))
    return NotSupportedError(
        "GP-L003",
        f"{compound} has no {what}, and none is made up",
        where=f"compound {compound}",
        expected=f"{what} in the compound file",
        next_step=f"give the setting {settings}, or add the numbers to a compound file of your own",
    )


def refusal(name: str, value: object, expected: str) -> InputError:
    """A setting that cannot be."""
    return InputError(
        "GP-L002",
        f"{name} = {value}",
        where=f"setting {name}",
        expected=expected,
        next_step="correct the setting; docs/experiments.md lists them with their defaults",
    )
