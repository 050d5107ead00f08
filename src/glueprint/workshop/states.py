"""Searches and profiles on their way as tables, which give back the same bits."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.runs.store import read_table, write_tables
from glueprint.workshop.profiles import Walk
from glueprint.workshop.search import Going, Searched

__all__ = [
    "PROFILES",
    "KeptProfiles",
    "KeptTable",
    "going_from",
    "keep_going",
    "searched_from",
    "searched_table",
]

PROFILES = "profiles"
EVERY_S = 1.0  # between two files of the same name: a round of a small problem is faster than a disk
# Columns of profiles on their way: a row a walk, its points and vectors as lists.
NUMBERS = ("step", "largest", "inner", "outer", "outer_rise", "limit", "trial", "better_value")
VECTORS = ("z", "outer_z", "better")
WALK: dict[str, Any] = {
    **dict.fromkeys(("search", "number", "steps", "evaluations"), pl.Int64),
    **dict.fromkeys(("sign", *NUMBERS), pl.Float64),
    "state": pl.String,
    **dict.fromkeys(("at", "rise", *VECTORS), pl.List(pl.Float64)),
}
PARTS = ("at", "rise", *VECTORS)


@dataclass(eq=False)
class KeptTable:
    """A table that is written again and again while work goes on."""

    folder: Path
    name: str
    written: float = -np.inf

    @property
    def path(self) -> Path:
        """Of its file."""
        return self.folder / f"{self.name}.parquet"

    def read(self) -> pl.DataFrame | None:
        """What is there, None for nothing."""
        return read_table(self.path, self.name) if self.path.is_file() else None

    def write(self, table: pl.DataFrame, *, last: bool) -> None:
        """Write it, unless that was done a moment ago.   last: nothing follows, so in any case."""
        now = time.monotonic()
        if last or now - self.written >= EVERY_S:
            write_tables(self.folder, {self.name: table})
            self.written = now


class KeptProfiles:
    """The keeper of a fit's profiles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tables: dict[int, KeptTable] = {}

    def walks(self, number: int) -> list[Walk] | None:
        """As of `fitting.Keeper`."""
        self.tables[number] = KeptTable(self.folder, f"{PROFILES}-{number:05d}")
        table = self.tables[number].read()
        return None if table is None else [_walk(row) for row in table.to_dicts()]

    def keep(self, number: int, walks: Sequence[Walk]) -> None:
        """As of `fitting.Keeper`."""
        rows = [_row(walk) for walk in walks]
        ended = all(walk.state != "walking" for walk in walks)
        self.tables[number].write(pl.DataFrame(rows, schema=WALK, orient="row"), last=ended)


def _row(walk: Walk) -> dict[str, Any]:
    row = {name: getattr(walk, name) for name in WALK if name not in PARTS}
    row["at"], row["rise"] = (list(column) for column in zip(*walk.points, strict=True))
    for name in VECTORS:
        vector = getattr(walk, name)
        row[name] = None if vector is None else vector.tolist()
    return row


def _walk(row: dict[str, Any]) -> Walk:
    known = {name: value for name, value in row.items() if name not in PARTS}
    vectors: dict[str, Any] = {name: None if row[name] is None else np.array(row[name]) for name in VECTORS}
    return Walk(**known, **vectors, points=list(zip(row["at"], row["rise"], strict=True)))


def keep_going(kept: KeptTable, going: Going) -> None:
    """Write searches on their way, a row each."""
    table = _table(going, going.status.tolist(), going.reasons, going.used)
    kept.write(table.with_columns(damping=going.damping, slow=going.slow), last=False)


def going_from(table: pl.DataFrame, p: int) -> Going:
    """What `keep_going` wrote.   p: parameters."""
    done = searched_from(table, p)
    return Going(
        done.scaled,
        done.value,
        done.gradient,
        done.curvature,
        np.array(done.status, dtype=object),
        list(done.reasons),
        done.rounds,
        table["damping"].to_numpy().copy(),
        table["slow"].to_numpy().copy(),
    )


def searched_table(done: Searched) -> pl.DataFrame:
    """A row a search that has ended."""
    return _table(done, done.status, done.reasons, done.rounds)


def _table(
    state: Searched | Going, status: Sequence[str], reasons: Sequence[str], rounds: NDArray[np.int64]
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "scaled": state.scaled.tolist(),
            "value": state.value,
            "gradient": state.gradient.tolist(),
            "curvature": state.curvature.reshape(state.value.size, -1).tolist(),
            "status": list(status),
            "reason": list(reasons),
            "rounds": rounds,
        }
    )


def searched_from(table: pl.DataFrame, p: int) -> Searched:
    """What `searched_table` wrote.   p: parameters."""
    m = table.height
    arrays = {
        name: np.array(table[name].to_list(), dtype=np.float64)
        for name in ("scaled", "gradient", "curvature")
    }
    return Searched(
        arrays["scaled"].reshape(m, p),
        table["value"].to_numpy().copy(),
        arrays["gradient"].reshape(m, p),
        arrays["curvature"].reshape(m, p, p),
        tuple(table["status"].to_list()),
        tuple(table["reason"].to_list()),
        table["rounds"].to_numpy().copy(),
    )
