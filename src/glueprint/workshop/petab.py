"""Problems in PEtab 1: a YAML file, an SBML model, and tables of what was measured and what is to be found.

Source: petab.readthedocs.io, "PEtab data format specification", version 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glueprint import engine
from glueprint.errors import InputError
from glueprint.workshop.cells import Row, number
from glueprint.workshop.checks import checked
from glueprint.workshop.petab_files import one_of, paths, refused, require_known, rows_of, tables, value
from glueprint.workshop.priors import Prior
from glueprint.workshop.problem import (
    DISTRIBUTIONS,
    TRANSFORMATIONS,
    Experiment,
    Observable,
    Parameter,
    Problem,
    Value,
)
from glueprint.workshop.scales import SCALES

__all__ = ["read"]

PRIORS = {
    "uniform": ("uniform", False),
    "normal": ("normal", False),
    "laplace": ("laplace", False),
    "logNormal": ("log-normal", False),
    "logLaplace": ("log-laplace", False),
    "parameterScaleUniform": ("uniform", True),
    "parameterScaleNormal": ("normal", True),
    "parameterScaleLaplace": ("laplace", True),
}
LABELS = frozenset({"conditionId", "conditionName"})


def read(path: Path, content: Mapping[str, Any]) -> Problem:
    """The problem that a PEtab YAML file describes, checked.   content: of the file.

    Raises InputError GP-W001 to W003 and W008 to W019, NotSupportedError GP-W020, and as `engine.compile`.
    """
    parameters, files = _files(path, content)
    source = _only(files, "sbml_files", path)
    model = engine.compile(source)
    found = tuple(
        _parameter(row) for row in tables(parameters, ("parameterId", "parameterScale", "estimate"))
    )
    observables = tuple(
        _observable(row) for row in tables(files["observable_files"], ("observableId", "observableFormula"))
    )
    conditions = _conditions(files["condition_files"])
    needs = ("observableId", "simulationConditionId", "measurement", "time")
    measured = list(tables(files["measurement_files"], needs))
    experiments, places = _experiments(measured, conditions)
    return checked(
        Problem(
            name=path.stem,
            model=model,
            parameters=found,
            observables=observables,
            experiments=experiments,
            rows=rows_of(measured, observables, places),
            source=str(source),
        )
    )


def _files(path: Path, content: Mapping[str, Any]) -> tuple[list[Path], dict[str, list[Path]]]:
    """Files of the parameters, and all others by kind."""
    problems = content.get("problems")
    if not isinstance(problems, list) or len(problems) != 1 or not isinstance(problems[0], dict):
        raise refused("not exactly one entry under problems", str(path), "write one with all its tables")
    files = {
        kind: paths(path, problems[0].get(kind), kind)
        for kind in ("sbml_files", "condition_files", "observable_files", "measurement_files")
    }
    return paths(path, content.get("parameter_file"), "parameter_file"), files


def _only(files: Mapping[str, list[Path]], kind: str, path: Path) -> Path:
    if len(files[kind]) != 1:
        raise refused(f"{len(files[kind])} {kind}", str(path), "name one model")
    return files[kind][0]


def _parameter(row: Row) -> Parameter:
    estimated = row.number("estimate") == 1.0
    scale = one_of(row, "parameterScale", SCALES, "lin")
    return Parameter(
        name=row.name("parameterId"),
        scale=scale,
        low=row.number("lowerBound") if estimated else 0.0,
        high=row.number("upperBound") if estimated else 0.0,
        value=row.number("nominalValue", float("nan")),
        is_estimated=estimated,
        prior=_prior(row, "objectivePrior"),
        drawn=_prior(row, "initializationPrior"),
        where=row.where(),
    )


def _prior(row: Row, head: str) -> Prior | None:
    kind = one_of(row, f"{head}Type", PRIORS, "parameterScaleUniform")
    numbers = row.items(f"{head}Parameters")
    if not numbers and kind.endswith("niform"):
        return None
    values = [number(text) for text in numbers]
    if len(values) != 2 or None in values:
        raise InputError(
            "GP-W016",
            f'"{row.text(f"{head}Parameters")}" are not two numbers',
            where=row.where(f"{head}Parameters"),
            expected="two numbers with a semicolon between",
            next_step="correct the cell",
        )
    first, second = values
    name, on_scale = PRIORS[kind]
    return Prior(name, float(first or 0.0), float(second or 0.0), on_scale)


def _observable(row: Row) -> Observable:
    name, formula, noise = row.name("observableId"), row.text("observableFormula"), row.text("noiseFormula")
    transformation = one_of(row, "observableTransformation", TRANSFORMATIONS, "lin")
    if transformation != "lin" and re.search(rf"\b{re.escape(name)}\b", noise):
        # libpetab puts the transformed value there, other programs the value itself.
        raise refused(
            f"the noise of {name} reads {name}, which is compared on a {transformation} scale",
            row.where("noiseFormula"),
            "programs differ: write out the observable's formula, or its logarithm",
        )
    return Observable(
        name=name,
        formula=formula,
        noise=noise,
        transformation=transformation,
        distribution=one_of(row, "noiseDistribution", DISTRIBUTIONS, "normal"),
        observable_slots=_slots(formula, "observableParameter", name),
        noise_slots=_slots(noise, "noiseParameter", name),
        where=row.where(),
    )


def _slots(formula: str, head: str, name: str) -> tuple[str, ...]:
    """Placeholders of a formula, in order of their numbers."""
    numbers = {int(found) for found in re.findall(rf"\b{head}(\d+)_{re.escape(name)}\b", formula)}
    return tuple(f"{head}{k}_{name}" for k in range(1, max(numbers, default=0) + 1))


def _conditions(paths: Sequence[Path]) -> dict[str, tuple[Row, dict[str, Value]]]:
    """What each condition sets; cells without content set nothing."""
    found: dict[str, tuple[Row, dict[str, Value]]] = {}
    for row in tables(paths, ("conditionId",)):
        name = row.name("conditionId")
        if name in found:
            raise InputError(
                "GP-W011",
                f"condition {name} is there twice",
                where=row.where("conditionId"),
                expected="each once",
                next_step="rename or remove one",
            )
        cells = {column: row.text(column) for column in row.cells if column not in LABELS}
        values: dict[str, Value] = {column: value(text) for column, text in cells.items() if text}
        found[name] = (row, values)
    return found


def _experiments(
    measured: Sequence[Row], conditions: Mapping[str, tuple[Row, dict[str, Value]]]
) -> tuple[tuple[Experiment, ...], list[int]]:
    """Each pair of conditions that is measured, and which one each row is of."""
    found: dict[tuple[str, str], Experiment] = {}
    places = []
    for row in measured:
        key = (row.text("preequilibrationConditionId"), row.name("simulationConditionId"))
        for column, name in zip(("preequilibrationConditionId", "simulationConditionId"), key, strict=True):
            if name:
                require_known(name, conditions, row, column, "condition")
        if key not in found:
            about, values = conditions[key[1]]
            found[key] = Experiment(
                name=f"{key[0]} > {key[1]}" if key[0] else key[1],
                values=values,
                before=conditions[key[0]][1] if key[0] else None,
                where=about.where(),
            )
        places.append(list(found).index(key))
    return tuple(found.values()), places
