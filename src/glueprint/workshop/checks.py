"""What a problem must be before it is fitted: each finding with its place, all of them together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from glueprint.errors import GlueprintError, InputError, nearest, together
from glueprint.workshop.formula import Formula, reserved_in
from glueprint.workshop.problem import Experiment, Observable, Parameter, Problem, Value

__all__ = ["checked"]

MOST_TOLD = 8


def checked(problem: Problem) -> Problem:
    """The problem, with a note for every parameter that nothing reads.

    Raises InputError GP-W005 to W007, W011 and W013 to W019, the first of all findings with the others named.
    """
    findings: list[GlueprintError] = []
    for check in CHECKS:
        findings += check(problem)
    if findings:
        raise together(findings[:MOST_TOLD])
    idle = [one.name for one in problem.estimated if one.name not in _read(problem)]
    notes = tuple(f"{name} is estimated, and nothing reads it" for name in idle)
    return replace(problem, notes=(*problem.notes, *notes))


def _twice(problem: Problem) -> Iterator[GlueprintError]:
    for kind, things in (
        ("parameter", problem.parameters),
        ("observable", problem.observables),
        ("condition", problem.experiments),
    ):
        counts = Counter(one.name for one in things)
        for one in {one.name: one for one in things}.values():
            if counts[one.name] > 1:
                yield _finding(
                    "GP-W011", f"{kind} {one.name} is there {counts[one.name]} times", one.where, "each once"
                )


def _parameters(problem: Problem) -> Iterator[GlueprintError]:
    for one in problem.parameters:
        if one.is_estimated:
            yield from _bounds(one)
            yield from _priors(one)
        elif not math.isfinite(one.value):
            yield _finding("GP-W015", f"{one.name} is not estimated and has no value", one.where, "a number")
    if not problem.estimated:
        yield _finding(
            "GP-W017", "nothing is to be estimated", problem.name, "at least one parameter to be found"
        )


def _bounds(one: Parameter) -> Iterator[GlueprintError]:
    name = one.name
    if not (math.isfinite(one.low) and math.isfinite(one.high) and one.low < one.high):
        yield _finding(
            "GP-W015",
            f"{name} has bounds from {one.low:g} to {one.high:g}",
            one.where,
            "two numbers, the lower first",
        )
    elif one.scale != "lin" and one.low <= 0.0:
        yield _finding(
            "GP-W015",
            f"{name} is on a {one.scale} scale and has a lower bound of {one.low:g}",
            one.where,
            "one above 0",
        )
    elif not math.isnan(one.start) and not one.low <= one.start <= one.high:
        yield _finding(
            "GP-W015", f"{name} starts at {one.start:g}", one.where, f"{one.low:g} to {one.high:g}"
        )


def _priors(one: Parameter) -> Iterator[GlueprintError]:
    for prior in (one.prior, one.drawn):
        if prior is None:
            continue
        if not prior.is_usable:
            numbers = f"{prior.first:g} and {prior.second:g}"
            yield _finding(
                "GP-W016",
                f"the {prior.kind} prior of {one.name} has {numbers}",
                one.where,
                "limits of which the lower is first, or a location and a scale (or shape) above 0",
            )


def _observables(problem: Problem) -> Iterator[GlueprintError]:
    known = {*problem.model.system.symbols, *(one.name for one in problem.parameters)}
    for one in problem.observables:
        if not one.noise.strip():
            yield _finding(
                "GP-W007",
                f"observable {one.name} has no noise",
                one.where,
                "a formula of its standard deviation: a number, a parameter, or 0.1*x + sigma",
            )
            continue
        yield from _formulas(problem, one, known)


def _formulas(problem: Problem, one: Observable, known: set[str]) -> Iterator[GlueprintError]:
    try:
        formula, noise = problem.formulas(one)
        read = [
            (formula.names, {*known, *one.observable_slots}),
            (noise.names, {*known, *one.observable_slots, *one.noise_slots}),
        ]
    except GlueprintError as error:
        yield error
        return
    for text in (one.formula, one.noise):
        yield from _reserved(text, known, f"observable {one.name}", one.where)
    for names, all_ in read:
        for name in names:
            if name not in all_:
                yield _finding(
                    "GP-W006",
                    f'observable {one.name} reads "{name}", which is no name of the model and no parameter'
                    f"{nearest(name, all_)}",
                    one.where,
                    "names of the model (glueprint model show) and of parameters",
                )


def _reserved(text: str, known: set[str], who: str, where: str) -> Iterator[GlueprintError]:
    """A name of the model that a formula cannot mean, because there it is a number."""
    for word in reserved_in(text):
        if word in known:
            yield _finding(
                "GP-W006",
                f'{who} reads "{word}", a constant or the time, and the model or a parameter has that name',
                where,
                "another name in the model, or no such word in the formula",
            )


def _experiments(problem: Problem) -> Iterator[GlueprintError]:
    slots = problem.model.system.slots
    names = {one.name for one in problem.parameters}
    for one in problem.experiments:
        for name, value in one.settings[0].items():
            if isinstance(value, Formula) and not names.issuperset(value.names):
                yield _finding(
                    "GP-W014",
                    f"condition {one.name} begins with {name} = {value.text}, which reads the model",
                    one.where,
                    "a formula of parameters alone, because nothing of the model is known yet",
                )
        for given in one.settings:
            for name, value in given.items():
                if name not in slots:
                    computed = (
                        "is computed by the model"
                        if name in problem.model.system.symbols
                        else "is unknown to it"
                    )
                    yield _finding(
                        "GP-W013",
                        f'condition {one.name} sets "{name}", which {computed}{nearest(name, slots)}',
                        one.where,
                        "a parameter, species or compartment of the model that no rule computes",
                    )
                yield from _value(problem, value, f"condition {one.name}", one.where)


def _value(problem: Problem, value: Value, who: str, where: str) -> Iterator[GlueprintError]:
    names = {one.name for one in problem.parameters}
    if isinstance(value, Formula):
        yield from _reserved(value.text, {*names, *problem.model.system.symbols}, who, where)
        for name in value.names:
            if name not in names and name not in problem.model.system.symbols:
                yield _finding(
                    "GP-W014",
                    f'{who} reads "{name}" in {value.text}, which is no parameter and no name of the model',
                    where,
                    "a formula of parameters and, after the first period, of the model's names",
                )
    elif isinstance(value, str) and value not in names:
        yield _finding(
            "GP-W014",
            f'{who} reads "{value}", which is no parameter{nearest(value, names)}',
            where,
            "a number, or the name of a parameter of the problem",
        )
    elif not isinstance(value, str) and not math.isfinite(value):
        yield _finding("GP-W014", f"{who} reads {value}", where, "a finite number")


def _rows(problem: Problem) -> Iterator[GlueprintError]:
    rows = problem.rows
    if not len(rows):
        yield _finding("GP-W019", "there are no measurements", problem.name, "at least one row with a value")
    for row, place in enumerate(rows.where):
        one = problem.observables[int(rows.observable[row])]
        value, time = float(rows.value[row]), float(rows.time[row])
        if not math.isfinite(value):
            yield _finding("GP-W010", f"the measurement is {value}", place, "a finite number")
        elif one.transformation != "lin" and value <= 0.0:
            yield _finding(
                "GP-W018",
                f"{one.name} is compared on a {one.transformation} scale, and {value:g} has no logarithm",
                place,
                "a measurement above 0",
            )
        if math.isnan(time) or time < min(0.0, problem.experiments[int(rows.experiment[row])].begin):
            yield _finding(
                "GP-W018", f"the time is {time:g}", place, "a time of 0 or later; inf is a steady state"
            )
        for slots, fill, what in (
            (one.observable_slots, rows.observable_fill[row], "observable"),
            (one.noise_slots, rows.noise_fill[row], "noise"),
        ):
            if len(slots) != len(fill):
                yield _finding(
                    "GP-W019",
                    f"{len(fill)} {what} parameters for {one.name}, which has {len(slots)} places for them",
                    place,
                    "one for each place, with semicolons between",
                )
            for each in fill:
                yield from _value(problem, each, one.name, place)


CHECKS: tuple[Callable[[Problem], Iterable[GlueprintError]], ...] = (
    _twice,
    _parameters,
    _observables,
    _experiments,
    _rows,
)


def _read(problem: Problem) -> set[str]:
    """Names of all parameters that something reads."""

    def of(given: Mapping[str, Value]) -> set[str]:
        values = given.values()
        read = {name for value in values if isinstance(value, Formula) for name in value.names}
        return read | {value for value in values if isinstance(value, str)}

    found = {name for one in problem.experiments for given in one.settings for name in of(given)}
    found |= {
        name
        for fills in (problem.rows.observable_fill, problem.rows.noise_fill)
        for one in fills
        for name in one
        if isinstance(name, str)
    }
    for one in problem.observables:
        found |= {name for formula in problem.formulas(one) for name in formula.names}
    return found | {name for name in problem.model.system.slots if not _always_set(problem.experiments, name)}


def _always_set(experiments: Iterable[Experiment], name: str) -> bool:
    return all(name in one.values for one in experiments)


def _finding(code: str, message: str, where: str, expected: str) -> InputError:
    return InputError(
        code, message, where=where, expected=expected, next_step="correct it; docs/workshop.md has examples"
    )
