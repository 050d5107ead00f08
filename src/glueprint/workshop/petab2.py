"""Problems in PEtab 2: experiments as sequences of conditions, changes row by row, placeholders by name.

Source: petab.readthedocs.io, "PEtab data format specification", version 2.0.0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from glueprint import engine
from glueprint.errors import InputError
from glueprint.workshop.cells import Row, number
from glueprint.workshop.checks import checked
from glueprint.workshop.formula import Formula, compiled
from glueprint.workshop.petab_files import one_of, paths, refused, require_known, rows_of, tables, value
from glueprint.workshop.priors import PARAMETERS, Prior
from glueprint.workshop.problem import Experiment, Observable, Parameter, Problem, Rows, Value

__all__ = ["read"]

AS_IT_IS = "model as it is"  # the experiment of measurements that name none
# Ours by the distribution's name in the tables: scale of the comparison, and family.
NOISE = {
    "normal": ("lin", "normal"),
    "laplace": ("lin", "laplace"),
    "log-normal": ("log", "normal"),
    "log-laplace": ("log", "laplace"),
}
TABLES = ("parameter_files", "observable_files", "measurement_files", "condition_files", "experiment_files")


def read(path: Path, content: Mapping[str, Any]) -> Problem:
    """The problem that a PEtab 2 YAML file describes, checked.   content: of the file.

    Parameters are searched on a decadic scale where their lower bound is above 0, else as they are.
    Raises InputError GP-W001 to W003 and W008 to W019, NotSupportedError GP-W020, and as `engine.compile`.
    """
    file = _model(path, content)
    model = engine.compile(file)
    files = {
        kind: paths(path, content.get(kind), kind, optional=kind in ("condition_files", "experiment_files"))
        for kind in TABLES
    }
    _refuse_mappings(path, content)
    needs: tuple[str, ...] = ("parameterId", "lowerBound", "upperBound", "estimate")
    rows = list(tables(files["parameter_files"], needs))
    has_priors = any(row.text("priorDistribution") for row in rows if row.text("estimate") == "true")
    parameters = tuple(_parameter(row, has_priors=has_priors) for row in rows)
    known = {one.name for one in parameters}
    needs = ("observableId", "observableFormula", "noiseFormula")
    observables = tuple(_observable(row) for row in tables(files["observable_files"], needs))
    conditions = _conditions(files["condition_files"], known)
    experiments = _experiments(files["experiment_files"], conditions, known)
    needs = ("observableId", "experimentId", "measurement", "time")
    measured = list(tables(files["measurement_files"], needs))
    ones = {one.name: place for place, one in enumerate(experiments)}
    found = _rows(measured, observables, ones)
    _require_begun(found, experiments)
    return checked(Problem(path.stem, model, parameters, observables, experiments, found, source=str(file)))


def _model(path: Path, content: Mapping[str, Any]) -> Path:
    models = content.get("model_files")
    if not isinstance(models, dict) or len(models) != 1:
        raise refused(
            "not exactly one entry under model_files", str(path), "write one problem for each model"
        )
    if content.get("extensions"):
        raise refused("extensions of PEtab", f"{path}, extensions", "write the problem without them")
    (one,) = models.values()
    language = one.get("language") if isinstance(one, dict) else None
    if language != "sbml":
        raise refused(
            f"a model in the language {language}", f"{path}, model_files", "export the model as SBML"
        )
    return paths(path, one.get("location"), "model_files")[0]


def _refuse_mappings(path: Path, content: Mapping[str, Any]) -> None:
    for file in paths(path, content.get("mapping_files"), "mapping_files", optional=True):
        for row in tables([file], ("petabEntityId", "modelEntityId")):
            ours, its = row.text("petabEntityId"), row.text("modelEntityId")
            if its and its != ours:
                raise refused(
                    f"the alias {ours} of {its}", row.where("modelEntityId"), "give it that name in the model"
                )


def _parameter(row: Row, *, has_priors: bool) -> Parameter:
    estimated = one_of(row, "estimate", ("true", "false"), "") == "true"
    low = row.number("lowerBound") if estimated else 0.0
    high = row.number("upperBound") if estimated else 0.0
    return Parameter(
        name=row.name("parameterId"),
        scale="log10" if low > 0.0 else "lin",
        low=low,
        high=high,
        value=row.number("nominalValue", float("nan")),
        is_estimated=estimated,
        prior=_prior(row, low, high) if estimated and has_priors else None,
        where=row.where(),
    )


def _prior(row: Row, low: float, high: float) -> Prior:
    """The prior of a row, cut at the bounds; evenly between these where it names none and others do."""
    kind = one_of(row, "priorDistribution", PARAMETERS, "uniform")
    texts = row.items("priorParameters")
    numbers = [number(text) for text in texts] if row.text("priorDistribution") else [low, high]
    count = PARAMETERS[kind]
    if len(numbers) != count or None in numbers:
        raise InputError(
            "GP-W016",
            f'"{row.text("priorParameters")}" are not {count} numbers',
            where=row.where("priorParameters"),
            expected=f"{count} numbers of a {kind} distribution, with semicolons between",
            next_step="correct the cell",
        )
    first, second, *_ = (*(float(one) for one in numbers if one is not None), 1.0)
    if kind == "uniform":
        first, second = max(first, low), min(second, high)
    return Prior(kind, first, second, bounds=(low, high))


def _observable(row: Row) -> Observable:
    name, noise = row.name("observableId"), row.text("noiseFormula")
    transformation, distribution = NOISE[one_of(row, "noiseDistribution", NOISE, "normal")]
    return Observable(
        name=name,
        formula=row.text("observableFormula"),
        noise=noise,
        transformation=transformation,
        distribution=distribution,
        observable_slots=row.items("observablePlaceholders"),
        noise_slots=row.items("noisePlaceholders"),
        where=row.where(),
    )


Changes = dict[str, Value]


def _conditions(files: Sequence[Path], known: set[str]) -> dict[str, Changes]:
    """What each condition sets."""
    found: dict[str, Changes] = {}
    for row in tables(files, ("conditionId", "targetId", "targetValue")):
        name, target = row.name("conditionId"), row.name("targetId")
        changes = found.setdefault(name, {})
        if target in changes:
            raise _twice(f"condition {name} sets {target}", row.where("targetId"))
        if target in known:
            raise InputError(
                "GP-W013",
                f"{target} stands in the table of parameters, too",
                where=row.where("targetId"),
                expected="a name of the model that no other table sets",
                next_step="take it out of one of the two",
            )
        changes[target] = _target_value(row, known)
    return found


def _target_value(row: Row, known: set[str]) -> Value:
    text = row.name("targetValue")
    found = value(text)
    if not isinstance(found, str) or found in known:
        return found
    formula = compiled(text, where=row.where("targetValue"))
    return formula if formula.names else float(formula([], np.zeros(1))[0][0])


def _experiments(
    files: Sequence[Path], conditions: Mapping[str, Changes], known: set[str]
) -> tuple[Experiment, ...]:
    """Every experiment, its periods in the order of their times, and one for measurements that name none."""
    periods: dict[str, dict[float, Changes]] = {}
    places: dict[str, str] = {}
    for row in tables(files, ("experimentId", "time", "conditionId")):
        name, time, condition = row.name("experimentId"), _time(row), row.text("conditionId")
        if condition:
            require_known(condition, conditions, row, "conditionId", "condition")
        places.setdefault(name, row.where())
        changes = periods.setdefault(name, {}).setdefault(time, {})
        new = conditions[condition] if condition else {}
        for target in new.keys() & changes.keys():
            raise _twice(f"{name} sets {target} at {time:g}", row.where("conditionId"))
        changes |= new
    made = [_experiment(name, ones, places[name], known) for name, ones in periods.items()]
    return (*made, Experiment(AS_IT_IS))


def _time(row: Row) -> float:
    time = row.number("time")
    if time == math.inf:
        raise InputError(
            "GP-W018",
            "a period begins at inf",
            where=row.where("time"),
            expected="a time, or -inf for a steady state that is waited for",
            next_step="correct the cell",
        )
    return time


def _experiment(name: str, periods: Mapping[float, Changes], where: str, known: set[str]) -> Experiment:
    times = sorted(periods)
    before = periods[times[0]] if times[0] == -math.inf else None
    times = times if before is None else times[1:]
    if not times:
        raise refused(
            f"{name} is a steady state alone",
            where,
            "let the condition begin at 0, and measure it at time inf",
        )
    first = periods[times[0]] if before is None else before
    for target, one in first.items():
        if isinstance(one, Formula) and not set(one.names) <= known:
            raise refused(
                f"what {name} sets {target} to at its start reads names of the model: {one.text}",
                where,
                "write an initial assignment into the model, or a number",
            )
    return Experiment(
        name=name,
        values=periods[times[0]],
        before=before,
        keeps=True,
        begin=times[0],
        later=tuple((time, periods[time]) for time in times[1:]),
        where=where,
    )


def _rows(measured: Sequence[Row], observables: Sequence[Observable], ones: Mapping[str, int]) -> Rows:
    names = [row.text("experimentId", AS_IT_IS) for row in measured]
    for row, name in zip(measured, names, strict=True):
        require_known(name, ones, row, "experimentId", "experiment")
    return rows_of(measured, observables, [ones[name] for name in names])


def _require_begun(rows: Rows, experiments: Sequence[Experiment]) -> None:
    """No measurement before its experiment begins."""
    for row, place in enumerate(rows.where):
        one = experiments[int(rows.experiment[row])]
        if rows.time[row] < one.begin:
            raise InputError(
                "GP-W018",
                f"the time is {rows.time[row]:g}, and {one.name} begins at {one.begin:g}",
                where=place,
                expected="a time from its beginning on; inf is a steady state",
                next_step="correct the time, or the table of experiments",
            )


def _twice(message: str, where: str) -> InputError:
    return InputError(
        "GP-W011", f"{message} twice", where=where, expected="each once", next_step="remove one of the two"
    )
