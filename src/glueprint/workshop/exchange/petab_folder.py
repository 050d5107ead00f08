"""A problem as files of PEtab 2.

Source: petab.readthedocs.io, "PEtab data format specification", version 2.0.0. What that version cannot say
is refused: decadic logarithms of measurements, densities of scaled values, doses.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from glueprint.errors import NotSupportedError
from glueprint.runs.store import write_file
from glueprint.workshop.exchange.sbml import sbml
from glueprint.workshop.formula import Formula
from glueprint.workshop.petab2 import NOISE
from glueprint.workshop.petab_files import refused
from glueprint.workshop.priors import PARAMETERS
from glueprint.workshop.problem import Experiment, Observable, Parameter, Problem, Value

__all__ = ["write_petab"]

NAMES = {ours: theirs for theirs, ours in NOISE.items()}
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
YAML = """\
format_version: 2.0.0
parameter_files: [parameters.tsv]
model_files:
  model: {location: model.xml, language: sbml}
condition_files: [conditions.tsv]
experiment_files: [experiments.tsv]
observable_files: [observables.tsv]
measurement_files: [measurements.tsv]
"""


def write_petab(problem: Problem, folder: Path) -> tuple[str, ...]:
    """Write a problem that was read from a file as a folder of PEtab 2.

    Densities of parameters are cut at the bounds there, which moves minus log posterior by a constant.
    Returns the names of the files, the YAML file first.
    Raises NotSupportedError GP-W020 for what PEtab 2 cannot say, and as `runs.store.write_file`.
    """
    if not problem.source:
        raise _unsayable("a model that no file holds", problem.name)
    text = sbml(Path(problem.source)).text
    labels = {one.name: _identifier(one.name, place) for place, one in enumerate(problem.experiments)}
    conditions, experiments = _histories(problem, labels)
    files = {
        "problem.yaml": YAML,
        "model.xml": text,
        "parameters.tsv": _table(
            "parameterId lowerBound upperBound nominalValue estimate priorDistribution priorParameters",
            [_parameter(one) for one in problem.parameters],
        ),
        "conditions.tsv": _table("conditionId targetId targetValue", conditions),
        "experiments.tsv": _table("experimentId time conditionId", experiments),
        "observables.tsv": _table(
            "observableId observableFormula observablePlaceholders noiseFormula noisePlaceholders "
            "noiseDistribution",
            [_observable(one) for one in problem.observables],
        ),
        "measurements.tsv": _table(
            "observableId experimentId measurement time observableParameters noiseParameters",
            _measurements(problem, labels),
        ),
    }
    for name, text in files.items():
        write_file(folder / name, text)
    return tuple(files)


def _table(header: str, rows: Sequence[Sequence[object]]) -> str:
    return "\n".join([header.replace(" ", "\t"), *("\t".join(map(str, row)) for row in rows), ""])


def _identifier(name: str, place: int) -> str:
    """A name that PEtab takes: the own one, or one by number."""
    return name if IDENTIFIER.fullmatch(name) else f"experiment_{place + 1}"


def _parameter(one: Parameter) -> tuple[object, ...]:
    prior = one.prior
    if prior is not None and prior.on_scale:
        raise _unsayable(f"the prior of {one.name}, a density of its scaled value", one.where)
    numbers = () if prior is None else (prior.first, prior.second)[: PARAMETERS[prior.kind]]
    texts = ("", "") if prior is None else (prior.kind, ";".join(map(repr, numbers)))
    value = "" if math.isnan(one.value) else repr(one.value)
    bounds = (repr(one.low), repr(one.high)) if one.is_estimated else ("", "")
    return (one.name, *bounds, value, str(one.is_estimated).lower(), *texts)


def _observable(one: Observable) -> tuple[object, ...]:
    kind = NAMES.get((one.transformation, one.distribution))
    if kind is None:
        raise _unsayable(f"{one.name}, whose noise is on a {one.transformation} scale", one.where)
    slots = (";".join(one.observable_slots), ";".join(one.noise_slots))
    return (one.name, one.formula, slots[0], one.noise, slots[1], kind)


def _histories(
    problem: Problem, labels: Mapping[str, str]
) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """Rows of the conditions and of the experiments: each period has a condition of its own."""
    known = {one.name for one in problem.parameters}
    conditions, experiments = [], []
    for one in problem.experiments:
        if one.doses is not None and np.size(one.doses.patient):
            raise _unsayable(f"the doses of {one.name}", one.where)
        begins = [one.begin, *(time for time, _ in one.later)]
        begins = begins if one.before is None else [-math.inf, *begins]
        for number, (begin, values) in enumerate(zip(begins, _settings(problem, one), strict=True)):
            name = f"{labels[one.name]}_{number + 1}" if values else ""
            experiments.append((labels[one.name], repr(float(begin)), name))
            for target, value in values.items():
                if target in known:
                    raise _unsayable(f"{one.name} sets {target}, which is a parameter, too", one.where)
                conditions.append((name, target, _text(value)))
    return conditions, experiments


def _settings(problem: Problem, one: Experiment) -> list[dict[str, Value]]:
    """What each period sets; what a steady state before sets and is to go again is set back."""
    settings = [dict(values) for values in one.settings]
    if one.before is not None and not one.keeps:
        states = set(problem.model.system.states)
        back = {
            name: problem.model.defaults[name]
            for name in one.before
            if name not in one.values and name not in states
        }
        settings[1] = {**back, **settings[1]}
    return settings


def _measurements(problem: Problem, labels: Mapping[str, str]) -> list[tuple[object, ...]]:
    rows = problem.rows
    return [
        (
            problem.observables[int(rows.observable[row])].name,
            labels[problem.experiments[int(rows.experiment[row])].name],
            repr(float(rows.value[row])),
            repr(float(rows.time[row])),
            ";".join(map(_text, rows.observable_fill[row])),
            ";".join(map(_text, rows.noise_fill[row])),
        )
        for row in range(len(rows))
    ]


def _text(value: Value) -> str:
    if isinstance(value, Formula):
        return value.text
    return value if isinstance(value, str) else repr(float(value))


def _unsayable(what: str, where: str) -> NotSupportedError:
    return refused(f"{what}: PEtab 2 cannot say it", where, "change it, or hand the problem on as it is")
