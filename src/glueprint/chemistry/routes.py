"""Synthesis routes as graphs of reactions that are run: each step must give exactly its named product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from glueprint.chemistry import reactions, standard, structures
from glueprint.chemistry.route import Route, Step, read_routes
from glueprint.chemistry.structures import Structure
from glueprint.errors import InputError, nearest

__all__ = [
    "Outcome",
    "Problem",
    "Route",
    "RouteCheck",
    "Step",
    "StepOutcome",
    "available",
    "check",
    "isomers_that_work",
    "load",
    "read",
    "require",
    "run",
]


@dataclass(frozen=True)
class StepOutcome:
    """What a step gave: products as computed, whether they are the named ones, and atoms out of balance."""

    step: str
    products: tuple[Structure, ...]
    as_named: bool
    imbalance: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """What a route ends in, from the reagents that were put in."""

    route: str
    target: Structure
    product: Structure | None
    steps: tuple[StepOutcome, ...]

    @property
    def reaches_target(self) -> bool:
        """Whether the end product is the target, by the InChIKey of the substance."""
        if self.product is None:
            return False
        return standard.key(self.product.smiles) == standard.key(self.target.smiles)


@dataclass(frozen=True)
class Problem:
    """One fault of a route: code (docs/errors/chemistry.md), place, what is wrong, what to do."""

    code: str
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.code} {self.where}: {self.what}"


@dataclass(frozen=True)
class RouteCheck:
    """A route as it runs; `problems` is empty if the route holds."""

    outcome: Outcome
    problems: tuple[Problem, ...]

    @property
    def holds(self) -> bool:
        """Whether every step gives its named product in balance and the route ends in its target."""
        return not self.problems


def available() -> tuple[str, ...]:
    """The names of the built-in routes."""
    return tuple(_built_in())


def load(name: str) -> Route:
    """A built-in route.

    Raises InputError GP-H003 if there is none of that name.
    """
    try:
        return _built_in()[name]
    except KeyError:
        raise InputError(
            "GP-H003",
            f'no route "{name}"{nearest(name, available())}',
            expected="one of " + ", ".join(available()) + ", or the path of a .toml file",
            next_step="correct the name, or give your own file; `glueprint synthesis list` has the routes",
        ) from None


def read(path: str | Path) -> tuple[Route, ...]:
    """Routes of the user's own from a TOML file in the form of the built-in one (docs/chemistry.md).

    Raises InputError naming file and field: GP-H008 (unreadable), GP-H005 (not TOML, or a bad field), GP-H012
    (another kind or version), GP-H006 (impossible yield), GP-H002 (unreadable SMILES).
    """
    return read_routes(Path(path))


def run(route: Route, *, replace: Mapping[str, str | Structure] | None = None) -> Outcome:
    """Put the reagents through the route's reactions and see what comes out.

    A step works on what earlier steps gave.   replace: reagent name -> structure or name in its place.
    Returns the end product (None if a step does not react or branches at the end) and every step's outcome.
    Raises InputError GP-H001 for an unknown structure, GP-H004 for unreadable SMARTS.
    """
    swaps = {
        name: route.material(other) if isinstance(other, str) else other
        for name, other in (replace or {}).items()
    }
    made: dict[str, tuple[Structure, ...]] = {}
    outcomes = []
    for step in route.step:
        outcome = _run_step(route, step, made, swaps)
        made.update(dict.fromkeys(step.products, outcome.products))
        outcomes.append(outcome)
    last = outcomes[-1].products
    return Outcome(
        route.name, route.material(route.target), last[0] if len(last) == 1 else None, tuple(outcomes)
    )


def check(route: Route) -> RouteCheck:
    """Whether every step gives exactly its named product in mass balance and the route ends in its target.

    Problems: GP-H009 (another product), GP-H010 (out of balance), GP-H011 (not the target, or a loose end).
    """
    outcome = run(route)
    problems = []
    for step, found in zip(route.step, outcome.steps, strict=True):
        place = route.place(step.name)
        if not found.as_named:
            got = " and ".join(product.name for product in found.products) or "no product"
            what = f"gives {got}, not {' and '.join(step.products)}"
            problems.append(Problem("GP-H009", place, what, _remedy(route, step)))
        if found.imbalance:
            lost = ", ".join(f"{element} {count:+g}" for element, count in found.imbalance.items())
            remedy = "complete `consumes` and `releases`; + appears from nowhere, - vanishes"
            if salts := _salts(route, step):
                remedy = f"{salts}: consume what brings its counter-ion, or name the free form; or {remedy}"
            problems.append(Problem("GP-H010", place, f"out of balance by {lost}", remedy))
    if not outcome.reaches_target:
        ended = outcome.product.name if outcome.product else "no single product"
        what = f"the route ends in {ended}, not {route.target}"
        problems.append(Problem("GP-H011", route.place(), what, "correct the last step or the target"))
    return RouteCheck(outcome, (*problems, *_additions(route), *_loose_ends(route)))


def require(route: Route) -> Outcome:
    """The outcome of a route that holds.

    Raises InputError with the code and place of its first problem (GP-H009, GP-H010, GP-H011).
    """
    checked = check(route)
    if checked.problems:
        first, *others = checked.problems
        also = f". Also: {'; '.join(map(str, others))}" if others else ""
        raise InputError(
            first.code,
            first.what + also,
            where=first.where,
            expected="steps that give exactly the named product in mass balance",
            next_step=first.remedy,
        )
    return checked.outcome


def isomers_that_work(route: Route, reagent: str, printed: Structure) -> tuple[Structure, ...]:
    """The built-in isomers of a printed reagent from which the route does reach its target."""
    return tuple(
        isomer
        for isomer in map(structures.load, structures.names())
        if isomer.formula == printed.formula and run(route, replace={reagent: isomer}).reaches_target
    )


def _remedy(route: Route, step: Step) -> str:
    """Name a built-in isomer of a reactant from which the route would come out right, if there is one."""
    bought = [name for name in step.reactants if not any(name in one.products for one in route.step)]
    for name in bought:
        right = isomers_that_work(route, name, route.material(name))
        if right:
            known = right[0].name + (f" (= {right[0].aliases[0]})" if right[0].aliases else "")
            return f"use {known} in place of {name}"
    return "compare the reaction SMARTS, the reactants and the named product"


def _additions(route: Route) -> list[Problem]:
    """Bases and acids that do not balance, and salts that are not the product and its acid."""
    found = []
    for step in route.step:
        for one in step.additions:
            if one.stays or not one.uses:
                continue
            into = [(route.material(one.name), one.uses), *_amounts(route, one.takes_up)]
            if lost := reactions.imbalance(into, _amounts(route, one.gives)):
                found.append(_off(route, step, f"{one.name} with what it takes up", lost))
        if step.isolated_as:
            held = [(route.material(one.name), one.uses) for one in step.additions if one.stays]
            into = [(route.material(step.products[0]), 1.0), *held]
            if lost := reactions.imbalance(into, [(route.material(step.isolated_as), 1.0)]):
                found.append(_off(route, step, f"{step.isolated_as} beside product and acid", lost))
    return found


def _off(route: Route, step: Step, what: str, lost: Mapping[str, float]) -> Problem:
    words = ", ".join(f"{element} {count:+g}" for element, count in lost.items())
    remedy = "complete `takes_up` and `gives` of the addition, or the acid that stays with the product"
    return Problem("GP-H010", route.place(step.name), f"{what}: out of balance by {words}", remedy)


def _salts(route: Route, step: Step) -> str:
    """The products that a step names as their salts, in words."""
    found = [
        f"{name} is written with {', '.join(part.name for part in parts)}"
        for name in step.products
        if (parts := standard.standardise(structures.molecule(route.material(name).smiles)).parts)
    ]
    return " and ".join(found)


def _loose_ends(route: Route) -> list[Problem]:
    used = {name for step in route.step for name in step.reactants}
    return [
        Problem(
            "GP-H011",
            route.place(step.name),
            f"no later step uses {' or '.join(step.products)}",
            "remove the step, or use its product",
        )
        for step in route.step[:-1]
        if not used & set(step.products)
    ]


def _run_step(
    route: Route, step: Step, made: Mapping[str, tuple[Structure, ...]], swaps: Mapping[str, Structure]
) -> StepOutcome:
    options = [
        made[name] if name in made else (swaps.get(name) or route.material(name),) for name in step.reactants
    ]
    # Regioisomers of the step before each go on by themselves; usually they join again.
    branches: list[tuple[Structure, ...]] = [()]
    for choices in options:
        branches = [(*branch, choice) for branch in branches for choice in choices]
    consumed, released = (_amounts(route, side) for side in (step.consumes, step.releases))
    named = {standard.key(one.smiles): one for one in map(route.material, step.products)}
    found: dict[str, Structure] = {}
    faults: dict[str, float] = {}
    for branch in branches:
        made_here = reactions.products(
            step.smarts, branch, racemises=step.racemises, where=route.place(step.name)
        )
        for made_one in made_here:
            key = standard.key(made_one.smiles)
            # A product that is named as its salt is weighed, and goes on, as that salt.
            product = found[key] = named.get(key, made_one)
            faults.update(
                reactions.imbalance(
                    [*((reactant, 1.0) for reactant in branch), *consumed], [(product, 1.0), *released]
                )
            )
    return StepOutcome(step.name, tuple(found.values()), set(found) == set(named), faults)


def _amounts(route: Route, materials: Mapping[str, float]) -> list[tuple[Structure, float]]:
    return [(route.material(name), moles) for name, moles in materials.items()]


@lru_cache(maxsize=1)
def _built_in() -> Mapping[str, Route]:
    path = files("glueprint.chemistry") / "data" / "routes.toml"
    return {route.name: route for route in read_routes(path, name_file=False)}
