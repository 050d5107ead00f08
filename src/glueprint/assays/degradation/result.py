"""What an analysis of degradation gives back: time points, rates, tables and findings, all frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from glueprint.assays.degradation.settings import Settings
from glueprint.assays.findings import Finding, findings_table
from glueprint.curves import Potency
from glueprint.errors import InputError

__all__ = ["ARMS_SCHEMA", "CURVES", "RATES", "READINGS", "SCHEMA", "Result", "TimePoint", "table_of"]

TEXT, NUMBER, COUNT = pl.String(), pl.Float64(), pl.Int64()
_DC50 = {
    f"dc50_{name}_{part}": TEXT if part == "relation" else NUMBER
    for name in ("relative", "absolute")
    for part in ("relation", "nm", "low_nm", "high_nm")
}
SCHEMA = pl.Schema(
    {
        "target": TEXT,
        "compound": TEXT,
        "experiment": TEXT,
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
        "target": TEXT,
        "compound": TEXT,
        "experiment": TEXT,
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
        "target": TEXT,
        "compound": TEXT,
        "experiment": TEXT,
        "time_h": NUMBER,
        "dose_nm": NUMBER,
        "fraction_remaining": NUMBER,
        "relation": TEXT,
    }
)
CURVES = pl.Schema(
    {
        "target": TEXT,
        "compound": TEXT,
        "experiment": TEXT,
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


@dataclass(frozen=True)
class Result:
    """All that an analysis found.

    points: one per target, compound and time, pooled over experiments where there are several; parts: the
    same of every experiment.   table: the points with the columns of `SCHEMA`.
    tables: points, experiments, rates, arms, readings, curves, suspects, excluded and findings, see
    docs/degradation.md.
    """

    points: tuple[TimePoint, ...]
    table: pl.DataFrame
    parts: tuple[TimePoint, ...]
    tables: Mapping[str, pl.DataFrame]
    findings: tuple[Finding, ...]
    settings: Settings

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

    @property
    def potencies(self) -> tuple[Potency, ...]:
        """Relative and absolute DC50 of every point."""
        return tuple(potency for point in self.points for potency in (point.relative, point.absolute))

    @property
    def refused(self) -> bool:
        """Whether something asked for was not computed."""
        return any(finding.severity == "refusal" for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Everything by name, for `--json`."""
        return {
            "settings": asdict(self.settings),
            "tables": {name: table.to_dicts() for name, table in self.tables.items() if name != "findings"},
            "potencies": [
                {"target": p.target, "compound": p.compound} | potency.as_dict()
                for p in self.points
                for potency in (p.relative, p.absolute)
            ],
            "findings": findings_table(self.findings).to_dicts(),
        }


def table_of(rows: Iterable[Mapping[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    """Rows as a table; fields that a row lacks are null."""
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
