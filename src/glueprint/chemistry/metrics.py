"""What a route costs: atom economy, mass intensity, longest linear sequence, overall yield."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from glueprint.chemistry import flow
from glueprint.chemistry.route import NOT_STATED, Route, Step

__all__ = ["RouteMetrics", "StepMetrics", "measure"]


@dataclass(frozen=True)
class StepMetrics:
    """One step; economy in percent of the mass of everything consumed, yield as stated or None."""

    step: str
    atom_economy_percent: float
    yield_percent: float | None
    yield_words: str


@dataclass(frozen=True)
class RouteMetrics:
    """A whole route.

    atom_economy_percent: target over all bought materials, stoichiometric, at full yield.
    mass_intensity: g of bought materials per g of target, without solvents.
    process_mass_intensity: with the solvents whose amount is known; None if none is.
    intensity_is: "stated" (a yield for every step), "shared" (an overall yield, in equal shares) or
    "at least" (no yield, or a range whose upper end is used).
    is_lower_bound: a yield or solvent amount is not stated, so the process mass intensity can only be higher.
    counted, not_counted: steps whose solvent is in the intensity, and steps whose solvent is not.
    """

    route: str
    steps: tuple[StepMetrics, ...]
    atom_economy_percent: float
    longest_linear_sequence: int
    overall_yield_words: str
    mass_intensity: float
    intensity_is: Literal["stated", "shared", "at least"]
    process_mass_intensity: float | None
    is_lower_bound: bool
    counted: tuple[str, ...]
    not_counted: tuple[str, ...]


def measure(route: Route) -> RouteMetrics:
    """The numbers of a route as its steps are written; run `routes.check` to know that the steps hold.

    Source: atom economy, Trost 1991, doi:10.1126/science.1962206; process mass intensity, mass in over mass
    out, Jimenez-Gonzalez et al. 2011, doi:10.1021/op200097d.
    """
    target_g = route.material(route.target).average_mass_g_per_mol
    yields, said = flow.step_yields(route, best=True)
    basis = _basis(route, yields, said)
    # Per mmol of target: first at full yield for the atoms, then at the yields that are known.
    ideal = _bought_mg(route, flow.demands(route, [100.0] * len(yields), 1.0))
    real = flow.demands(route, [value if value is not None else 100.0 for value in yields], 1.0)
    bought = _bought_mg(route, real)
    solvents = [_solvent_mg(route, demand) for demand in real]
    known = [value for value in solvents if value is not None]
    return RouteMetrics(
        route.name,
        tuple(_step(route, step) for step in route.step),
        100.0 * target_g / ideal,
        longest_linear_sequence(route),
        _yield_words(route, said),
        bought / target_g,
        basis,
        (bought + math.fsum(known)) / target_g if known else None,
        basis == "at least" or None in solvents,
        tuple(d.step.name for d, mass in zip(real, solvents, strict=True) if mass is not None),
        tuple(d.step.name for d, mass in zip(real, solvents, strict=True) if mass is None),
    )


def _basis(
    route: Route, yields: tuple[float | None, ...], said: str
) -> Literal["stated", "shared", "at least"]:
    if None in yields or (said != "stated per step" and route.overall_yield_percent is None):
        return "at least"
    return "stated" if said == "stated per step" else "shared"


def longest_linear_sequence(route: Route) -> int:
    """The number of steps on the longest chain from a bought material to the end of the route."""
    depth: dict[str, int] = {}
    longest = 0
    for step in route.step:
        longest = 1 + max((depth.get(name, 0) for name in step.reactants), default=0)
        depth.update(dict.fromkeys(step.products, longest))
    return longest


def _bought_mg(route: Route, demands: tuple[flow.Demand, ...]) -> float:
    names = set(flow.bought(route))
    return math.fsum(
        equivalents * demand.mmol_in * route.material(name).average_mass_g_per_mol
        for demand in demands
        for name, _, equivalents, _ in flow.materials(demand.step)
        if name in names
    )


def _solvent_mg(route: Route, demand: flow.Demand) -> float | None:
    """Mass of a step's solvent, mg; 0 where the source says none, None where it gives no amount."""
    if demand.step.solvent.startswith("none ("):
        return 0.0
    if demand.step.solvent_g_per_g is None:
        return None
    first = route.material(demand.step.reactants[0]).average_mass_g_per_mol
    return demand.step.solvent_g_per_g * first * demand.mmol_in


def _step(route: Route, step: Step) -> StepMetrics:
    product = route.material(step.products[0]).average_mass_g_per_mol
    consumed = [route.material(name).average_mass_g_per_mol for name in step.reactants]
    consumed += [n * route.material(name).average_mass_g_per_mol for name, n in step.consumes.items()]
    return StepMetrics(
        step.name, 100.0 * product / math.fsum(consumed), step.yield_percent, _step_yield_words(step)
    )


def _step_yield_words(step: Step) -> str:
    source = f" ({step.yield_claim})" if step.yield_claim else ""
    if step.yield_percent is not None:
        return f"{step.yield_percent:g} %{source}"
    if step.yield_range_percent is not None:
        low, high = step.yield_range_percent
        return (f"at least {low:g} %" if high == 100.0 else f"{low:g} to {high:g} %") + source
    return NOT_STATED


def _yield_words(route: Route, said: str) -> str:
    source = f" ({route.yield_claim})" if route.yield_claim else ""
    if route.overall_yield_percent is not None:
        return f"{route.overall_yield_percent:g} %{source}"
    if route.overall_yield_range_percent is not None:
        low, high = route.overall_yield_range_percent
        return f"{low:g} to {high:g} %{source}"
    if len(route.step) == 1:
        return _step_yield_words(route.step[0])
    if said == "stated per step":
        product = 100.0 * math.prod((step.yield_percent or 0.0) / 100.0 for step in route.step)
        return f"{product:.1f} % (product of the steps)"
    return NOT_STATED
