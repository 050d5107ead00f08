"""A fit in a folder: searches and profiles are kept as they go, so that the same command goes on from there.

OUT/fit.json                what is kept is of: a digest of problem and settings, kind and version
OUT/searches-00001.parquet  searches, some at a time, in the order of the starts
OUT/going-00001.parquet     the same on their way, until they have ended
OUT/profiles-00001.parquet  profiles on their way or ended; 2 and on where a better value let them begin anew
OUT/result.json             the result without rows and profiles, once it is there
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.boundary import read_text
from glueprint.errors import InputError
from glueprint.runs import provenance
from glueprint.runs.store import read_table, write_file, write_tables
from glueprint.workshop.fitting import Fit, Settings, Told, draw_starts, fit
from glueprint.workshop.objective import Objective
from glueprint.workshop.problem import Problem
from glueprint.workshop.search import Searched, joined, search
from glueprint.workshop.states import (
    PROFILES,
    KeptProfiles,
    KeptTable,
    going_from,
    keep_going,
    searched_from,
    searched_table,
)

__all__ = ["BATCH", "digest", "fit_into"]

Floats = NDArray[np.float64]
KIND, VERSION = "glueprint-fit-folder", 1
SEARCHES, GOING = "searches", "going"
FILE_NAME = "fit.json"
BATCH = 100  # searches in a file; each batch is one ensemble


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
        for kind in (SEARCHES, GOING, PROFILES):
            for old in folder.glob(f"{kind}-*.parquet"):
                old.unlink()
        write_file(place, header + "\n")
    objective = Objective(problem, accuracy=settings.accuracy)
    found = fit(
        problem,
        settings,
        told=told,
        objective=objective,
        searched=_searches(folder, problem, settings, objective, told),
        keeper=KeptProfiles(folder),
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
        name = f"{SEARCHES}-{number:05d}"
        path = folder / f"{name}.parquet"
        if not path.is_file():
            some = starts[first : first + BATCH]

            def hears(done: int, _: int, before: int = first) -> None:
                if told is not None:
                    told("searches", before + done, settings.starts)

            kept = KeptTable(folder, f"{GOING}-{number:05d}")
            table = kept.read()
            done = search(
                lambda z, _: objective(z),
                some,
                box,
                rounds=settings.rounds,
                told=hears,
                going=None if table is None else going_from(table, p),
                keep=partial(keep_going, kept),
            )
            write_tables(folder, {name: searched_table(done)})
            kept.path.unlink(missing_ok=True)
        parts.append(searched_from(read_table(path, name), p))
    return joined(parts)


def _plain(value: Any) -> Any:
    """`value` with what JSON cannot write as null."""
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
