"""Records of doses and observations, row by row, in the terms of NONMEM data sets.

What a row says is checked here; what cannot be done exactly is refused by name.
Source: NONMEM help, data items of PREDPP (EVID, AMT, RATE, ADDL, II, SS, CMT, MDV).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glueprint.engine.doses import MOST_DOSES
from glueprint.errors import GlueprintError, InputError, NotSupportedError

__all__ = ["DOSE", "MODELLED_DURATION", "MODELLED_RATE", "OBSERVATION", "Records", "checked"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Values of EVID; 2 is any other event.
OBSERVATION, DOSE, RESET, RESET_AND_DOSE = 0, 1, 3, 4
MODELLED_RATE, MODELLED_DURATION = -1.0, -2.0  # values of RATE


@dataclass(frozen=True, eq=False)
class Records:
    """Rows (m,) of n patients, in order of the file.

    name: of the file.   labels: ID of each patient.   line: in the file.   patient: (m,) 0 to n - 1.   time,
    amount, rate, duration, interval: as written, 0 where missing.   event: EVID.   compartment: CMT as
    written, "" where it is missing or 0.   additional, steady: ADDL and SS.   observed: DV, NaN where there
    is none.   covariates: all other columns of numbers, NaN where missing.   texts: names of columns that
    hold other things.   filled: by column, how many missing covariates have the value of the row before.
    ignored: lines left out as remarks.
    """

    name: str
    labels: tuple[str, ...]
    line: Integers
    patient: Integers
    time: Floats
    event: Integers
    amount: Floats
    rate: Floats
    duration: Floats
    compartment: NDArray[np.str_]
    additional: Integers
    interval: Floats
    steady: Integers
    observed: Floats
    covariates: Mapping[str, Floats]
    texts: tuple[str, ...]
    filled: Mapping[str, int]
    ignored: int

    @property
    def is_dose(self) -> Bools:
        """(m,) where a row gives a dose."""
        return np.isin(self.event, (DOSE, RESET_AND_DOSE))

    @property
    def is_endless(self) -> Bools:
        """(m,) where a row asks for the steady state of an infusion that ends with the row."""
        return np.asarray(self.is_dose & (self.steady != 0) & (self.amount == 0) & (self.rate != 0))

    @property
    def is_reset(self) -> Bools:
        """(m,) where a row resets the patient."""
        return np.isin(self.event, (RESET, RESET_AND_DOSE))

    def scaled(self, scale: float) -> Records:
        """The same records with times in another unit, of which the present one is `scale`."""
        infused = np.where(self.rate > 0, self.rate / scale, self.rate)
        return replace(
            self,
            time=scale * self.time,
            duration=scale * self.duration,
            interval=scale * self.interval,
            rate=infused,
        )

    def where(self, row: int, column: str) -> str:
        """Place of a cell, for messages."""
        return f"{self.name}, line {self.line[row]}, column {column}"


def checked(records: Records) -> Records:
    """The records, if they can be followed exactly.

    Raises InputError GP-N035 (a negative dose), GP-N057 (a row contradicts itself or the one before),
    NotSupportedError GP-N058 (a meaning that is not offered).
    """
    for refuse in (_refuse_unsupported, _refuse_contradictions, _refuse_order):
        refuse(records)
    return records


def _first(
    records: Records, wrong: Bools, column: str, fault: Callable[[int], str]
) -> tuple[str, str] | None:
    if not wrong.any():
        return None
    row = int(np.flatnonzero(wrong)[0])
    return fault(row), records.where(row, column)


def _refuse_unsupported(records: Records) -> None:
    r = records
    for wrong, column, fault, remedy in (
        (
            ~np.isin(r.event, (0, 1, 2, 3, 4)),
            "EVID",
            lambda i: f"EVID {r.event[i]}",
            "write it as 0 to 4: observation, dose, other, reset, reset and dose",
        ),
        (
            ~np.isin(r.steady, (0, 1, 2)),
            "SS",
            lambda i: f"SS {r.steady[i]}",
            "use 1 (from nothing) or 2 (added to what is there)",
        ),
        (
            r.additional < 0,
            "ADDL",
            lambda i: f"ADDL {r.additional[i]} (a steady state by trial)",
            "use SS = 1, or as many additional doses as you mean",
        ),
        (
            np.char.startswith(r.compartment, "-"),
            "CMT",
            lambda i: f"CMT {r.compartment[i]} (a compartment that is turned off)",
            "let a parameter of the model turn it off, and change that as a covariate",
        ),
        (
            (r.rate < 0) & ~np.isin(r.rate, (MODELLED_RATE, MODELLED_DURATION)),
            "RATE",
            lambda i: f"RATE {r.rate[i]:g}",
            "0, a rate, -1 (the model's rate) or -2 (the model's duration)",
        ),
    ):
        found = _first(r, wrong, column, fault)
        if found:
            raise NotSupportedError("GP-N058", found[0], where=found[1], next_step=remedy)


def _refuse_contradictions(records: Records) -> None:
    r = records
    dose, idle = r.is_dose, ~r.is_dose
    negative = _first(r, r.amount < 0, "AMT", lambda i: f"AMT {r.amount[i]:g} takes away what a dose adds")
    if negative:
        raise _refused("GP-N035", *negative)
    endless = r.is_endless
    repeats = ((r.additional > 0) | (r.steady > 0)) & ~endless
    infused = (r.rate != 0) & (r.duration != 0)
    for wrong, column, fault in (
        (idle & (r.amount != 0), "AMT", lambda i: f"AMT {r.amount[i]:g} where EVID is {r.event[i]}"),
        (idle & (r.rate != 0), "RATE", lambda i: f"RATE {r.rate[i]:g} where EVID is {r.event[i]}"),
        (idle & (r.duration != 0), "DUR", lambda i: f"DUR {r.duration[i]:g} where EVID is {r.event[i]}"),
        (idle & (r.steady != 0), "SS", lambda i: f"SS {r.steady[i]} where EVID is {r.event[i]}"),
        (idle & (r.additional != 0), "ADDL", lambda i: f"ADDL {r.additional[i]} where EVID is {r.event[i]}"),
        (
            endless & ((r.additional != 0) | (r.interval != 0) | (r.rate == MODELLED_DURATION)),
            "SS",
            lambda i: f"SS {r.steady[i]} with AMT 0, an endless infusion, with ADDL, II or RATE -2",
        ),
        (dose & ~endless & (r.amount == 0), "AMT", lambda i: f"a dose (EVID {r.event[i]}) without an amount"),
        (r.additional > MOST_DOSES, "ADDL", lambda i: f"ADDL {r.additional[i]}, more than any table holds"),
        (r.duration < 0, "DUR", lambda i: f"DUR {r.duration[i]:g}"),
        (infused, "DUR", lambda i: f"both RATE {r.rate[i]:g} and DUR {r.duration[i]:g}"),
        (repeats & ~(r.interval > 0), "II", lambda i: f"II {r.interval[i]:g} of repeated doses"),
    ):
        found = _first(r, wrong, column, fault)
        if found:
            raise _refused("GP-N057", *found)


def _refuse_order(records: Records) -> None:
    r = records
    same = np.append(False, r.patient[1:] == r.patient[:-1])
    back = np.append(False, np.diff(r.time) < 0) & same & ~r.is_reset
    found = _first(r, back, "TIME", lambda i: f"TIME {r.time[i]:g} after {r.time[i - 1]:g}")
    if found:
        raise _refused("GP-N057", *found)
    starts = np.flatnonzero(~same)
    _, first = np.unique(r.patient[starts], return_index=True)
    again = np.setdiff1d(np.arange(starts.size), first)
    if again.size:
        row = int(starts[again[0]])
        label = r.labels[r.patient[row]]
        raise _refused("GP-N057", f"ID {label} comes again after other patients", r.where(row, "ID"))


def _refused(code: str, message: str, where: str) -> GlueprintError:
    return InputError(
        code,
        message,
        where=where,
        expected="rows that say one thing, in order of time for each patient (docs/dosing.md)",
        next_step="correct the row",
    )
