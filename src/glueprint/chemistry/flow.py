"""How much of everything a route needs: moles worked back from the target through the graph of steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from glueprint.chemistry.route import Route, Step

__all__ = ["Demand", "bought", "demands", "materials", "step_yields", "weighed"]

# What a material does in a step.
REACTANT, CO_REACTANT = "reactant", "co-reactant"


@dataclass(frozen=True)
class Demand:
    """One step at scale: mmol of its first reactant that go in, mmol of product that come out."""

    step: Step
    mmol_in: float
    mmol_out: float


def demands(route: Route, yields_percent: Sequence[float], mmol_target: float) -> tuple[Demand, ...]:
    """What every step must make so that `mmol_target` of the target comes out, in the route's order.

    yields_percent: (steps,), each in (0, 100].   Equivalents above the stoichiometry do not make more
    product, but an intermediate used in excess must be made in excess.
    Source: own derivation, docs/chemistry.md.
    """
    wanted = dict.fromkeys(route.step[-1].products, mmol_target)
    found: list[Demand] = []
    for step, percent in reversed(list(zip(route.step, yields_percent, strict=True))):
        # Regioisomers that go on together are one material, whichever of them is named.
        mmol_out = max((wanted.get(product, 0.0) for product in step.products), default=0.0)
        mmol_in = mmol_out / (percent / 100.0)
        for name, _, equivalents, _ in materials(step):
            wanted[name] = wanted.get(name, 0.0) + equivalents * mmol_in
        found.append(Demand(step, mmol_in, mmol_out))
    return tuple(reversed(found))


def materials(step: Step) -> Iterator[tuple[str, str, float, bool]]:
    """What goes into a step: name, role, equivalents, and whether these were given and not assumed."""
    for name in step.reactants:
        yield name, REACTANT, step.equivalents.get(name, 1.0), name in step.equivalents
    for name, moles in step.consumes.items():
        yield name, CO_REACTANT, step.equivalents.get(name, moles), name in step.equivalents


def bought(route: Route) -> tuple[str, ...]:
    """The materials that no step makes, in the order in which they are used."""
    made = {product for step in route.step for product in step.products}
    used = (name for step in route.step for name, *_ in materials(step))
    return tuple(dict.fromkeys(name for name in used if name not in made))


def weighed(route: Route) -> tuple[str, ...]:
    """Everything that is weighed and not made: what is bought, and the bases, acids and catalysts."""
    added = (one.name for step in route.step for one in step.additions if one.equivalents is not None)
    return tuple(dict.fromkeys((*bought(route), *added)))


def step_yields(
    route: Route, given_percent: float | None = None, *, best: bool = False
) -> tuple[tuple[float | None, ...], str]:
    """A yield for every step, and in words where it comes from; None where nothing is known.

    Stated yields stand. Else `given_percent` is used; else an overall yield is shared equally among the steps
    without one, which holds for a linear route. Of a range, the lower end counts, or the upper if `best`.
    """
    stated = [step.yield_percent for step in route.step]
    missing = stated.count(None)
    overall, words = _overall(route, best)
    if not missing:
        return tuple(stated), "stated per step"
    if given_percent is not None:
        return tuple(given_percent if one is None else one for one in stated), "assumed: given by the user"
    if overall is None:
        return tuple(stated), "not stated"
    known = math.prod(value / 100.0 for value in stated if value is not None)
    each = min(100.0, 100.0 * (overall / 100.0 / known) ** (1.0 / missing))
    said = f"assumed: equal shares of the overall {words} that the source states"
    return tuple(each if one is None else one for one in stated), said


def _overall(route: Route, best: bool) -> tuple[float | None, str]:
    """The overall yield: as stated, or one end of a range."""
    if route.overall_yield_percent is not None:
        return route.overall_yield_percent, f"{route.overall_yield_percent:g} %"
    spread = route.overall_yield_range_percent
    if spread is None and len(route.step) == 1:
        spread = route.step[0].yield_range_percent
    if spread is None:
        return None, ""
    end, value = ("upper", spread[1]) if best else ("lower", spread[0])
    return value, f"{value:g} % ({end} end of {spread[0]:g} to {spread[1]:g} %)"
