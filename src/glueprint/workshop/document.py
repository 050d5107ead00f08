"""Problems as a TOML file: a model, a table of data, and what is to be found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from glueprint import engine
from glueprint.documents import Codes, Document, validate
from glueprint.documents import read as read_toml
from glueprint.errors import InputError
from glueprint.workshop import data_rows
from glueprint.workshop.checks import checked
from glueprint.workshop.priors import Prior
from glueprint.workshop.problem import Experiment, Observable, Parameter, Problem, Value

__all__ = ["CODES", "FitDocument", "read"]

CODES = Codes(
    unreadable="GP-W001",
    syntax="GP-W002",
    header="GP-W003",
    field="GP-W004",
    help="docs/workshop.md has every field",
)
Number = Annotated[float, Field(allow_inf_nan=False)]


class PriorField(Document):
    """A density of a parameter's value, or of its scaled value."""

    kind: Literal["uniform", "normal", "laplace", "log-normal", "log-laplace"]
    numbers: tuple[Number, Number]
    on_scale: bool = False

    def made(self) -> Prior:
        """The prior it says."""
        return Prior(self.kind, *self.numbers, self.on_scale)


class ParameterField(Document):
    """A parameter: `fixed`, or to be found between `low` and `high`."""

    fixed: Number | None = None
    low: Number | None = None
    high: Number | None = None
    scale: Literal["lin", "log", "log10"] = "log10"
    start: Number | None = None
    prior: PriorField | None = None


class ObservableField(Document):
    """What is measured, and how much it scatters."""

    formula: str
    noise: str = ""
    transformation: Literal["lin", "log", "log10"] = "lin"
    distribution: Literal["normal", "laplace"] = "normal"
    unit: str = ""
    dvid: int | None = None


class DoseField(Document):
    """A dose, as `engine.Doses.regimen` takes it."""

    into: str
    amount: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    at: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    every: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    more: Annotated[int, Field(ge=0)] = 0
    over: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    lag: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    bioavailability: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0


class ConditionField(Document):
    """What an experiment sets, waits for and gives."""

    set: dict[str, float | str] = Field(default_factory=dict)
    before: dict[str, float | str] | None = None
    doses: tuple[DoseField, ...] = ()


class FitDocument(Document):
    """The whole file."""

    kind: Literal["glueprint-fit"]
    version: Literal[1]
    model: str
    data: str
    format: Literal["tidy", "records"] = "tidy"
    time_unit: str | None = None
    until: Annotated[float, Field(gt=0)] | None = None
    compartments: dict[str, str] = Field(default_factory=dict)
    columns: dict[str, str] = Field(default_factory=dict)
    parameters: dict[str, ParameterField]
    observables: dict[str, ObservableField]
    conditions: dict[str, ConditionField] = Field(default_factory=dict)


def read(path: Path) -> Problem:
    """The problem that a TOML file describes, checked; files that it names lie beside it.

    Raises InputError GP-W001 to W019 and W024, NotSupportedError GP-W020, and as `engine.compile`.
    """
    document = validate(FitDocument, read_toml(path, CODES), CODES, where=str(path))
    model = engine.compile(path.parent / document.model)
    scale = _time_scale(document, model, path)
    parameters = tuple(_parameter(name, one, path) for name, one in document.parameters.items())
    observables = tuple(
        Observable(
            name,
            one.formula,
            one.noise,
            one.transformation,
            one.distribution,
            where=f"{path}, observables.{name}",
        )
        for name, one in document.observables.items()
    )
    _check_units(document, model, path)
    conditions = {
        name: Experiment(
            name,
            _values(one.set),
            None if one.before is None else _values(one.before),
            _doses(one.doses, model, scale, f"{path}, conditions.{name}"),
            f"{path}, conditions.{name}",
        )
        for name, one in document.conditions.items()
    }
    table = data_rows.Table(
        path=path.parent / document.data,
        columns=document.columns,
        observables={name: place for place, name in enumerate(document.observables)},
        dvid={one.dvid: name for name, one in document.observables.items() if one.dvid is not None},
        units={name: one.unit for name, one in document.observables.items()},
        until=document.until,
        scale=scale,
        compartments=document.compartments,
    )
    experiments, rows, notes = (
        data_rows.tidy(table, conditions)
        if document.format == "tidy"
        else data_rows.records(table, model, conditions)
    )
    source = str(path.parent / document.model)
    return checked(Problem(path.stem, model, parameters, observables, experiments, rows, notes, source))


def _parameter(name: str, one: ParameterField, path: Path) -> Parameter:
    where = f"{path}, parameters.{name}"
    if one.fixed is not None:
        extra = [field for field in ("low", "high", "start", "prior") if getattr(one, field) is not None]
        if extra:
            raise _field(f"fixed and {extra[0]} are both there", where, "either fixed, or low and high")
        return Parameter(name, 0.0, 0.0, one.scale, one.fixed, is_estimated=False, where=where)
    if one.low is None or one.high is None:
        raise _field("low or high is missing", where, "either fixed, or low and high")
    return Parameter(
        name,
        one.low,
        one.high,
        one.scale,
        prior=None if one.prior is None else one.prior.made(),
        drawn=None,
        start=float("nan") if one.start is None else one.start,
        where=where,
    )


def _values(given: dict[str, float | str]) -> dict[str, Value]:
    return {name: value if isinstance(value, str) else float(value) for name, value in given.items()}


def _doses(
    given: tuple[DoseField, ...], model: engine.Model, scale: float, where: str
) -> engine.Doses | None:
    if not given:
        return None
    targets = engine.dosable(model)
    for one in given:
        if one.into not in targets:
            raise InputError(
                "GP-W013",
                f'a dose goes into "{one.into}"',
                where=where,
                expected=f"one of {', '.join(targets)}",
                next_step="correct the name",
            )
        if one.more and one.every is None:
            raise _field(f"{one.more} more doses without every", where, "every = 24, say")
    return engine.Doses.regimen(
        np.zeros(len(given), dtype=np.int64),
        scale * np.array([one.at for one in given]),
        [one.into for one in given],
        [one.amount for one in given],
        duration_h=scale * np.array([one.over for one in given]),
        lag_h=scale * np.array([one.lag for one in given]),
        bioavailability=[one.bioavailability for one in given],
        additional=[one.more for one in given],
        interval_h=scale * np.array([one.every or 0.0 for one in given]),
    )


def _time_scale(document: FitDocument, model: engine.Model, path: Path) -> float:
    """Length of the data's unit of time in the model's own; refused where the model's is unknown."""
    if document.time_unit is None:
        return 1.0
    unit, own = engine.time_unit(document.time_unit), model.measures.time
    if own is None or not own.seconds > 0:
        raise InputError(
            "GP-W024",
            f"time_unit is {unit.name}, and the model's file states no unit of time",
            where=f"{path}, time_unit",
            expected="a unit in both, or in neither",
            next_step="take time_unit out if the times are in the model's unit, or state that in the model",
        )
    return unit.seconds / own.seconds


def _check_units(document: FitDocument, model: engine.Model, path: Path) -> None:
    for name, one in document.observables.items():
        known = model.measures.species.get(one.formula.strip(), "")
        if one.unit and known and one.unit != known:
            raise InputError(
                "GP-W024",
                f"it is measured in {one.unit}, and the model counts {one.formula.strip()} in {known}",
                where=f"{path}, observables.{name}, unit",
                expected="one unit on both sides, because no number is converted silently",
                next_step=f"write the factor into the formula: 1000*{one.formula.strip()}",
            )


def _field(message: str, where: str, expected: str) -> InputError:
    return InputError(
        "GP-W004", message, where=where, expected=expected, next_step="docs/workshop.md has every field"
    )
