"""From what a patient swallows to doses of the engine, and what of them belongs to a later interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.engine import Doses
from glueprint.errors import InputError
from glueprint.mechanism.pharmacokinetics.section import Pharmacokinetics
from glueprint.mechanism.pharmacokinetics.structures import HOURLY, USUAL_TARGET
from glueprint.mechanism.pharmacokinetics.values import conduct_quantities

__all__ = ["Intake", "doses_of", "due", "together"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Intake:
    """How each patient takes up what is swallowed, (n,) each.

    duration_h: of zero-order absorption, None for another.
    """

    lag_h: Floats
    bioavailability: Floats
    duration_h: Floats | None = None

    @classmethod
    def of(cls, pk: Pharmacokinetics, patients: int, **values: ArrayLike) -> Intake:
        """The intake of n patients: typical values, but for those of `values`, (n,) by name.

        values: lag_h, bioavailability or absorption_h, as `conduct_quantities` names them.
        Raises InputError GP-M106 for a name or a value that cannot be.
        """
        known = conduct_quantities(pk)
        for name in values:
            if name not in known:
                raise _refusal(f'"{name}" is not read when a dose is given', f"one of {', '.join(known)}")
        columns = {
            name: _column(name, values.get(name, quantity.typical), patients)
            for name, quantity in known.items()
        }
        return cls(columns["lag_h"], columns["bioavailability"], columns.get("absorption_h"))


def _column(name: str, values: ArrayLike, patients: int) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    lowest = array >= 0 if name == "lag_h" else array > 0
    if array.shape not in ((), (patients,)) or not np.all(np.isfinite(array) & lowest):
        zero = "of zero or more" if name == "lag_h" else "above zero"
        raise _refusal(f"{name} of shape {array.shape}", f"{patients} finite numbers {zero}")
    return np.array(np.broadcast_to(array, (patients,)))


def _refusal(message: str, expected: str) -> InputError:
    return InputError(
        "GP-M106",
        f"{message} cannot be used",
        where="intake",
        expected=expected,
        next_step="give one value per patient of each name in conduct_quantities()",
    )


def doses_of(
    pk: Pharmacokinetics, intake: Intake, patient: ArrayLike, time_h: ArrayLike, amount_mg: ArrayLike
) -> Doses:
    """What the engine is given for doses that are swallowed.

    intake: of all n patients.   patient: (m,) numbers, 0 to n - 1.   time_h: (m,) of swallowing, h.
    amount_mg: (m,) as swallowed; what is not bioavailable is lost.
    First-order and transit absorption: one row each, an amount to `glue_gut`. Zero-order: two, as
    `glue_hourly`, what is absorbed in each hour, rises by amount over duration and falls by as much when it
    ends, so that doses may overlap. Rows may fall after the end of an interval: `due` parts them.
    """
    who, when, amount = np.broadcast_arrays(
        np.asarray(patient, dtype=np.int64),
        np.asarray(time_h, dtype=np.float64),
        np.asarray(amount_mg, dtype=np.float64),
    )
    start, absorbed = when + intake.lag_h[who], amount * intake.bioavailability[who]
    if pk.is_own_module or pk.absorption != "zero-order" or intake.duration_h is None:
        return Doses(who, start, USUAL_TARGET, absorbed)
    duration = intake.duration_h[who]
    rate = absorbed / duration
    return Doses(
        np.concatenate([who, who]),
        np.concatenate([start, start + duration]),
        HOURLY,
        np.concatenate([rate, -rate]),
    )


def due(doses: Doses, until_h: ArrayLike) -> tuple[Doses, Doses]:
    """Doses before `until_h`, for `Ensemble.advance`, and the others, for a later call.

    until_h: one time, or (n,) one per patient, h. A dose at `until_h` belongs to the later call. Patients who
    do not go on keep their later doses; nothing is dropped.
    """
    patient, time, _, _ = doses.columns()
    end = np.asarray(until_h, dtype=np.float64)
    now = time < (end[patient] if end.ndim else end)
    if now.all():
        return doses, Doses.none()
    return doses.take(now), doses.take(~now)


def together(*doses: Doses) -> Doses:
    """Several tables of doses as one: what was left of earlier calls, and what is new."""
    return Doses.together(*doses)
