"""Degradation from fractions remaining over dose and time: Dmax and DC50 by definition, each at its time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import curves
from glueprint.curves import Fits, Potency
from glueprint.curves.fitting import Status
from glueprint.curves.logistic import BACK, FRONT
from glueprint.errors import InputError, nearest

__all__ = ["REQUIRED", "SCHEMA", "Result", "TimePoint", "analyse"]

REQUIRED = ("time_h", "dose_nm", "fraction_remaining")
# Half of control, the level of the absolute DC50.
HALF = 0.5
# A free slope asks for more doses than its three other parameters do.
DOSES_FOR_FREE_SLOPE = 6
Floats = NDArray[np.float64]

SCHEMA = pl.Schema(
    {
        "target": pl.String(),
        "time_h": pl.Float64(),
        "model": pl.String(),
        "doses": pl.Int64(),
        "points": pl.Int64(),
        "dmax": pl.Float64(),
        "dmax_se": pl.Float64(),
        "dc50_relative_relation": pl.String(),
        "dc50_relative_nm": pl.Float64(),
        "dc50_relative_low_nm": pl.Float64(),
        "dc50_relative_high_nm": pl.Float64(),
        "dc50_absolute_relation": pl.String(),
        "dc50_absolute_nm": pl.Float64(),
        "dc50_absolute_low_nm": pl.Float64(),
        "dc50_absolute_high_nm": pl.Float64(),
        "status": pl.String(),
        "reason": pl.String(),
    }
)


@dataclass(frozen=True)
class TimePoint:
    """What one target shows at one time. `dmax` is the loss at the fitted far plateau, None where it has
    none."""

    target: str
    time_h: float
    model: str
    doses: int
    points: int
    dmax: float | None
    dmax_se: float | None
    relative: Potency
    absolute: Potency
    status: str
    reason: str

    def row(self) -> dict[str, object]:
        """The time point as a row of `SCHEMA`."""
        row: dict[str, object] = {name: getattr(self, name, None) for name in SCHEMA}
        for name, found in (("relative", self.relative), ("absolute", self.absolute)):
            row |= {
                f"dc50_{name}_relation": found.relation,
                f"dc50_{name}_nm": found.value_nm,
                f"dc50_{name}_low_nm": found.low_nm,
                f"dc50_{name}_high_nm": found.high_nm,
            }
        return row


@dataclass(frozen=True)
class Result:
    """All time points, by target and time, as objects and as a `table` with the columns of `SCHEMA`."""

    points: tuple[TimePoint, ...]
    table: pl.DataFrame

    def at(self, time_h: float, target: str | None = None) -> TimePoint:
        """The time point of a target (None: the only one).

        Raises InputError GP-A011 if there is none.
        """
        found = [p for p in self.points if p.time_h == time_h and target in (None, p.target)]
        if len(found) != 1:
            have = ", ".join(f"{p.target or 'unnamed'} at {p.time_h:g} h" for p in self.points)
            raise InputError(
                "GP-A011",
                f"{len(found)} results for {target or 'any target'} at {time_h:g} h",
                expected=have,
                next_step="ask for one of these",
            )
        return found[0]


def analyse(table: pl.DataFrame) -> Result:
    """Fit dose against fraction remaining for every target and time, and read Dmax and both DC50s.

    table: columns time_h, dose_nm (0 is vehicle), fraction_remaining (of vehicle), and target where there is
    more
    than one; replicates are rows.   Six or more distinct doses get a free slope ("4pl"), fewer slope 1
    ("3pl").
    Returns `Result`. A DC50 outside the doses is a limit; one that 50 % loss never reaches says so.
    Raises InputError GP-A009 (columns) or GP-A010 (values).
    Source: docs/assays.md; Dmax after Riching et al. 2022, doi 10.1039/d2cs00387b: the fitted plateau.
    """
    tidy = _checked(table)
    groups = [
        (str(target), float(str(time_h)), group.select("dose_nm", "fraction_remaining").to_numpy())
        for (target, time_h), group in tidy.group_by(["target", "time_h"], maintain_order=True)
    ]
    points = [
        point
        for model in curves.MODELS
        for point in _fit([group for group in groups if _model(group[2]) == model], model)
    ]
    points.sort(key=lambda point: (point.target, point.time_h))
    return Result(tuple(points), pl.DataFrame([point.row() for point in points], schema=SCHEMA))


def _model(lanes: Floats) -> str:
    return "4pl" if np.unique(lanes[:, 0]).size >= DOSES_FOR_FREE_SLOPE else "3pl"


def _fit(groups: list[tuple[str, float, Floats]], model: str) -> list[TimePoint]:
    """Fit all time points that share a model in one batch; short ones are filled with missing points."""
    if not groups:
        return []
    lanes = np.full((len(groups), max(len(group[2]) for group in groups), 2), np.nan)
    for i, (_, _, group) in enumerate(groups):
        lanes[i, : len(group)] = group
    times = [time_h for _, time_h, _ in groups]
    fits = curves.fit(lanes[:, :, 0], lanes[:, :, 1], model=model)
    relative = curves.relative(fits, "DC50", time_h=times)
    absolute = curves.absolute(fits, HALF, "DC50", control=1.0, time_h=times)
    points = []
    for i, (target, time_h, _) in enumerate(groups):
        dmax, dmax_se = _dmax(fits, i)
        points.append(
            TimePoint(
                target=target,
                time_h=time_h,
                model=model,
                doses=int(fits.data.distinct_doses[i]),
                points=int(fits.points[i]),
                dmax=dmax,
                dmax_se=dmax_se,
                relative=relative[i],
                absolute=absolute[i],
                status=Status(int(fits.status[i])).name,
                reason=fits.reasons[i],
            )
        )
    return points


def _dmax(fits: Fits, i: int) -> tuple[float | None, float | None]:
    """1 - back / front and its error by the delta method; None where the curve has no far plateau to read."""
    status = Status(int(fits.status[i]))
    if status in (Status.TOO_FEW_POINTS, Status.NOT_CONVERGED, Status.NO_EFFECT, Status.ABOVE_TESTED):
        return None, None
    front, back = float(fits.front[i]), float(fits.back[i])
    slope = np.array([back / front**2, -1.0 / front])
    block = fits.covariance[i][np.ix_([FRONT, BACK], [FRONT, BACK])]
    error = float(np.sqrt(slope @ block @ slope))
    return 1.0 - back / front, error if np.isfinite(error) else None


def _checked(table: pl.DataFrame) -> pl.DataFrame:
    missing = [name for name in REQUIRED if name not in table.columns]
    if missing:
        raise InputError(
            "GP-A009",
            f"no column {missing[0]}{nearest(missing[0], table.columns)}",
            expected=f"the columns {', '.join(REQUIRED)}; found {', '.join(table.columns)}",
            next_step="rename or add the column; doses are in nM, times in hours",
        )
    if "target" not in table.columns:
        table = table.with_columns(target=pl.lit(""))
    try:
        tidy = table.select(
            pl.col("target").cast(pl.String).fill_null(""),
            *(pl.col(name).cast(pl.Float64) for name in REQUIRED),
        )
    except pl.exceptions.PolarsError as error:
        raise _bad_value(f"a column is not numeric: {str(error).splitlines()[0]}", "") from error
    for name in REQUIRED:
        bad = (pl.col(name).is_null() | ~pl.col(name).is_finite()).alias("bad")
        if name != "fraction_remaining":
            bad = bad | (pl.col(name) < 0.0)
        rows = tidy.with_row_index("index").filter(bad)
        if rows.height:
            raise _bad_value(f"{rows[name][0]}", f'row {rows["index"][0]}, column "{name}"')
    if tidy.is_empty():
        raise _bad_value("no rows", "")
    return tidy


def _bad_value(what: str, where: str) -> InputError:
    return InputError(
        "GP-A010",
        what,
        where=where,
        expected="finite numbers; doses and times of zero or more",
        next_step="correct the value, or leave the row out",
    )
