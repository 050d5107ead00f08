"""Rows of patients up to a switch, cut where others switch, so that a weight holds for a whole row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from glueprint.errors import InputError
from glueprint.survival._check import Flags, Floats, Integers, as_floats, place, same_shape
from glueprint.survival.counts import tie
from glueprint.survival.rows import as_rows, no_overlap

__all__ = ["Stretches", "as_stretches"]


@dataclass(frozen=True)
class Stretches:
    """Rows (k,) of patients as long as they kept the treatment of their arm, sorted by patient and time.

    entry, time, event: of the outcome.   new: in the experimental arm.   patient: codes.
    row: position among the rows given.   left: whether the patient switched at the end.
    dropped: rows after a switch.   switchers: patients.
    """

    entry: Floats
    time: Floats
    event: Flags
    new: Flags
    patient: Integers
    row: Integers
    left: Flags
    dropped: int
    switchers: int

    def cut(self, at: Floats) -> Stretches:
        """The rows of control cut at some times, ascending; their parts follow each other."""
        first = np.searchsorted(at, self.entry, side="right")
        last = np.searchsorted(at, self.time, side="left")
        parts = np.where(self.new, 1, 1 + np.maximum(last - first, 0))
        source = np.repeat(np.arange(parts.size), parts)
        number = np.arange(source.size) - np.repeat(np.cumsum(parts) - parts, parts)
        begins, ends = number == 0, number == parts[source] - 1
        where = first[source] + number
        entry = np.where(begins, self.entry[source], at[np.maximum(where - 1, 0)] if at.size else 0.0)
        time = np.where(ends, self.time[source], at[np.minimum(where, at.size - 1)] if at.size else 0.0)
        return Stretches(
            entry,
            time,
            self.event[source] & ends,
            self.new[source],
            self.patient[source],
            self.row[source],
            self.left[source] & ends,
            self.dropped,
            self.switchers,
        )

    def before(self, values: Floats) -> Floats:
        """Sum of `values` (k,) over the earlier rows of the same patient."""
        total = np.cumsum(values) - values
        begins = np.append(True, np.diff(self.patient) != 0)
        sizes = np.diff(np.append(np.flatnonzero(begins), begins.size))
        earlier: Floats = total - np.repeat(total[begins], sizes)
        return earlier


def as_stretches(
    columns: tuple[ArrayLike, ArrayLike, ArrayLike], patient: ArrayLike, new: Flags, switch: ArrayLike
) -> Stretches:
    """Check rows and end each patient of control at the switch.

    columns: entry, time and event, (n,) each.   patient: (n,) labels.   new: (n,) experimental arm.
    switch: (n,) time of the patient's switch in each of its rows, NaN for none.
    Returns Stretches. An event at the time of the switch counts.
    Raises InputError GP-V001 to GP-V005, GP-V014, GP-V017, GP-V037 (a switch outside the rows), GP-V039
    (nobody switched), GP-V042 (rows of one patient that say different things).
    """
    entry, time, event = columns
    rows = as_rows(time, event, entry)
    codes = rows.codes(patient, "patient")[1]
    no_overlap(rows, codes, np.zeros_like(codes))
    start = np.zeros_like(rows.time) if rows.entry is None else rows.entry
    moved = as_floats(switch, "switch")
    same_shape(moved, rows.time.shape, "switch")
    moved = np.where(np.isnan(moved), np.inf, moved)
    order = np.lexsort((rows.time, codes))
    sorted_codes = codes[order]
    begins = np.append(True, np.diff(sorted_codes) != 0)
    group = np.cumsum(begins) - 1
    for name, values in (("switch", moved), ("arm", new.astype(np.float64))):
        first = values[order][begins][group]
        bad = np.flatnonzero(values[order] != first)
        if bad.size:
            index = int(order[bad[0]])
            raise InputError(
                "GP-V042",
                f"rows of one patient with a {name} of {first[bad[0]]:g} and {values[index]:g}",
                where=place(name, (index,)),
                expected="one arm and one time of switch in all rows of a patient",
                next_step="write the time of the patient's switch, or nothing, into each of its rows",
            )
    last = np.maximum.reduceat(rows.time[order], np.flatnonzero(begins))[group]
    _inside(moved[order], last, order)
    together = tie(np.concatenate([rows.time, np.where(np.isfinite(moved), moved, 0.0)]))
    end, when = together[: moved.size], np.where(np.isfinite(moved), together[moved.size :], np.inf)
    kept = order[(new | (start < when))[order]]
    cut = ~new & (when <= end) & ~((when == end) & rows.event)
    if not (cut & np.isfinite(when)).any():
        raise InputError(
            "GP-V039",
            "no patient of control switched",
            where="switch",
            expected="the time of the switch in the rows of every patient who changed treatment",
            next_step="without a switch compare the arms as randomised, or name the other arm as reference",
        )
    return Stretches(
        start[kept],
        np.where(new, end, np.minimum(end, when))[kept],
        (rows.event & ~(~new & (when < end)))[kept],
        new[kept],
        codes[kept],
        kept,
        cut[kept],
        rows.time.size - kept.size,
        int(np.unique(codes[cut]).size),
    )


def _inside(moved: Floats, last: Floats, order: Integers) -> None:
    bad = np.flatnonzero((moved < 0) | (np.isfinite(moved) & (moved > last * (1 + 1e-9))))
    if bad.size:
        index = int(order[bad[0]])
        raise InputError(
            "GP-V037",
            f"a switch at {moved[bad[0]]:g} of a patient whose rows end at {last[bad[0]]:g}",
            where=place("switch", (index,)),
            expected="a switch within the follow-up, or NaN for a patient who did not switch",
            next_step="look whether both columns have one unit and one origin, or correct the dates",
        )
