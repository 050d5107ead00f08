"""Simulations as SED-ML: one time course of a model with a report and a plot, written and read.

Source: SED-ML Level 1 Version 3, doi:10.1515/jib-2017-0086. Written is that version, which most programs
read; read is every version that libsedml reads.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import libsbml

from glueprint.boundary import Ended, Helper, Limits
from glueprint.errors import EnvironmentProblemError, InputError, NotSupportedError

__all__ = ["Described", "Generator", "Run", "Variable", "read", "written"]

CORE = "http://www.sbml.org/sbml/level3/version2/core"
TIME = "urn:sedml:symbol:time"
LANGUAGE = "urn:sedml:language:sbml.level-3.version-2"
LISTS = {"species": "Species", "parameter": "Parameters", "compartment": "Compartments"}
ELEMENT = re.compile(
    r"/(?:\w+:)?(species|parameter|compartment)\[@id=['\"]([A-Za-z_]\w*)['\"]\](?:/@(\w+))?$"
)
MOST_POINTS = 1_000_000
LIMITS = Limits(seconds=60, memory_mb=1024)


@dataclass(frozen=True)
class Variable:
    """name: of the model, or "time".   task: of the run it is read from."""

    name: str
    task: str


@dataclass(frozen=True)
class Generator:
    """A column of results.   formula: of `variables` and `parameters`, by their names in the file."""

    label: str
    formula: str
    variables: Mapping[str, Variable]
    parameters: Mapping[str, float]


@dataclass(frozen=True)
class Run:
    """A time course.

    source: name of the model's file.   changes: name of the model, its attribute, and the value that it gets
    at time 0.   begin, end: of what is reported.   points: intervals between.
    """

    name: str
    source: str
    changes: tuple[tuple[str, str, float], ...]
    begin: float
    end: float
    points: int


@dataclass(frozen=True)
class Described:
    """What a file asks for.   columns: of the report; of all data generators where there is none."""

    runs: tuple[Run, ...]
    columns: tuple[Generator, ...]


def written(model_file: str, sbml: str, until: float, points: int, outputs: Sequence[str]) -> str:
    """SED-ML of one time course from 0 to `until` in `points` intervals, with a report and a plot.

    model_file: where the model's SBML text `sbml` lies.   outputs: names of the model.
    Raises InputError GP-W029 for an output that is no species, parameter or compartment,
    EnvironmentProblemError GP-W023 without libsedml.
    """
    model = libsbml.readSBMLFromString(sbml).getModel()
    options = {
        "source": model_file,
        "language": LANGUAGE,
        "namespace": CORE,
        "until": until,
        "points": points,
        "outputs": [(name, _target(model, name)) for name in outputs],
    }
    return _asked("written", b"", options)[1].decode()


def _target(model: Any, name: str) -> str:
    for kind, of in (
        ("species", model.getSpecies(name)),
        ("parameter", model.getParameter(name)),
        ("compartment", model.getCompartment(name)),
    ):
        if of is not None:
            return f"/sbml:sbml/sbml:model/sbml:listOf{LISTS[kind]}/sbml:{kind}[@id='{name}']"
    raise InputError(
        "GP-W029",
        f'the output "{name}" is no species, parameter or compartment',
        where=model.getId(),
        expected="what an SED-ML file can point to",
        next_step="name others with --output, or give the rate a parameter with an assignment rule",
    )


def read(content: bytes, where: str) -> Described:
    """What a SED-ML text asks for.

    Raises InputError GP-W031 (it cannot be read), NotSupportedError GP-W032 (what it asks for is not run
    here), EnvironmentProblemError GP-W023 without libsedml.
    """
    try:
        table, _ = _asked("described", content, {})
    except Ended as ended:
        raise _unreadable(f"libsedml cannot take it: {ended}", where) from ended
    if "unreadable" in table:
        raise _unreadable(str(table["unreadable"]), where)
    models = {one["id"]: one for one in table["models"]}
    courses = {one["id"]: one for one in table["simulations"]}
    runs = tuple(_run(task, models, courses, where) for task in table["tasks"])
    generators = {one["id"]: one for one in table["generators"]}
    chosen = [(one["label"], one["generator"]) for one in table["datasets"]]
    chosen = chosen or [(one["name"], one["id"]) for one in table["generators"]]
    columns = []
    for label, name in chosen:
        if name not in generators:
            raise _unreadable(f'the report reads "{name}", which is no data generator', where)
        columns.append(_column(label, generators[name], where))
    return Described(runs, tuple(columns))


def _run(task: dict[str, Any], models: dict[str, Any], courses: dict[str, Any], where: str) -> Run:
    if task["kind"] != "task":
        raise _refused(f"{task['kind']} {task['id']}", where)
    model, course = models.get(task["model"]), courses.get(task["simulation"])
    if model is None or course is None:
        raise _unreadable(f"task {task['id']} names a model or simulation that is not there", where)
    if course["kind"] != "uniformTimeCourse":
        raise _refused(f"the simulation {course['id']}, a {course['kind']}", where)
    if course["start"] != 0.0:
        raise _refused(f"the simulation {course['id']}, which starts at {course['start']:g}", where)
    fine = 0.0 <= course["begin"] < course["end"] < float("inf") and 0 < course["points"] <= MOST_POINTS
    if not fine:
        message = f"{course['points']} points from {course['begin']:g} to {course['end']:g}"
        raise _unreadable(f"the simulation {course['id']} has {message}", where)
    if model["source"].startswith("#") or model["source"] in models:
        raise _refused(f"the model {model['id']}, which is made from another", where)
    changes = tuple(_change(one, model["id"], where) for one in model["changes"])
    return Run(task["id"], model["source"], changes, course["begin"], course["end"], course["points"])


def _change(change: dict[str, str], model: str, where: str) -> tuple[str, str, float]:
    """Name, attribute and value of what is changed."""
    found = ELEMENT.search(change["target"])
    attribute = "" if found is None else found[3] or ""
    if change["kind"] != "changeAttribute" or attribute not in (
        *("value", "size", "initialConcentration", "initialAmount"),
    ):
        raise _refused(f"a {change['kind']} of {change['target']} in model {model}", where)
    assert found is not None
    try:
        return found[2], attribute, float(change["value"])
    except ValueError:
        raise _unreadable(f'{change["target"]} becomes "{change["value"]}"', where) from None


def _column(label: str, generator: dict[str, Any], where: str) -> Generator:
    variables = {}
    for one in generator["variables"]:
        found = ELEMENT.search(one["target"])
        if one["symbol"] == TIME:
            variables[one["id"]] = Variable("time", one["task"])
        elif found is not None and not found[3] and not one["symbol"]:
            variables[one["id"]] = Variable(found[2], one["task"])
        else:
            raise _refused(f"the variable {one['id']}, {one['symbol'] or one['target']}", where)
    return Generator(label, generator["formula"], variables, generator["parameters"])


def _asked(question: str, content: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What libsedml answers, in a process of its own; raises `Ended`, EnvironmentProblemError GP-W023."""
    if importlib.util.find_spec("libsedml") is None:
        raise EnvironmentProblemError(
            "GP-W023",
            "the package libsedml is not installed",
            where="SED-ML",
            expected="what reads and writes SED-ML",
            next_step='python -m pip install "glueprint[exchange]"',
        )
    return _helper(question).ask(content, options)


@cache
def _helper(question: str) -> Helper:
    return Helper(f"glueprint.boundary.simulation_text:{question}", LIMITS)


def _unreadable(message: str, where: str) -> InputError:
    return InputError(
        "GP-W031",
        message,
        where=where,
        expected="an archive or a description of simulations that can be read",
        next_step="export it again with the program that made it",
    )


def _refused(what: str, where: str) -> NotSupportedError:
    return NotSupportedError(
        "GP-W032",
        f"{what}: only uniform time courses from 0, changed attributes and values over time are run",
        where=where,
        next_step="run that part with the program that made it; the model itself is imported",
    )
