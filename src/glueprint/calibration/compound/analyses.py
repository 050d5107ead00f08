"""What the analyses of the four protocols found, as rows of measured quantities."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t as student

from glueprint.assays import degradation, elisa, growth, polarization
from glueprint.assays.findings import Finding
from glueprint.calibration.compound.measured import Source, table_of
from glueprint.curves import Potency
from glueprint.errors import InputError, nearest

__all__ = ["KINDS", "measurements"]

Row = dict[str, Any]
TNF = "TNF-alpha"
# Name of a growth potency -> quantity.
GROWTH = {
    "absolute IC50": "ic50_absolute",
    "relative IC50": "ic50_relative",
    "GI50": "gi50",
    "GR50": "gr50",
    "GEC50": "gec50",
}
# One-sided level of the limit of a loss that was not seen.
LIMIT_LEVEL = 0.95


def measurements(kind: str, result: object, source: Source, *, target: str = TNF) -> pl.DataFrame:
    """Every quantity that an analysis measured, of all compounds on its plates, as rows of `MEASUREMENTS`.

    kind: "fp", "elisa", "degradation" or "growth".   result: of that assay's `analyse`.
    source: file, hash and experiment.   target: what an ELISA measured.
    Raises InputError GP-K032 for another kind, or a result of another assay.
    """
    wanted = KINDS.get(kind)
    if wanted is None or not isinstance(result, wanted[0]):
        raise InputError(
            "GP-K032",
            f'a result of type {type(result).__name__} for the kind "{kind}"{nearest(kind, KINDS)}',
            where="measurements",
            expected=f"one of {', '.join(KINDS)}, with the result of that assay's analyse",
            next_step="pass the kind of the assay and what its analyse gave back",
        )
    rows = wanted[1](result, target)
    about = {"assay": kind, "experiment": source.experiment, "file": source.file, "sha256": source.sha256}
    found: Iterable[Finding] = result.findings  # type: ignore[attr-defined]
    flags = [(finding.where, finding.code) for finding in found if finding.severity != "note"]
    return table_of(
        about | row | {"cells": row.get("cells") or source.cells, "flags": _flags(row["compound"], flags)}
        for row in rows
    )


def _flags(compound: str, flags: list[tuple[str, str]]) -> list[str]:
    """Codes of the warnings that name the compound, or no place at all."""
    return list(dict.fromkeys(code for where, code in flags if not where or compound in where))


def _potency(found: Potency) -> Row:
    """A potency as fields of a row; a limit stays one."""
    return {
        "relation": found.relation,
        "value": found.value_nm,
        "low": found.low_nm,
        "high": found.high_nm,
        "confidence": found.confidence,
        "log10_se": found.log10_se,
        "n": found.n,
        "time_h": found.time_h,
        "why": "; ".join(found.explanations),
    }


def _of_fp(result: polarization.Result, _target: str) -> list[Row]:
    shares = {(row["plate"], row["sample"]): row for row in result.tables["fits"].to_dicts()}
    rows = []
    for named, potency in zip(result.tables["potencies"].to_dicts(), result.potencies, strict=True):
        if potency.kind not in ("Ki", "IC50"):
            continue
        quantity = "ki" if potency.kind == "Ki" else f"ic50_{potency.definition}"
        row = {"compound": named["sample"], "run": named["plate"], "quantity": quantity} | _potency(potency)
        share = (shares.get((named["plate"], named["sample"])) or {}).get("share_wells")
        se = potency.log10_se
        if quantity == "ki" and se and share is not None:
            # Protein and tracer are the plate's: compound and reference share what they are off by.
            row |= {
                "log10_se": se * math.sqrt(share),
                "shared_log10_se": se * math.sqrt(max(1.0 - share, 0.0)),
                "why": "log10_se is of the wells; that of protein and tracer is shared by the plate",
            }
        rows.append(row)
    return rows


def _of_elisa(result: elisa.Result, target: str) -> list[Row]:
    return _without_lone_pools(
        [
            {"compound": one.sample, "run": one.donor, "target": target}
            | {"quantity": f"ic50_{one.potency.definition}"}
            | _potency(one.potency)
            for one in result.named
        ]
    )


def _of_growth(result: growth.Result, _target: str) -> list[Row]:
    return _without_lone_pools(
        [
            {"compound": one.compound, "run": one.experiment, "cells": one.line, "unit": one.unit}
            | {"quantity": GROWTH[one.definition]}
            | _potency(one.potency)
            for one in result.named
        ]
    )


def _of_degradation(result: degradation.Result, _target: str) -> list[Row]:
    rows = []
    for point in (*result.points, *result.parts):
        about = {
            "compound": point.compound,
            "target": point.target,
            "run": point.experiment,
            "n": point.n,
            "time_h": point.time_h,
        }
        if point.status == "NO_EFFECT":
            if point in result.parts:
                rows += _no_loss(result, about)
            continue
        for name, potency in (("dc50_relative", point.relative), ("dc50_absolute", point.absolute)):
            rows.append(about | {"quantity": name} | _potency(potency) | {"time_h": point.time_h})
        if point.dmax is not None:
            ends = {"low": point.dmax_low, "high": point.dmax_high}
            rows.append(about | {"quantity": "dmax", "value": point.dmax, "unit": "fraction"} | ends)
    rows += [row for rate in result.tables["rates"].to_dicts() for row in _rate(rate)]
    return _without_lone_pools(list({_key(row): row for row in rows}.values()))


def _key(row: Row) -> tuple[Any, ...]:
    names = ("compound", "target", "run", "quantity", "time_h", "dose_nm")
    return tuple(row.get(name) for name in names)


def _rate(rate: Row) -> list[Row]:
    """EC50 of the rate, and the greatest added rate over the natural one as odds of Dmax at steady state."""
    about = {"compound": rate["compound"], "target": rate["target"], "run": rate["experiment"]}
    about |= {"n": rate["experiments"], "relation": rate["relation"], "why": rate["note"] or ""}
    value, low, high = rate["value"], rate["low"], rate["high"]
    if rate["dose_nm"] is not None:
        return []
    if rate["name"] == "ec50_of_rate":
        return [about | {"quantity": "rate_ec50", "value": value, "low": low, "high": high}]
    if rate["name"] == "dmax_at_steady_state":
        odds = {name: _odds(x) for name, x in (("value", value), ("low", low), ("high", high))}
        if odds["value"] is not None:
            return [about | {"quantity": "rate_max_over_k_deg", "unit": "dimensionless"} | odds]
    return []


def _odds(share: float | None) -> float | None:
    return share / (1.0 - share) if share is not None and 0.0 < share < 1.0 else None


def _no_loss(result: degradation.Result, about: Row) -> list[Row]:
    """What loss at the highest dose and latest time is excluded where a compound shows no effect."""
    mine = result.tables["readings"].filter(
        (pl.col("target") == about["target"])
        & (pl.col("compound") == about["compound"])
        & (pl.col("experiment") == about["run"])
        & (pl.col("dose_nm") > 0.0)
    )
    if mine.is_empty():
        return []
    last = mine.filter(pl.col("time_h") == pl.col("time_h").max())
    top = last.filter(pl.col("dose_nm") == pl.col("dose_nm").max())
    # Nothing happens at any dose, so all of them say how far lanes scatter.
    left = mine["fraction_remaining"].to_numpy()
    spread = float(np.std(left, ddof=1)) if left.size > 1 else 0.15
    reach = float(student.ppf(LIMIT_LEVEL, max(left.size - 1, 1))) * spread / math.sqrt(top.height)
    mean = top["fraction_remaining"].mean()
    # Lanes that came out above the vehicle's exclude no more than their scatter does.
    limit = min(max(1.0 - float(mean), 0.0) + reach, 0.99)  # type: ignore[arg-type]
    return [
        about
        | {
            "quantity": "loss",
            "relation": "<",
            "value": limit,
            "high": limit,
            "unit": "fraction",
            "time_h": _number(top["time_h"][0]),
            "dose_nm": _number(top["dose_nm"][0]),
            "why": "no effect: the flat line fits as well; the limit is of the lanes at the top dose",
        }
    ]


def _without_lone_pools(rows: list[Row]) -> list[Row]:
    """Rows without the pools of a single run, which are that run again."""
    runs = Counter(_about(row) for row in rows if row["run"])
    return [row for row in rows if row["run"] or runs[_about(row)] != 1]


def _about(row: Row) -> tuple[Any, ...]:
    """What a pool and its runs have in common."""
    return tuple(row.get(name) for name in ("compound", "target", "cells", "quantity", "time_h", "dose_nm"))


def _number(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type]


KINDS: Mapping[str, tuple[type, Callable[[Any, str], list[Row]]]] = {
    "fp": (polarization.Result, _of_fp),
    "degradation": (degradation.Result, _of_degradation),
    "elisa": (elisa.Result, _of_elisa),
    "growth": (growth.Result, _of_growth),
}
