"""Synthesis routes as chains of reactions that are run: each step must give exactly its named product."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from glueprint.chemistry import reactions, structures
from glueprint.chemistry.structures import Structure
from glueprint.errors import EnvironmentProblemError, InputError, nearest

__all__ = [
    "Outcome",
    "Route",
    "RouteCheck",
    "Step",
    "StepOutcome",
    "available",
    "check",
    "load",
    "read",
    "run",
]

Percent = Annotated[float, Field(gt=0.0, le=100.0)]
Moles = Annotated[float, Field(gt=0.0)]


class Step(BaseModel):
    """One reaction: `smarts` on `reactants` gives `products`; `consumes`, `releases`: mol per mol product."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    reactants: Annotated[tuple[str, ...], Field(min_length=1)]
    smarts: str
    products: Annotated[tuple[str, ...], Field(min_length=1)]
    consumes: Mapping[str, Moles] = {}
    releases: Mapping[str, Moles] = {}
    yield_percent: Percent | None = None
    racemises: bool = False
    note: str = ""


class Route(BaseModel):
    """A chain of steps to a target; yields in percent, None where the source states none.

    blocks: the part that a reagent plays (endpoint of an evidence row) -> the reagent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    title: str
    target: str
    source: str
    overall_yield_percent: Percent | None = None
    note: str = ""
    blocks: Mapping[str, str] = {}
    step: Annotated[tuple[Step, ...], Field(min_length=1)]


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
        """Whether the end product is the target, by InChIKey."""
        return self.product is not None and self.product.inchikey == self.target.inchikey


@dataclass(frozen=True)
class RouteCheck:
    """A route as shipped: `problems` has one sentence per fault and is empty if the route holds."""

    outcome: Outcome
    problems: tuple[str, ...]

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
            expected="one of " + ", ".join(available()),
            next_step="read a route of your own with `chemistry.routes.read`",
        ) from None


def read(path: str | Path) -> tuple[Route, ...]:
    """Routes of the user's own from a TOML file in the form of the built-in one (docs/chemistry.md).

    Raises InputError GP-H005, naming the field, if the file is not such a file; EnvironmentProblemError
    GP-H008 if it cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentProblemError(
            "GP-H008",
            f"cannot read the file: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            next_step="check the path, the permissions and that it is UTF-8 text",
        ) from error
    return _parse(text, where=str(path))


def run(route: Route, *, replace: Mapping[str, str | Structure] | None = None) -> Outcome:
    """Put the reagents through the route's reactions and see what comes out.

    A step works on what the step before gave.   replace: reagent name -> structure or name in its place.
    Returns the end product (None if a step does not react or branches at the end) and every step's outcome.
    Raises InputError GP-H001 for an unknown structure, GP-H004 for unreadable SMARTS.
    """
    swaps = {
        name: structures.load(other) if isinstance(other, str) else other
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
        route.name, structures.load(route.target), last[0] if len(last) == 1 else None, tuple(outcomes)
    )


def check(route: Route) -> RouteCheck:
    """Whether every step gives exactly its named product in mass balance and the route ends in its target."""
    outcome = run(route)
    problems = []
    for step, found in zip(route.step, outcome.steps, strict=True):
        if not found.as_named:
            got = " and ".join(product.name for product in found.products) or "no product"
            problems.append(f"step {step.name}: gives {got}, not {' and '.join(step.products)}")
        if found.imbalance:
            lost = ", ".join(f"{element} {count:+g}" for element, count in found.imbalance.items())
            problems.append(f"step {step.name}: out of balance by {lost}")
    if not outcome.reaches_target:
        ended = outcome.product.name if outcome.product else "no single product"
        problems.append(f"the route ends in {ended}, not {route.target}")
    return RouteCheck(outcome, tuple(problems))


def _run_step(
    route: Route, step: Step, made: Mapping[str, tuple[Structure, ...]], swaps: Mapping[str, Structure]
) -> StepOutcome:
    where = f"route {route.name}, step {step.name}"
    options = [
        made[name] if name in made else (swaps.get(name) or structures.load(name),) for name in step.reactants
    ]
    # Regioisomers of the step before each go on by themselves; usually they join again.
    branches: list[tuple[Structure, ...]] = [()]
    for choices in options:
        branches = [(*branch, choice) for branch in branches for choice in choices]
    found: dict[str, Structure] = {}
    faults: dict[str, float] = {}
    for branch in branches:
        for product in reactions.products(step.smarts, branch, racemises=step.racemises, where=where):
            found[product.inchikey] = product
            faults.update(
                reactions.imbalance(
                    [*((reactant, 1.0) for reactant in branch), *_amounts(step.consumes)],
                    [(product, 1.0), *_amounts(step.releases)],
                )
            )
    named = {structures.load(name).inchikey for name in step.products}
    return StepOutcome(step.name, tuple(found.values()), set(found) == named, faults)


def _amounts(materials: Mapping[str, float]) -> list[tuple[Structure, float]]:
    return [(structures.load(name), moles) for name, moles in materials.items()]


@lru_cache(maxsize=1)
def _built_in() -> Mapping[str, Route]:
    text = (files("glueprint.chemistry") / "data" / "routes.toml").read_text(encoding="utf-8")
    return {route.name: route for route in _parse(text, where="routes.toml")}


def _parse(text: str, *, where: str) -> tuple[Route, ...]:
    try:
        rows: Any = tomllib.loads(text)["route"]
        return tuple(Route.model_validate(row) for row in rows)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        what = f'field "{field}": {first["msg"]} (given: {first["input"]!r})'
    except (tomllib.TOMLDecodeError, KeyError) as error:
        what = f"not a file of routes: {error}"
    raise InputError(
        "GP-H005",
        what,
        where=where,
        expected="[[route]] tables with name, title, target, source and [[route.step]] tables",
        next_step="compare with the example in docs/chemistry.md",
    )
