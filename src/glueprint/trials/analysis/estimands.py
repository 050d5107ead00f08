"""Progression-free survival of a trial by each rule of censoring, side by side: what an estimand changes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.survival import EMA, FDA, Pfs, PfsRule, pfs
from glueprint.trials.analysis.estimates import Times, hazard_ratio, median
from glueprint.trials.protocol import MONTH_DAYS, Protocol

__all__ = ["ESTIMANDS", "RULES", "estimands_table"]

Floats = NDArray[np.float64]
Row = dict[str, Any]

ESTIMANDS = {
    "trial": pl.String,
    "replicate": pl.Int64,
    "arm": pl.String,
    "rule": pl.String,
    "new_therapy": pl.String,
    "missed_assessments": pl.String,
    "endpoint": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "unit": pl.String,
    "n": pl.Int64,
    "events": pl.Int64,
    "p_value": pl.Float64,
    "censored_by_new_therapy": pl.Int64,
    "censored_by_missed_assessments": pl.Int64,
    "censored_without_event": pl.Int64,
    "method": pl.String,
}
# A third beside the two: a new therapy ends the course that was asked about, as a progression does.
COMPOSITE = PfsRule("new therapy as event", "event", None, needs_baseline=False)
RULES = (FDA, EMA, COMPOSITE)
AS_REPORTED = "as the trial reports it"
ANY = "any number"


def estimands_table(protocol: Protocol, patients: pl.DataFrame, visits: pl.DataFrame) -> pl.DataFrame:
    """PFS of one replicate by the rules of FDA and EMA and with a new therapy as event, beside its own.

    patients, visits: the tables of one replicate; patients that could not be computed are left out.
    Returns a row per arm or two arms, rule and summary, ESTIMANDS.
    Source: `survival.pfs`; what a new therapy does in the words of ICH E9 (R1), 2019.
    """
    usable = patients.filter(pl.col("status") == 0)
    rows = list(_rows(protocol, usable, AS_REPORTED, _own(usable), None))
    for rule in RULES:
        found = _by_rule(protocol, usable, visits, rule)
        rows += _rows(protocol, usable, rule.name, (found.time, found.event), found)
    head = {"trial": protocol.name, "replicate": patients.get_column("replicate")[0]}
    table = pl.DataFrame([{**head, **row} for row in rows], schema=ESTIMANDS, orient="row")
    return table.with_columns(pl.col(pl.Float64).fill_nan(None))


def _own(patients: pl.DataFrame) -> tuple[Floats, NDArray[np.bool_]]:
    return patients["pfs_months"].to_numpy(), patients["pfs_event"].to_numpy()


def _by_rule(protocol: Protocol, patients: pl.DataFrame, visits: pl.DataFrame, rule: PfsRule) -> Pfs:
    """PFS in months by a rule, from dated progressions, deaths, new therapies and assessments."""
    months = patients["pfs_months"].to_numpy()
    progressed = (patients["pfs_cause"] == "progression").to_numpy()
    died = patients["os_event"].to_numpy()
    place = pl.DataFrame({"patient": patients["patient"], "place": np.arange(patients.height)})
    looked = visits.filter((pl.col("response") != "") & (pl.col("time_days") > 0)).join(place, on="patient")
    return pfs(
        np.where(progressed, months, np.nan),
        np.where(died, patients["os_months"].to_numpy(), np.nan),
        patients["crossover_months"].fill_null(float("nan")).to_numpy(),
        (looked["place"].to_numpy(), looked["time_days"].to_numpy() / MONTH_DAYS),
        every=protocol.visits.assessment_every_days / MONTH_DAYS,
        window=protocol.visits.window_days / MONTH_DAYS,
        rule=rule,
    )


def _rows(
    protocol: Protocol,
    patients: pl.DataFrame,
    name: str,
    seen: tuple[Floats, NDArray[np.bool_]],
    found: Pfs | None,
) -> Iterator[Row]:
    arm, stratum = patients["arm"].to_numpy(), patients["stratum"].to_numpy()
    data = Times(*seen, arm, stratum)
    rule = found.rule if found else None
    about = {
        "rule": name,
        "new_therapy": rule.strategy if rule else "treatment policy",
        "missed_assessments": ANY if rule is None or rule.missed is None else f"up to {rule.missed} before",
    }
    names = [one.name for one in protocol.arms]
    groups = [(one, arm == one) for one in names]
    for one, mine in groups:
        yield {"arm": one, **about, **_kept(median("pfs", data.of(mine))), **_censored(found, mine)}
    for first, second in combinations(names, 2):
        both = (arm == first) | (arm == second)
        row = hazard_ratio("pfs", data.of(both), arm[both] == first)
        yield {"arm": f"{first} vs {second}", **about, **_kept(row), **_censored(found, both)}


def _kept(row: Row) -> Row:
    return {name: value for name, value in row.items() if name in ESTIMANDS}


def _censored(found: Pfs | None, mine: NDArray[np.bool_]) -> Row:
    """How many patients each rule censors, and why."""
    if found is None:
        return {}
    censored = mine & ~found.event
    why = {
        "censored_by_new_therapy": ("new therapy",),
        "censored_by_missed_assessments": ("missed assessments",),
        "censored_without_event": ("no event", "no assessment", "no baseline"),
    }
    return {name: int((censored & np.isin(found.reason, reasons)).sum()) for name, reasons in why.items()}
