"""What an analysis of degradation gives back: time points, rates, tables and findings, all frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from glueprint.assays.contract import AssayResult, with_common
from glueprint.curves import Potency
from glueprint.errors import InputError

__all__ = ["SCHEMA", "Result", "TimePoint"]

TEXT, NUMBER, COUNT = pl.String(), pl.Float64(), pl.Int64()
_NAMES = dict.fromkeys(("target", "compound", "experiment"), TEXT)
_DC50 = {
    f"dc50_{name}_{part}": TEXT if part == "relation" else NUMBER
    for name in ("relative", "absolute")
    for part in ("relation", "nm", "low_nm", "high_nm")
}
SCHEMA = pl.Schema(
    {
        **_NAMES,
        "time_h": NUMBER,
        "process": TEXT,
        "method": TEXT,
        "model": TEXT,
        "experiments": COUNT,
        "doses": COUNT,
        "points": COUNT,
        "dmax": NUMBER,
        "dmax_se": NUMBER,
        "dmax_low": NUMBER,
        "dmax_high": NUMBER,
        **_DC50,
        "status": TEXT,
        "reason": TEXT,
    }
)
RATES = pl.Schema(
    {
        **_NAMES,
        "name": TEXT,
        "dose_nm": NUMBER,
        "relation": TEXT,
        "value": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "unit": TEXT,
        "experiments": COUNT,
        "note": TEXT,
    }
)
READINGS = pl.Schema(
    {
        **_NAMES,
        "time_h": NUMBER,
        "dose_nm": NUMBER,
        "fraction_remaining": NUMBER,
        "relation": TEXT,
    }
)
CURVES = pl.Schema(
    {
        **_NAMES,
        "time_h": NUMBER,
        "dose_nm": NUMBER,
        "fitted": NUMBER,
    }
)
ARMS_SCHEMA = pl.Schema(
    {
        "target": TEXT,
        "compound": TEXT,
        "arm": TEXT,
        "what": TEXT,
        "value": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "experiments": COUNT,
        "pairs": COUNT,
        "shown": pl.Boolean(),
    }
)
SHOWN_POINTS = (
    *("target", "compound", "time_h", "process", "method", "experiments"),
    *("dmax", "dmax_low", "dmax_high"),
)
SHOWN_RATES = (
    *("target", "compound", "experiment", "name", "dose_nm"),
    *("relation", "value", "low", "high", "unit"),
)


@dataclass(frozen=True)
class TimePoint:
    """What one target shows at one time.

    dmax: loss at the fitted far plateau (the top of a hook), None where there is none; its interval
    dmax_low to dmax_high.   experiment: "" for the pool of all.   n: experiments.   process: "degradation"
    where a control of mechanism shows it, else "loss".   method: "joint" or "per-time".
    """

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
    compound: str = ""
    experiment: str = ""
    method: str = "per-time"
    process: str = "loss"
    n: int = 1
    dmax_low: float | None = None
    dmax_high: float | None = None

    def row(self) -> dict[str, object]:
        """The time point as a row of `SCHEMA`."""
        row: dict[str, object] = {name: getattr(self, name, None) for name in SCHEMA} | {
            "experiments": self.n
        }
        for name, found in (("relative", self.relative), ("absolute", self.absolute)):
            row |= {
                f"dc50_{name}_relation": found.relation,
                f"dc50_{name}_nm": found.value_nm,
                f"dc50_{name}_low_nm": found.low_nm,
                f"dc50_{name}_high_nm": found.high_nm,
            }
        return row


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Result(AssayResult):
    """All that an analysis of degradation found; the tables are on docs/degradation.md.

    points: one per target, compound and time, pooled over experiments where there are several, as in the
    table of that name; parts: the same of every experiment.   potencies: relative and absolute DC50 of every
    point.
    """

    ASSAY = "degradation"
    SCHEMAS = with_common(
        {
            "points": SCHEMA,
            "experiments": SCHEMA,
            "rates": RATES,
            "arms": ARMS_SCHEMA,
            "readings": READINGS,
            "curves": CURVES,
        }
    )

    points: tuple[TimePoint, ...]
    parts: tuple[TimePoint, ...]

    def at(self, time_h: float, target: str | None = None, compound: str | None = None) -> TimePoint:
        """The time point of a target and compound (None: the only one).

        Raises InputError GP-A011 if there is none.
        """
        found = [
            p
            for p in self.points
            if p.time_h == time_h and target in (None, p.target) and compound in (None, p.compound)
        ]
        if len(found) != 1:
            have = ", ".join(
                f"{' '.join(part for part in (p.target, p.compound) if part) or 'unnamed'} at {p.time_h:g} h"
                for p in self.points
            )
            raise InputError(
                "GP-A011",
                f"{len(found)} results for {target or 'any target'} at {time_h:g} h",
                expected=have,
                next_step="ask for one of these",
            )
        return found[0]

    def summary(self) -> dict[str, pl.DataFrame]:
        """Time points with both DC50s in words, rates (pooled ones where there are such), controls."""
        word = "Degradation" if {point.process for point in self.points} == {"degradation"} else "Loss"
        points, rates = self.tables["points"], self.tables["rates"]
        words = {
            "DC50 relative": [point.relative.text() for point in self.points],
            "DC50 absolute": [point.absolute.text() for point in self.points],
        }
        if (rates["experiments"] > 1).any():
            rates = rates.filter(pl.col("experiments") > 1)
        return {
            f"{word} at each time": points.select(SHOWN_POINTS).with_columns(
                pl.Series(name, texts, pl.String) for name, texts in words.items()
            ),
            "Rates and half-lives": rates.select(SHOWN_RATES),
            "Controls of mechanism": self.tables["arms"],
        }

    def labelled(self) -> list[dict[str, Any]]:
        """The potencies with target and compound."""
        return [
            {"target": point.target, "compound": point.compound} | potency.as_dict()
            for point in self.points
            for potency in (point.relative, point.absolute)
        ]
