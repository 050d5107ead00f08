"""From a route and a wish in grams to a bill of materials; every assumption is marked in its row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from glueprint.chemistry import flow, safety_data
from glueprint.chemistry.route import NOT_STATED, Addition, Route, Step
from glueprint.chemistry.routes import require
from glueprint.errors import InputError, NotSupportedError, nearest

__all__ = ["SCHEMA", "Plan", "plan"]

SCHEMA = pl.Schema(
    {
        "step": pl.String,
        "material": pl.String,
        "role": pl.String,
        "equivalents": pl.Float64,
        "mmol": pl.Float64,
        "grams": pl.Float64,
        "purity_percent": pl.Float64,
        "weigh_g": pl.Float64,
        "volume_ml": pl.Float64,
        "assumption": pl.String,
    }
)
STOICHIOMETRIC = "assumed: stoichiometric, no source states equivalents"
PURE = "assumed: pure"
NO_AMOUNT = "amount not stated"
# An ideal gas at 25 C and 1 bar takes R x 298.15 K / 1 bar, CODATA 2018.
GAS_ML_PER_MMOL = 8.31446261815324 * 298.15 / 100.0
GASES = ("hydrogen", "ammonia", "hydrogen chloride", "carbon dioxide", "isobutene")


@dataclass(frozen=True)
class Plan:
    """A bill of materials (`table`, columns of `SCHEMA`) for `grams` of pure `target`, yields in percent."""

    route: str
    target: str
    grams: float
    step_yields_percent: tuple[float, ...]
    yields_are: str
    table: pl.DataFrame
    assumptions: tuple[str, ...] = ()


def plan(
    route: Route,
    grams: float,
    *,
    step_yield_percent: float | None = None,
    purity_percent: float | Mapping[str, float] | None = None,
) -> Plan:
    """What to weigh for `grams` of the route's target.

    grams: of pure target, > 0.   step_yield_percent: for steps whose yield no source states, in (0, 100].
    purity_percent: of all bought materials, or by name; where none is given they are taken as pure.
    Returns one row per step and material, base, acid, catalyst and solvent among them; `grams` are of pure
    substance, `weigh_g` allows for the purity, and both are null where no source states an amount. What a
    step takes as its salt is weighed as that salt. `volume_ml` is of solvents, and of gases at 25 C, 1 bar.
    Raises InputError GP-H006 for an impossible amount, yield or purity, GP-H009 to GP-H011 for a route that
    does not hold; NotSupportedError GP-H007 without a yield.   Source: own derivation, docs/chemistry.md.
    """
    purities = _purities(route, purity_percent)
    _check_amounts(grams, [step_yield_percent, *purities.values()])
    require(route)
    yields, said = _yields(route, step_yield_percent)
    target = route.material(route.target)
    rows: list[dict[str, object]] = []
    for demand in flow.demands(route, yields, 1000.0 * grams / target.average_mass_g_per_mol):
        for name, role, equivalents, given in flow.materials(demand.step):
            assumed = "" if given else STOICHIOMETRIC
            amount = (equivalents, equivalents * demand.mmol_in)
            rows.append(_row(route, demand.step, (name, role, assumed), amount, purities.get(name)))
        rows += [_added(route, demand, one, purities.get(one.name)) for one in demand.step.additions]
        rows += _unnamed_catalyst(demand.step)
        rows += _solvent(route, demand)
        made = (demand.step.products[0], "product", "")
        rows.append(_row(route, demand.step, made, (1.0, demand.mmol_out), None))
    assumptions = [route.assumed, *(f"{step.name}: {step.assumed}" for step in route.step if step.assumed)]
    return Plan(
        route.name,
        route.target,
        grams,
        yields,
        said,
        pl.DataFrame(rows, schema=SCHEMA),
        tuple(text for text in assumptions if text),
    )


def _row(
    route: Route,
    step: Step,
    what: tuple[str, str, str],
    amount: tuple[float, float],
    purity_percent: float | None,
) -> dict[str, object]:
    plain, role, assumed = what
    name = route.weighed_as(plain)
    equivalents, mmol = amount
    grams = mmol * route.material(name).average_mass_g_per_mol / 1000.0
    pure = purity_percent if purity_percent is not None else 100.0
    made = any(plain in one.products for one in route.step)
    notes = [assumed, PURE if purity_percent is None and not made else ""]
    return {
        "step": step.name,
        "material": name,
        "role": role,
        "equivalents": equivalents,
        "mmol": mmol,
        "grams": grams,
        "purity_percent": pure,
        "weigh_g": grams / (pure / 100.0),
        "volume_ml": mmol * GAS_ML_PER_MMOL if name in GASES and not made else None,
        "assumption": "; ".join(note for note in notes if note),
    }


def _added(
    route: Route, demand: flow.Demand, one: Addition, purity_percent: float | None
) -> dict[str, object]:
    """A base, acid or catalyst: with its amount where equivalents are known or needed, else without."""
    assumed = f"assumed: {one.assumed}" if one.assumed else one.claim
    if one.equivalents is None:
        said = f"{NO_AMOUNT}; {assumed}" if assumed else NO_AMOUNT
        return _bare(demand.step, one.name, one.role, said)
    amount = (one.equivalents, one.equivalents * demand.mmol_in)
    return _row(route, demand.step, (one.name, one.role, assumed), amount, purity_percent)


def _unnamed_catalyst(step: Step) -> list[dict[str, object]]:
    """A row that says so where hydrogen is taken up and no catalyst is named: alone it does not react."""
    if "hydrogen" not in step.consumes or any(one.role == "catalyst" for one in step.additions):
        return []
    return [_bare(step, NOT_STATED, "catalyst", "catalyst not stated; hydrogen stands for any reductant")]


def _solvent(route: Route, demand: flow.Demand) -> list[dict[str, object]]:
    """The solvent of a step in a row of its own; none where the source names none."""
    step = demand.step
    if step.solvent.startswith("none ("):
        return []
    row = _bare(step, step.solvent, "solvent", "" if step.solvent != NOT_STATED else "solvent not stated")
    known = safety_data.solvent(step.solvent)
    first = (
        route.material(route.weighed_as(step.reactants[0])).average_mass_g_per_mol * demand.mmol_in / 1000.0
    )
    if step.solvent_g_per_g is not None:
        row["grams"] = row["weigh_g"] = step.solvent_g_per_g * first
        row["volume_ml"] = step.solvent_g_per_g * first / known.density_g_per_ml if known else None
    elif step.solvent_ml_per_g is not None:
        row["volume_ml"] = step.solvent_ml_per_g * first
        row["grams"] = row["weigh_g"] = (
            known.density_g_per_ml * step.solvent_ml_per_g * first if known else None
        )
    elif step.solvent != NOT_STATED:
        row["assumption"] = NO_AMOUNT
    return [row]


def _bare(step: Step, name: str, role: str, said: str) -> dict[str, object]:
    """A row without amounts."""
    return {**dict.fromkeys(SCHEMA), "step": step.name, "material": name, "role": role, "assumption": said}


def _purities(route: Route, given: float | Mapping[str, float] | None) -> dict[str, float]:
    """Purity by bought material, in percent."""
    bought = flow.weighed(route)
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return dict.fromkeys(bought, given)
    for name in given:
        if name not in bought:
            raise InputError(
                "GP-H006",
                f'route {route.name} does not buy "{name}"{nearest(name, bought)}',
                where=f"purity of {name}",
                expected="one of " + ", ".join(bought),
                next_step="correct the name",
            )
    return dict(given)


def _yields(route: Route, given: float | None) -> tuple[tuple[float, ...], str]:
    yields, said = flow.step_yields(route, given)
    known = tuple(value for value in yields if value is not None)
    if len(known) < len(yields):
        raise NotSupportedError(
            "GP-H007",
            f"no source states a yield for route {route.name}, so no amounts can be planned",
            where=route.place(),
            expected="a yield per step",
            next_step="give `step_yield_percent` (--step-yield), for example 80",
        )
    return known, said


def _check_amounts(grams: float, percents: list[float | None]) -> None:
    wrong = expected = ""
    if not (math.isfinite(grams) and grams > 0.0):
        wrong, expected = f"cannot plan {grams} g", "an amount above 0 g"
    for percent in percents:
        # 0.8 is a share that somebody took for per cent, and would multiply every amount by a hundred.
        if percent is not None and not 1.0 < percent <= 100.0:
            wrong = f"a yield or purity of {percent} % cannot be planned with"
            expected = "a number above 1 and up to 100 percent: 80, not 0.8"
    if wrong:
        raise InputError("GP-H006", wrong, expected=expected, next_step="correct the number and plan again")
