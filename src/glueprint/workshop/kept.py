"""A fit in a folder: searches are kept as they end, so that the same command goes on from there.

OUT/fit.json               what the searches are of: a digest of problem and settings, kind and version
OUT/searches-00001.parquet  searches, some at a time, in the order of the starts
OUT/result.json            the result without rows and profiles, once it is there
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.boundary import read_text
from glueprint.errors import InputError
from glueprint.runs import provenance
from glueprint.runs.store import read_table, write_file, write_tables
from glueprint.workshop.fitting import Fit, Settings, Told, draw_starts, fit
from glueprint.workshop.objective import Objective
from glueprint.workshop.problem import Problem
from glueprint.workshop.search import Searched, joined, search

__all__ = ["BATCH", "digest", "fit_into"]

Floats = NDArray[np.float64]
KIND, VERSION = "glueprint-fit-folder", 1
FILE_NAME = "fit.json"
BATCH = 100  # searches between two files; each batch is one ensemble


def fit_into(
    folder: Path, problem: Problem, settings: Settings, *, fresh: bool = False, told: Told | None = None
) -> Fit:
    """Fit, keeping what is done in a folder, and going on from what is there.

    fresh: begin anew, whatever the folder holds.
    Raises InputError GP-W026 where the folder is of another problem or other settings, and as `fit`.
    """
    key = digest(problem, settings)
    header = json.dumps({"kind": KIND, "version": VERSION, "problem": problem.name, "digest": key}, indent=1)
    place = folder / FILE_NAME
    if place.exists() and not fresh:
        _require(place, key)
    else:
        for old in folder.glob("searches-*.parquet"):
            old.unlink()
        write_file(place, header + "\n")
    objective = Objective(problem, accuracy=settings.accuracy)
    found = fit(
        problem,
        settings,
        told=told,
        objective=objective,
        searched=_searches(folder, problem, settings, objective, told),
    )
    write_file(folder / "result.json", json.dumps(_plain(found.as_dict()), indent=1) + "\n")
    return found


def digest(problem: Problem, settings: Settings) -> str:
    """SHA-256 of all that decides a fit: model, data, parameters, settings and versions."""
    rows = problem.rows
    parts = (
        problem.model.hash,
        problem.parameters,
        problem.observables,
        [
            (
                one.name,
                sorted(one.values.items()),
                one.before and sorted(one.before.items()),
                _doses(one.doses),
                (one.keeps, one.begin, [(time, sorted(values.items())) for time, values in one.later]),
            )
            for one in problem.experiments
        ],
        [array.tobytes().hex() for array in (rows.experiment, rows.observable, rows.time, rows.value)],
        rows.observable_fill,
        rows.noise_fill,
        settings,
        sorted(provenance.versions().items()),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _doses(doses: Any) -> Any:
    if doses is None:
        return None
    names = ("time_h", "target", "amount", "duration_h", "interval_h", "given_h")
    return [np.asarray(getattr(doses, name)).tolist() for name in names]


def _require(place: Path, key: str) -> None:
    try:
        content = json.loads(read_text(place))
        same = (
            content.get("kind") == KIND and content.get("version") == VERSION and content.get("digest") == key
        )
    except (OSError, ValueError, AttributeError):
        same = False
    if not same:
        raise InputError(
            "GP-W026",
            "the folder holds another fit: problem, data, settings or versions differ",
            where=str(place),
            expected="the folder of this very fit, or an empty one",
            next_step="choose another folder with --out, or begin anew with --fresh",
        )


def _searches(
    folder: Path, problem: Problem, settings: Settings, objective: Objective, told: Told | None
) -> Searched:
    starts, box = draw_starts(problem, settings.starts, settings.seed), problem.box()
    p, parts = starts.shape[1], []
    for number, first in enumerate(range(0, settings.starts, BATCH), 1):
        name = f"searches-{number:05d}"
        path = folder / f"{name}.parquet"
        if not path.is_file():
            some = starts[first : first + BATCH]

            def hears(done: int, _: int, before: int = first) -> None:
                if told is not None:
                    told("searches", before + done, settings.starts)

            done = search(lambda z, _: objective(z), some, box, rounds=settings.rounds, told=hears)
            write_tables(folder, {name: _packed(done)})
        parts.append(_unpacked(read_table(path, name), p))
    return joined(parts)


def _packed(done: Searched) -> pl.DataFrame:
    m = done.value.size
    return pl.DataFrame(
        {
            "scaled": done.scaled.tolist(),
            "value": done.value,
            "gradient": done.gradient.tolist(),
            "curvature": done.curvature.reshape(m, -1).tolist(),
            "status": list(done.status),
            "reason": list(done.reasons),
            "rounds": done.rounds,
        }
    )


def _unpacked(table: pl.DataFrame, p: int) -> Searched:
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


def _plain(value: Any) -> Any:
    """`value` with what JSON cannot write as null."""
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
