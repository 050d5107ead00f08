"""A model with a simulation as an archive, and an archive of somebody else's as files and results."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import polars as pl

from glueprint.engine import REASONS, Doses, Settings, compile  # noqa: A004 - the interface of docs/design.md
from glueprint.errors import InputError, NotSupportedError
from glueprint.runs.store import write_file
from glueprint.workshop.exchange import sedml
from glueprint.workshop.exchange.antimony_text import antimony
from glueprint.workshop.exchange.archive import FORMATS, Archive, Content, opened, packed
from glueprint.workshop.exchange.dose_events import Later
from glueprint.workshop.exchange.sbml import Written, read_document, sbml
from glueprint.workshop.formula import compiled

__all__ = ["MODEL", "Course", "Imported", "Packed", "Result", "import_archive", "pack"]

MODEL, SIMULATION, COURSE, ANTIMONY = "model.xml", "simulation.sedml", "course.csv", "model.ant"
ACCURACY = 1e-8  # of the course in an archive, which others compare theirs with


@dataclass(frozen=True, eq=False)
class Course:
    """What is simulated.

    until: last time, in the model's unit.   points: intervals.   outputs: names, all species if none.
    given: values at time 0.   doses: of patient 0.
    later: parameters changed on the way, (time, name, value).
    """

    until: float
    points: int = 100
    outputs: tuple[str, ...] = ()
    given: Mapping[str, float] | None = None
    doses: Doses | None = None
    later: Later = ()

    def __post_init__(self) -> None:
        if not (np.isfinite(self.until) and self.until > 0.0 and 1 <= self.points <= sedml.MOST_POINTS):
            raise InputError(
                "GP-W029",
                f"{self.points} points up to {self.until:g}",
                where="course",
                expected=f"a last time above 0, and from 1 to {sedml.MOST_POINTS} points",
                next_step="correct the numbers",
            )

    @property
    def times(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """(points + 1,) from 0 on."""
        return np.linspace(0.0, self.until, self.points + 1)


@dataclass(frozen=True, eq=False)
class Packed:
    """An archive.   data: its bytes.   sbml: the model in it.   course: time and outputs, as in it."""

    data: bytes
    sbml: Written
    simulation: str
    course: pl.DataFrame


@dataclass(frozen=True, eq=False)
class Result:
    """What one description of an archive gives.   name: its file.   run: the task that times are of."""

    name: str
    run: str
    table: pl.DataFrame


@dataclass(frozen=True, eq=False)
class Imported:
    """files: written, below the folder.   results: one for each task.   notes: what a reader should know."""

    files: tuple[str, ...]
    results: tuple[Result, ...]
    notes: tuple[str, ...]


def pack(source: str | os.PathLike[str], course: Course) -> Packed:
    """A COMBINE archive of a model: SBML, Antimony, SED-ML with report and plot, and the course as CSV.

    source: path or text, Antimony or SBML.
    Raises InputError GP-W029 (a name that the model does not have), GP-W034, GP-W035 (the run fails),
    NotSupportedError GP-W030, EnvironmentProblemError GP-W023, and as `engine.compile`.
    """
    written = sbml(source, course.given, course.doses, course.later)
    # What is run is what is written, so that values at the time of a dose are those after it, as in SBML.
    model = compile(written.text)
    outputs = course.outputs or compile(source).species
    simulation = sedml.written(MODEL, written.text, course.until, course.points, outputs)
    seen = _course(model, course.times, outputs, model.name)
    table = pl.DataFrame({"time": course.times, **seen})
    contents = (
        Content(MODEL, FORMATS["sbml"], written.text.encode()),
        Content(SIMULATION, FORMATS["sedml"], simulation.encode(), master=True),
        Content(ANTIMONY, FORMATS["text"], antimony(written.text, written.name).encode()),
        Content(COURSE, FORMATS["csv"], table.write_csv().encode()),
    )
    return Packed(packed(contents), written, simulation, table)


def import_archive(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> Imported:
    """Unpack an archive below a folder, run what its SED-ML files ask for, and write each result as CSV.

    The folder must be empty or absent.
    Raises InputError GP-W031, GP-W033, GP-W035 and GP-W036 (the folder is not empty), NotSupportedError
    GP-W032, EnvironmentProblemError GP-W023, and as `engine.compile` for its models.
    """
    place = Path(folder)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise InputError(
            "GP-W036",
            "it is there and not empty",
            where=str(place),
            expected="an empty folder, or a name that is free",
            next_step="choose another with --out",
        )
    archive = opened(path)
    notes = [f"{name} is in no manifest and was not unpacked" for name in archive.unlisted]
    described = [
        (one, sedml.read(one.data, f"{os.fspath(path)}, {one.name}")) for one in archive.of("sed-ml")
    ]
    for one in archive.contents:
        write_file(place / one.name, one.data)
    if not described:
        notes.append("no simulation is described")
    results = []
    for one, description in described:
        for run in description.runs:
            table = _run(archive, place, one.name, run, description)
            if table.width > 1:
                name = f"{PurePosixPath(one.name).stem}-{run.name}.csv"
                write_file(place / "results" / name, table.write_csv())
                results.append(Result(one.name, run.name, table))
    return Imported(tuple(one.name for one in archive.contents), tuple(results), tuple(notes))


def _run(archive: Archive, place: Path, file: str, run: sedml.Run, asked: sedml.Described) -> pl.DataFrame:
    """The columns of a description that read one task, over its times."""
    name = os.path.normpath(PurePosixPath(file).parent / run.source)
    where = f"{file}, task {run.name}"
    if name not in {one.name for one in archive.contents}:
        raise NotSupportedError(
            "GP-W032",
            f'its model "{run.source}" is not in the archive, and nothing is fetched',
            where=where,
            next_step="put the file into the archive",
        )
    path = place / name
    written = sbml(path, _values(path, run, where))
    model = compile(written.text)
    columns = [
        one for one in asked.columns if {variable.task for variable in one.variables.values()} == {run.name}
    ]
    read = dict.fromkeys(one.name for column in columns for one in column.variables.values())
    names = tuple(one for one in read if one != "time")
    missing = [one for one in names if one not in model.system.symbols]
    if missing:
        raise InputError(
            "GP-W029",
            f'it reads "{missing[0]}", which the model does not have',
            where=where,
            expected="names of the model",
            next_step="correct the target of the variable",
        )
    times = np.linspace(run.begin, run.end, run.points + 1)
    seen = _course(model, times, names, where)
    values = {"time": times, **seen}
    table: dict[str, Any] = {"time": times}
    for column in columns:
        label = column.label if column.label not in table else f"{column.label}_{len(table)}"
        if column.label == "time" and column.formula in column.variables:
            continue
        table[label] = _computed(column, values, times, where)
    return pl.DataFrame(table)


def _computed(column: sedml.Generator, values: Mapping[str, Any], times: Any, where: str) -> Any:
    if column.formula in column.variables:
        return values[column.variables[column.formula].name]
    formula = compiled(column.formula, where=where)
    given = {name: values[one.name] for name, one in column.variables.items()}
    given |= {name: np.full(times.size, value) for name, value in column.parameters.items()}
    return formula([given[name][None, :] for name in formula.names], times[None, :])[0][0]


def _values(path: Path, run: sedml.Run, where: str) -> dict[str, float]:
    """Values at time 0 by the model's symbols; what another meaning would need is refused."""
    model = read_document(path).getModel()
    found = {}
    for name, attribute, value in run.changes:
        species = model.getSpecies(name)
        as_amount = attribute == "initialAmount"
        if species is not None and as_amount != bool(species.getHasOnlySubstanceUnits()):
            raise NotSupportedError(
                "GP-W032",
                f"the {attribute} of {name} is set, which the model counts the other way",
                where=where,
                next_step="set the amount of what is counted in amounts, else the concentration",
            )
        if model.getInitialAssignment(name) is not None:
            raise NotSupportedError(
                "GP-W032",
                f"{name} is set, and an initial assignment of the model sets it again",
                where=where,
                next_step="take the initial assignment out of the model",
            )
        found[name] = value
    return found


def _course(model: Any, times: Any, names: tuple[str, ...], where: str) -> dict[str, Any]:
    if not names:
        return {}
    ensemble = model.ensemble(patients=1, settings=Settings(accuracy=ACCURACY))
    result = ensemble.simulate(times, outputs=list(names))
    if result.status[0]:
        raise InputError(
            "GP-W035",
            f"the run fails: {REASONS[int(result.status[0])]}",
            where=where,
            expected="a model that runs to the last time",
            next_step="glueprint model simulate shows how far it comes",
        )
    return {name: result[name][0] for name in names}
