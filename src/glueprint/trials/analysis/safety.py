"""Worst grades of laboratory values under every version of the CTCAE, from the same counts."""

from __future__ import annotations

import polars as pl

from glueprint.trials.analysis.estimates import Counted, rates
from glueprint.trials.protocol import (
    AdverseEvent,
    CoincidenceRule,
    HazardRule,
    Protocol,
    clinical_events,
    coincident_events,
    laboratory_events,
)

__all__ = ["grades_table"]

SCHEMA = {
    "trial": pl.String,
    "replicate": pl.Int64,
    "arm": pl.String,
    "event": pl.String,
    "basis": pl.String,
    "ctcae_version": pl.Int64,
    "grade": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "interval_kind": pl.String,
    "unit": pl.String,
    "n": pl.Int64,
    "events": pl.Int64,
    "method": pl.String,
}
LABORATORY, CLINICAL = "laboratory", "clinical"
# Grade groups: name -> lowest grade that counts.
GRADES = {"1-4": 1, "3-4": 3, "4": 4}


def grades_table(protocol: Protocol, patients: pl.DataFrame) -> pl.DataFrame:
    """Patients with a worst grade, by arm, event, version and grade, of one replicate.

    patients: the patients table of one replicate; those that could not be computed are left out.
    Returns laboratory events by the lowest count measured, under each version, apart from clinical ones,
    which have no version and no other grade than 3 or 4.
    Source: evidence SAF104 to SAF116c.
    """
    usable = patients.filter(pl.col("status") == 0)
    rows = []
    for arm in protocol.arms:
        mine = usable.filter(pl.col("arm") == arm.name)
        head = {"trial": protocol.name, "replicate": patients.get_column("replicate")[0], "arm": arm.name}
        counts: dict[tuple[str, str, int | None, str], Counted] = {}
        for version in _versions():
            for event, rule in laboratory_events():
                if rule.lowest not in mine.columns:
                    continue  # kept before the event was registered
                worst = rule.grade(mine.get_column(rule.lowest).to_numpy(), version)
                for name, least in GRADES.items():
                    # By laboratory value alone there is no anaemia of grade 4.
                    if least <= len(rule.limits[version]):
                        counts[event.name, LABORATORY, version, name] = Counted.of(worst >= least)
        graded: list[tuple[AdverseEvent, HazardRule | CoincidenceRule]]
        graded = [*clinical_events(), *coincident_events()]
        for event, hazard in graded:
            if f"{event.name}_grade" not in mine.columns:
                continue
            had = (mine.get_column(f"{event.name}_grade") >= hazard.grade).to_numpy()
            counts[event.name, CLINICAL, None, f"{hazard.grade}-4"] = Counted.of(had)
        named = {str(number): counted for number, counted in enumerate(counts.values())}
        for (name, basis, number, grade), row in zip(counts, rates(named), strict=True):
            what = {"event": name, "basis": basis, "ctcae_version": number, "grade": grade}
            rows.append({**head, **what, **row})
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _versions() -> tuple[int, ...]:
    """The versions of the CTCAE that every laboratory event has limits for."""
    known = [rule.limits for _, rule in laboratory_events()]
    return tuple(version for version in known[0] if all(version in limits for limits in known))
