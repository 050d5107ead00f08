"""Worst grades of laboratory values under every version of the CTCAE, from the same counts."""

from __future__ import annotations

import polars as pl

from glueprint.trials.analysis.estimates import rates
from glueprint.trials.protocol import Protocol, toxicity

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
    Source: evidence SAF104 to SAF116.
    """
    usable = patients.filter(pl.col("status") == 0)
    rows = []
    for arm in protocol.arms:
        mine = usable.filter(pl.col("arm") == arm.name)
        head = {"trial": protocol.name, "replicate": patients.get_column("replicate")[0], "arm": arm.name}
        counts: dict[tuple[str, str, int | None, str], tuple[int, int]] = {}
        for version in toxicity.VERSIONS:
            for event, worst in _laboratory(mine, version).items():
                for name, least in GRADES.items():
                    # By laboratory value alone there is no anaemia of grade 4.
                    if (event, least) != ("anaemia", 4):
                        counts[event, LABORATORY, version, name] = (int((worst >= least).sum()), mine.height)
        pneumonia = int((mine.get_column("pneumonia_grade") >= 3).sum())
        counts["pneumonia", CLINICAL, None, "3-4"] = (pneumonia, mine.height)
        named = {str(number): pair for number, pair in enumerate(counts.values())}
        for (event, basis, number, grade), row in zip(counts, rates(named), strict=True):
            what = {"event": event, "basis": basis, "ctcae_version": number, "grade": grade}
            rows.append({**head, **what, **row})
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _laboratory(patients: pl.DataFrame, version: int) -> dict[str, pl.Series]:
    """Worst grade of each patient under a version."""
    anc, platelets, haemoglobin = (
        patients.get_column(name).to_numpy()
        for name in ("lowest_anc_1e9_per_l", "lowest_platelets_1e9_per_l", "lowest_haemoglobin_g_per_dl")
    )
    return {
        "neutropenia": pl.Series(toxicity.neutropenia_grade(anc, version=version)),
        "thrombocytopenia": pl.Series(toxicity.thrombocytopenia_grade(platelets)),
        "anaemia": pl.Series(toxicity.anaemia_grade(haemoglobin)),
    }
