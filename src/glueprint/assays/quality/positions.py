"""Position effects: rows, columns and edges that shift replicates, and a correction from scattered controls.

Kernel: arrays in, arrays out. No median polish: it fails where many wells are active (docs/assays.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from glueprint.assays.plate import row_letters
from glueprint.errors import InputError

__all__ = ["ALPHA", "Correction", "Effect", "effects", "polynomial"]

# One plate in a hundred without any effect gets a finding, all its rows, columns and edges taken together.
ALPHA = 0.01
FEWEST_WELLS = 4
# Controls carry a surface if there are twice as many as it has coefficients, over half of each side.
SPARE = 2
SPAN = 0.5
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Effect:
    """How far one row, column or the edge is from the other replicates of its groups, or how much they change
    from the first to the last row or column ("trend across").

    shift_sd: mean of the standardised values.   shift_percent: median of value / group mean - 1.
    score: the sum over its standard deviation under permutation.   p_value: two-sided, times the tests made.
    """

    kind: str
    name: str
    wells: int
    shift_sd: float
    shift_percent: float
    score: float
    p_value: float

    @property
    def title(self) -> str:
        """The line for people: "column 12", "edge"."""
        return f"{self.kind} {self.name}".strip()

    @property
    def found(self) -> bool:
        """Whether chance is a poor explanation: `p_value` below `ALPHA`."""
        return self.p_value < ALPHA


def effects(
    values: ArrayLike, row: ArrayLike, column: ArrayLike, group: ArrayLike, shape: tuple[int, int]
) -> tuple[Effect, ...]:
    """Shift of every row, every column and the edge among wells that should be alike.

    values: (n,) any unit.   row, column: (n,) whole numbers from 0.   group: (n,) label of the replicates:
    wells of a group hold the same.   shape: rows and columns of the plate, for its edge.
    Returns one `Effect` for each line that groups cross (a group within one row tells nothing of rows).
    Source: own derivation, docs/assays.md: with k of a group's n wells on a line, the sum of its standardised
    values has variance k (n - k) / n under permutation within the group.
    """
    data, rows, columns = np.asarray(values, float), np.asarray(row, int), np.asarray(column, int)
    labels = np.unique(np.asarray(group), return_inverse=True)[1].ravel()
    good = np.isfinite(data)
    data, rows, columns, labels = data[good], rows[good], columns[good], labels[good]
    z, percent, size = _standardised(data, labels)
    used = size > 0
    if not used.any():
        return ()
    edge = np.isin(rows, (0, shape[0] - 1)) | np.isin(columns, (0, shape[1] - 1))
    lines = [("row", row_letters(int(index)), rows == index) for index in np.unique(rows)]
    lines += [("column", str(index + 1), columns == index) for index in np.unique(columns)]
    lines.append(("edge", "", edge))
    trends = (_trend(*side, (z, percent, labels, used)) for side in (("rows", rows), ("columns", columns)))
    raw = [trend for trend in trends if trend is not None]
    for kind, name, here in lines:
        on = here & used
        variance = _variance(labels[on], size[on])
        if on.sum() >= FEWEST_WELLS and variance > 0.0:
            score = float(z[on].sum() / np.sqrt(variance))
            raw.append((kind, name, int(on.sum()), float(z[on].mean()), float(np.median(percent[on])), score))
    return tuple(
        Effect(*line, p_value=min(1.0, len(raw) * 2.0 * float(stats.norm.sf(abs(line[5]))))) for line in raw
    )


def _trend(
    name: str, place: Integers, wells: tuple[Floats, Floats, Integers, NDArray[np.bool_]]
) -> tuple[str, str, int, float, float, float] | None:
    """The trend across rows or columns within groups, from the first to the last; None where none spans two.

    With a the places less their mean in the group, the sum of a z has variance sum a^2 under permutation.
    """
    z, percent, labels, used = wells
    along = np.zeros(z.size)
    for label in np.unique(labels[used]):
        here = labels == label
        along[here] = place[here] - place[here].mean()
    squares = float(np.sum(along[used] ** 2))
    across = int((along != 0.0)[used].sum())
    if across < FEWEST_WELLS or squares == 0.0:
        return None
    span = float(np.ptp(place[used]))
    slope, steep = (float(np.sum(along[used] * part[used]) / squares) for part in (z, percent))
    score = slope * np.sqrt(squares)
    return ("trend across", name, across, slope * span, steep * span, float(score))


def _standardised(data: Floats, labels: Integers) -> tuple[Floats, Floats, Integers]:
    """Standardised values, per cent off the group mean, and the size of each well's group (0: no use)."""
    z, percent = np.zeros_like(data), np.zeros_like(data)
    size = np.zeros(data.size, dtype=np.int64)
    for label in np.unique(labels):
        here = labels == label
        mean, spread = data[here].mean(), data[here].std(ddof=1) if here.sum() > 1 else 0.0
        # Replicates that agree to the last bits have no scale to measure a shift by.
        if spread > 1e-12 * abs(mean):
            z[here] = (data[here] - mean) / spread
            percent[here] = 100.0 * (data[here] / mean - 1.0) if mean != 0.0 else 0.0
            size[here] = here.sum()
    return z, percent, size


def _variance(labels: Integers, size: Integers) -> float:
    _, first, counts = np.unique(labels, return_index=True, return_counts=True)
    whole = size[first]
    return float(np.sum(counts * (whole - counts) / whole))


@dataclass(frozen=True)
class Correction:
    """A smooth surface through scattered controls: divide a well's value by its `factor`.

    factor: (n,) one for every well, 1 on average over the controls.   before, after: spread of the controls
    about their group means, per cent; `after` leaves each out in turn.
    """

    factor: Floats
    before: float
    after: float
    degree: int


def polynomial(
    values: ArrayLike, places: tuple[ArrayLike, ArrayLike], group: Sequence[str], degree: int = 1
) -> Correction:
    """A plane (degree 1) or a quadratic (2) through the controls, over all wells.

    values: (n,) above 0 where there is a control.   places: rows and columns, (n,) each, from 0.
    group: (n,) label of the control, "" for a well that is none; controls of one label hold the same.
    Raises InputError GP-A053 if the controls are too few or not scattered, or values are not positive.
    """
    data = np.asarray(values, float)
    rows, columns = (np.asarray(side, float) for side in places)
    labels = np.asarray(group)
    control = (labels != "") & np.isfinite(data)
    terms = _terms(rows, columns, degree)
    _check_scatter((rows, columns), control, SPARE * terms.shape[1], degree)
    if (data[control] <= 0.0).any():
        raise _refusal("a control value is not above zero", "values above zero, less blank")
    relative = np.ones_like(data)
    for label in np.unique(labels[control]):
        here = control & (labels == label)
        relative[here] = data[here] / data[here].mean()
    design = terms[control]
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise _refusal("the controls lie on a line", "controls over the whole plate")
    hat = design @ np.linalg.pinv(design)
    residual = relative[control] - hat @ relative[control]
    left_out = residual / np.maximum(1.0 - np.diag(hat), 1e-9)
    coefficients = np.linalg.lstsq(design, relative[control], rcond=None)[0]
    factor = terms @ coefficients
    if (factor <= 0.0).any():
        raise _refusal("the surface falls below zero away from the controls", "a lower degree")
    before = 100.0 * float(np.sqrt(np.mean((relative[control] - 1.0) ** 2)))
    return Correction(factor, before, 100.0 * float(np.sqrt(np.mean(left_out**2))), degree)


def _terms(rows: Floats, columns: Floats, degree: int) -> Floats:
    """Powers of row and column up to `degree` together, both scaled to -1 ... 1 over the plate."""
    if degree not in (1, 2):
        raise _refusal(f"degree {degree}", "1 (a plane) or 2 (a quadratic)")
    x, y = (
        2.0 * (side - side.min()) / max(float(side.max() - side.min()), 1.0) - 1.0 for side in (rows, columns)
    )
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    return np.stack([x**i * y**j for i, j in powers], axis=1)


def _check_scatter(
    places: tuple[Floats, Floats], control: NDArray[np.bool_], least: int, degree: int
) -> None:
    count = int(control.sum())
    if count < least:
        raise _refusal(f"{count} control wells for degree {degree}", f"at least {least} control wells")
    for name, side in zip(("rows", "columns"), places, strict=True):
        span = np.ptp(side[control]) / max(float(np.ptp(side)), 1.0)
        if span < SPAN:
            raise _refusal(
                f"the controls span {100.0 * span:.0f} % of the {name}", "controls over half of each side"
            )


def _refusal(what: str, expected: str) -> InputError:
    return InputError(
        "GP-A053",
        f"no correction: {what}",
        where="control wells",
        expected=expected,
        next_step="scatter control wells over the plate, or analyse without correction",
    )
