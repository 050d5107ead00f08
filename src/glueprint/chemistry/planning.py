"""From a route and a wish in grams to a bill of materials; every assumption is marked in its row."""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

from glueprint.chemistry import structures
from glueprint.chemistry.routes import Route
from glueprint.errors import InputError, NotSupportedError

__all__ = ["SCHEMA", "Plan", "plan"]

SCHEMA = pl.Schema(
    {
        "step": pl.String,
        "material": pl.String,
        "role": pl.String,
        "equivalents": pl.Float64,
        "mmol": pl.Float64,
        "grams": pl.Float64,
        "assumption": pl.String,
    }
)


@dataclass(frozen=True)
class Plan:
    """A bill of materials (`table`, columns of `SCHEMA`) for `grams` of `target`, yields in percent."""

    route: str
    target: str
    grams: float
    step_yields_percent: tuple[float, ...]
    yields_are: str
    table: pl.DataFrame


def plan(route: Route, grams: float, *, step_yield_percent: float | None = None) -> Plan:
    """What to weigh for `grams` of the route's target.

    grams: > 0.   step_yield_percent: used for every step whose yield no source states, in (0, 100].
    Returns one row per step and material: consumed at 1.0 equivalent unless the stoichiometry asks for more.
    Raises InputError GP-H006 for an impossible amount or yield; NotSupportedError GP-H007 without a yield.
    Source: own derivation, docs/chemistry.md.
    """
    _check_amounts(grams, step_yield_percent)
    yields, said = _yields(route, step_yield_percent)
    target = structures.load(route.target)
    mmol_out = 1000.0 * grams / target.average_mass_g_per_mol
    rows: list[dict[str, object]] = []
    for step, percent in reversed(list(zip(route.step, yields, strict=True))):
        mmol_in = mmol_out / (percent / 100.0)
        amounts = [(name, "reactant", 1.0) for name in step.reactants]
        amounts += [(name, "co-reactant", moles) for name, moles in step.consumes.items()]
        block = [_row(step.name, name, role, (equivalents, mmol_in)) for name, role, equivalents in amounts]
        block += [_row(step.name, name, "product", (1.0, mmol_out)) for name in step.products[:1]]
        rows[:0] = block
        mmol_out = mmol_in
    return Plan(route.name, route.target, grams, yields, said, pl.DataFrame(rows, schema=SCHEMA))


def _row(step: str, name: str, role: str, amount: tuple[float, float]) -> dict[str, object]:
    equivalents, mmol = amount
    material = structures.load(name)
    assumed = "" if role == "product" else "assumed: stoichiometric, no source states equivalents"
    return {
        "step": step,
        "material": name,
        "role": role,
        "equivalents": equivalents,
        "mmol": equivalents * mmol,
        "grams": equivalents * mmol * material.average_mass_g_per_mol / 1000.0,
        "assumption": assumed,
    }


def _yields(route: Route, given: float | None) -> tuple[tuple[float, ...], str]:
    stated = [step.yield_percent for step in route.step]
    missing = stated.count(None)
    if not missing:
        return tuple(value for value in stated if value is not None), "stated per step"
    if given is not None:
        return tuple(given if value is None else value for value in stated), "assumed: given by the user"
    if route.overall_yield_percent is None:
        raise NotSupportedError(
            "GP-H007",
            f"no source states a yield for route {route.name}, so no amounts can be planned",
            where=f"route {route.name}",
            expected="a yield per step",
            next_step="give `step_yield_percent`, for example 80",
        )
    known = math.prod(value / 100.0 for value in stated if value is not None)
    each = 100.0 * (route.overall_yield_percent / 100.0 / known) ** (1.0 / missing)
    said = f"assumed: equal shares of the overall {route.overall_yield_percent:g} % that the source states"
    return tuple(each if value is None else value for value in stated), said


def _check_amounts(grams: float, percent: float | None) -> None:
    if not (math.isfinite(grams) and grams > 0.0):
        wrong, expected = f"cannot plan {grams} g", "an amount above 0 g"
    elif percent is not None and not 0.0 < percent <= 100.0:
        wrong, expected = f"a yield of {percent} % cannot be", "a yield above 0 and up to 100 percent"
    else:
        return
    raise InputError("GP-H006", wrong, expected=expected, next_step="correct the number and plan again")
