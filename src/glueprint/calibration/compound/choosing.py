"""Which measured quantities enter the fit: each number once, and only what the mechanism shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from glueprint.calibration.compound.latents import SUBSTRATES
from glueprint.calibration.compound.measured import CONCENTRATIONS

__all__ = ["FITTED", "choose", "chosen", "culture_of"]

Row = dict[str, Any]
FITTED = "fitted"
BINDING, COMPETITION, RATES, LOSS, CULTURE = "binding", "competition", "rates", "loss", "culture"
# The best first: what stands further down is read off the same curve.
PREFERRED = {
    BINDING: ("kd", "ki"),
    COMPETITION: ("ic50_absolute", "ic50_relative"),
    RATES: ("rate_ec50", "rate_max_over_k_deg"),
    LOSS: ("dc50_relative", "dc50_absolute", "dmax", "loss"),
    CULTURE: ("ic50_absolute", "gr50"),
}
SAYS = ("=", "<", ">", "between")
TNF = "TNFALPHA"


def culture_of(row: Row) -> str:
    """The kind of culture that shows a quantity: "monocyte", "line", or "" for none that is modelled."""
    if row["quantity"] not in PREFERRED[CULTURE] or row["assay"] == "fp":
        return ""
    target = "".join(c for c in row["target"].upper() if c.isalnum())
    if target in (TNF, "TNF") and row["quantity"] == "ic50_absolute":
        return "monocyte"
    return "line" if not target and row["assay"] in ("growth", "table") else ""


def choose(rows: Iterable[Row]) -> list[str]:
    """For every row `FITTED`, or why it is shown and not fitted.

    rows: of `MEASUREMENTS`, of the compound and its reference.
    """
    listed = list(rows)
    said = [_unfit(row) for row in listed]
    usable = [nth for nth, reason in enumerate(said) if not reason]
    for nth in usable:
        said[nth] = _rank(listed[nth], [listed[k] for k in usable])
    return said


def _unfit(row: Row) -> str:
    """Why a row cannot enter any fit, "" where it can."""
    if row["relation"] not in SAYS:
        return f"no number: {row['why']}" if row["why"] else "no number"
    if row["quantity"] in CONCENTRATIONS and row["unit"] != "nM":
        return f"in {row['unit']}, which is not molar"
    if not _part(row):
        return "the mechanism does not show it"
    if _part(row) in (RATES, LOSS) and row["target"] not in SUBSTRATES:
        return f"{row['target'] or 'an unnamed target'} is no substrate of the fit ({', '.join(SUBSTRATES)})"
    return ""


def _part(row: Row) -> str:
    quantity = row["quantity"]
    if quantity in PREFERRED[BINDING]:
        return BINDING
    if row["assay"] == "fp" and quantity in PREFERRED[COMPETITION]:
        return COMPETITION
    if quantity in PREFERRED[RATES]:
        return RATES
    if quantity in PREFERRED[LOSS]:
        return LOSS
    return CULTURE if culture_of(row) else ""


def _rank(row: Row, others: list[Row]) -> str:
    """Whether a better row says the same."""
    same = [other for other in others if _set(other) == _set(row)]
    if not row["run"] and any(other["run"] and other["quantity"] == row["quantity"] for other in same):
        return "the mean of runs that are fitted one by one"
    near = [other for other in same if other["run"] == row["run"]]
    part, quantity = _part(row), row["quantity"]
    parts = {_part(other) for other in near}
    if part == COMPETITION and BINDING in parts:
        return "read off the curve of the Ki"
    if part == LOSS and RATES in parts:
        return "read off the turnover whose rates are fitted"
    if part == RATES:
        return FITTED
    mine = [other for other in near if _part(other) == part]
    if part == LOSS:
        return _of_loss(row, mine)
    first = next(name for name in PREFERRED[part] if any(other["quantity"] == name for other in mine))
    return FITTED if quantity == first else f"read off the curve of the {first}"


def _of_loss(row: Row, mine: list[Row]) -> str:
    """Of losses at several times the latest with most numbers: lanes of one membrane share their errors."""
    plain = [other for other in mine if other["quantity"] != "loss"]
    if row["quantity"] == "loss":
        return FITTED if not plain else "read off the curve of the DC50"
    times = {other["time_h"] for other in plain}

    def worth(time: float | None) -> tuple[int, float]:
        return sum(other["time_h"] == time and other["relation"] == "=" for other in plain), time or 0.0

    best = max(times, key=worth)
    if row["time_h"] != best:
        return f"the same membranes are fitted at {best:g} h" if best else "the same membranes are fitted"
    if row["quantity"] == "dmax":
        return FITTED
    here = {other["quantity"]: other for other in plain if other["time_h"] == best}
    relative = here.get("dc50_relative")
    takes = "dc50_relative" if relative and "dmax" in here else "dc50_absolute"
    if takes not in here:
        takes = "dc50_relative"
    return FITTED if row["quantity"] == takes else f"read off the curve of the {takes}"


def _set(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in ("assay", "experiment", "compound", "target", "cells"))


def chosen(table: pl.DataFrame) -> pl.DataFrame:
    """The table with a column `use`: "fitted", or why a row is not."""
    return table.with_columns(pl.Series("use", choose(table.to_dicts()), dtype=pl.String))
