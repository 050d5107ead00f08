"""Lanes of a membrane whose ratio is far from that of lanes that hold the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.quality import replicates, verdicts
from glueprint.assays.quality.outliers import Readings

__all__ = ["suspects"]

ALIKE = ("experiment", "sample", "dose_nm", "time_h", "treatment", "vehicle")


def suspects(bands: Sequence[dict[str, Any]]) -> tuple[pl.DataFrame, list[Finding]]:
    """The table `suspects` of a membrane and its findings, target by target.

    bands: rows of `normalisation.BANDS`. Vehicle lanes and other replicates share one scatter of logarithms;
    lanes of a dilution series, and those below detection, are not judged.
    """
    usable = [
        row
        for row in bands
        if row["log_ratio"] is not None and row["relation"] == "=" and "dilution series" not in row["flags"]
    ]
    targets = list(dict.fromkeys(row["target"] for row in usable))

    def fitted(i: int, without: frozenset[str]) -> Readings:
        mine = [row for row in usable if row["target"] == targets[i]]
        keys = [tuple(row[name] for name in ALIKE) for row in mine]
        numbers = {key: n for n, key in enumerate(dict.fromkeys(keys))}
        group = np.array([numbers[key] for key in keys], dtype=np.int64)
        value = np.array([math.exp(row["log_ratio"]) for row in mine])
        where = [f"{row['membrane']}:{row['lane']}" for row in mine]
        return replicates.of_groups(targets[i], where, value, group, without)

    return verdicts.judged(len(targets), fitted, what="lane")
