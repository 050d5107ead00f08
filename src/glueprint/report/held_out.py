"""The check inside the evidence: rows that the fit never read, predicted beside published."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import polars as pl

from glueprint.calibration import prediction
from glueprint.report import rows as reading
from glueprint.report import tables as contract
from glueprint.report.estimates import number
from glueprint.report.guide import PRINTED, Strip, strip_of
from glueprint.trials import label_of

__all__ = ["HeldOut", "HeldOutSection", "held_out_section"]

RATIOS, LANDMARK, SUBGROUPS, OTHERS = (
    "Hazard ratios between the arms", "By the state at cycle 3", "Subgroups", "Other rows"
)  # fmt: skip


@dataclass(frozen=True)
class HeldOut:
    """One row: as published, predicted with its 95 % interval, and whether that holds the published value.

    inside: "yes", "no", or empty where the row could not be compared, and `note` says why.
    """

    quantity: str
    trial: str
    arm: str
    published: str
    claim_id: str
    predicted: str
    interval: str
    inside: str
    strip: Strip | None
    note: str


@dataclass(frozen=True)
class HeldOutSection:
    """All that the section shows: rows by kind, their labels, and the score of `prediction.total`.

    inside of compared rows hold the published value; total counts those that could not be compared too.
    replicates: virtual trials behind an interval, as "200" or "150 to 200".
    """

    groups: tuple[tuple[str, tuple[HeldOut, ...]], ...]
    labels: tuple[str, ...]
    total: int
    compared: int
    inside: int
    log_score: str
    width_ratio: str
    replicates: str


def held_out_section(table: pl.DataFrame | None, trials: Mapping[str, str]) -> HeldOutSection | None:
    """The section of a study's held-out rows; None without any.

    table: as `calibration.prediction.compare` gives it.   trials: name -> how the page calls it.
    Raises InputError GP-P001 for a missing column.
    """
    if table is None or table.is_empty():
        return None
    contract.require(table, contract.HELD_OUT, "held_out")
    rows = _ordered(table.to_dicts())
    score = prediction.total(table)
    counts = sorted({int(row["replicates"]) for row in rows if row["replicates"] is not None})
    return HeldOutSection(
        groups=tuple(
            (kind, tuple(_shown(row, trials) for row in part))
            for kind, part in groupby(rows, key=lambda row: _kind(str(row["endpoint"])))
        ),
        labels=tuple(table.get_column("label").unique(maintain_order=True).to_list()),
        total=table.height,
        compared=table.get_column("inside").count(),
        inside=int(score["inside"]),
        log_score=number(score["mean_log_score"]),
        width_ratio=number(score["median_width_ratio"]),
        replicates=" to ".join(map(str, counts if len(counts) < 2 else (counts[0], counts[-1]))),
    )


KINDS = (RATIOS, LANDMARK, SUBGROUPS, OTHERS)


def _ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By kind, then as given, but readings of one quantity together where the first of them stands."""
    first: dict[tuple[str, ...], int] = {}
    for place, row in enumerate(rows):
        first.setdefault(_of(row), place)
    return sorted(rows, key=lambda row: (KINDS.index(_kind(str(row["endpoint"]))), first[_of(row)]))


def _of(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("trial", "arm", "endpoint"))


def _kind(endpoint: str) -> str:
    if "(" in endpoint:
        return SUBGROUPS
    if "cycle_3" in endpoint:
        return LANDMARK
    return RATIOS if endpoint.startswith("hr_") else OTHERS


def _shown(row: Mapping[str, Any], trials: Mapping[str, str]) -> HeldOut:
    unit = reading.written(row["unit"])
    predicted, low, high = row["predicted"], row["low"], row["high"]
    compared = row["inside"] is not None
    # Without an end the interval runs on to times that no replicate reached.
    open_end = compared and high is None
    return HeldOut(
        quantity=_quantity(str(row["endpoint"])),
        trial=trials.get(row["trial"], row["trial"]),
        arm=str(row["arm"]),
        published=_with_unit(number(row["observed"], PRINTED), unit),
        claim_id=str(row["source"] or ""),
        predicted=_with_unit(number(predicted), unit) if predicted is not None else _unreached(compared),
        interval=""
        if low is None
        else f"{number(low)}–{_unreached(compared) if high is None else number(high)}",
        inside={True: "yes", False: "no", None: ""}[row["inside"]],
        strip=strip_of(row["observed"], predicted, low, math.inf if open_end else high),
        note=str(row["note"] or ""),
    )


def _unreached(compared: bool) -> str:
    return "not reached" if compared else ""


def _quantity(endpoint: str) -> str:
    """The endpoint in words; "hr_os (sex male)" is that of a subgroup."""
    name, _, level = endpoint.rstrip(")").partition(" (")
    words = label_of(name)
    return f"{words}; {level.replace('_', ' ')}" if level else words


def _with_unit(text: str, unit: str) -> str:
    return f"{text}\u00a0{unit}" if unit else text
