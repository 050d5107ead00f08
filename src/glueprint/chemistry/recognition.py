"""From reactions that others wrote down to a route of ours: each step gets a reaction that can be run."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from glueprint.chemistry import reactions, routes, standard, structures
from glueprint.chemistry.route import Route, Step
from glueprint.chemistry.structures import Structure
from glueprint.errors import InputError

__all__ = ["Written", "as_route"]

# What small molecules a step may set free or take up without being written, and how many of all in one step.
RELEASED = (
    "water",
    "hydrogen chloride",
    "carbon dioxide",
    "isobutene",
    "methanol",
    "acetic acid",
    "trifluoroacetic acid",
)
CONSUMED = ("hydrogen", "water")
AT_MOST = 3
AS_WRITTEN = "no reaction that is known here gives it: taken as written, and only its balance is checked"


@dataclass(frozen=True)
class Written:
    """One reaction as it was written: SMILES of reactants, agents and products, a template if there is one.

    template: RDKit reaction SMARTS in the forward direction, "" if none came.   where: file and line.
    """

    reactants: tuple[str, ...]
    products: tuple[str, ...]
    agents: tuple[str, ...] = ()
    template: str = ""
    name: str = ""
    where: str = ""


@dataclass(frozen=True)
class _Known:
    """A reaction of a built-in route."""

    smarts: str
    reactants: int
    racemises: bool
    consumes: Mapping[str, float]
    releases: Mapping[str, float]


def as_route(written: Sequence[Written], *, name: str, title: str, source: str) -> Route:
    """A route of the reactions, in their order, that `routes.check` can run.

    Each step takes the reaction of a built-in route that gives its product, or its isomer, from its
    reactants; else the template that came with it; else it is taken as written, and says so. Small molecules
    that are missing in the balance are completed where a few of the usual ones do, and the step says so.
    Raises InputError GP-H022 if there is no step; GP-H002 for a SMILES that cannot be read.
    """
    if not written:
        raise InputError(
            "GP-H022", "no reaction in it", where=source, expected="at least one step", next_step="add it"
        )
    names = _Names()
    steps = [_step(number, one, names) for number, one in enumerate(written, start=1)]
    return Route(
        name=name,
        title=title,
        target=steps[-1].products[0],
        source=source,
        structures=names.own,
        step=tuple(steps),
    )


class _Names:
    """Names for SMILES: the built-in one if the same form is built in, else a number."""

    def __init__(self) -> None:
        self.own: dict[str, str] = {}
        self._by_key: dict[str, str] = {}

    def of(self, smiles: str, where: str) -> str:
        found = structures.from_smiles(smiles, where=where)
        if found.inchikey in self._by_key:
            return self._by_key[found.inchikey]
        known = structures.by_key(found.inchikey)
        if known is None:
            name = f"compound {len(self.own) + 1}"
            self.own[name] = found.smiles
        else:
            name = known.name
        self._by_key[found.inchikey] = name
        return name

    def structure(self, name: str) -> Structure:
        """The structure behind a name that `of` gave, or a built-in one."""
        return (
            structures.from_smiles(self.own[name], name=name) if name in self.own else structures.load(name)
        )


def _step(number: int, one: Written, names: _Names) -> Step:
    main, *others = sorted(
        (structures.from_smiles(smiles, where=one.where) for smiles in one.products),
        key=lambda found: -structures.molecule(found.smiles).GetNumHeavyAtoms(),
    )
    found = [structures.from_smiles(smiles, where=one.where) for smiles in one.reactants]
    known, used = _recognised(found, main)
    assumed = ""
    if known is None and one.template and _gives(one.template, found, main):
        known = _Known(one.template, len(found), False, {}, {})
    if known is None:
        smarts = f"{'.'.join(f'({s.smiles})' for s in found)}>>({main.smiles})"
        known, assumed = _Known(smarts, len(found), False, {}, {}), AS_WRITTEN
    reactants = used or found
    consumes, releases = dict(known.consumes), dict(known.releases)
    if _imbalance(names, reactants, main, consumes, releases):
        # Another salt, or a reaction taken as written: what is written beside, then what is missing.
        written = {names.of(other.smiles, one.where): 1.0 for other in others}
        consumes, releases, more = _completed(names, reactants, main, written)
        assumed = "; ".join(text for text in (assumed, more) if text)
    twins = [twin for twin in _run(known.smarts, reactants, known.racemises) if twin.formula == main.formula]
    products = [main, *(twin for twin in twins if twin.inchikey != main.inchikey)] if used else [main]
    if used and standard.key(main.smiles) not in {standard.key(twin.smiles) for twin in twins}:
        products = [main]
    return Step(
        name=one.name or f"step {number}",
        reactants=tuple(names.of(s.smiles, one.where) for s in reactants),
        smarts=known.smarts,
        # Regioisomers that go on together are named together; the steps after must join them again.
        products=tuple(names.of(product.smiles, one.where) for product in products),
        consumes=consumes,
        releases=releases,
        reagents=tuple(names.of(smiles, one.where) for smiles in one.agents),
        racemises=known.racemises,
        assumed=assumed,
    )


def _recognised(found: list[Structure], product: Structure) -> tuple[_Known | None, list[Structure]]:
    """The built-in reaction that gives the product from the reactants, else one that gives its isomer."""
    wanted, isomer = standard.key(product.smiles), None
    for known in _library():
        consumed = {standard.key(structures.load(name).smiles) for name in known.consumes}
        real = [one for one in found if standard.key(one.smiles) not in consumed]
        if len(real) != known.reactants:
            continue
        for order in itertools.permutations(real):
            made = _run(known.smarts, order, known.racemises)
            if wanted in {standard.key(one.smiles) for one in made}:
                return known, list(order)
            if isomer is None and any(one.formula == product.formula for one in made):
                isomer = (known, list(order))
    return isomer if isomer is not None else (None, [])


def _gives(smarts: str, found: list[Structure], product: Structure) -> bool:
    """Whether a template can be run on the reactants and gives the product or an isomer of it."""
    return any(one.formula == product.formula for one in _run(smarts, found, False))


def _run(smarts: str, found: Sequence[Structure], racemises: bool) -> tuple[Structure, ...]:
    try:
        return reactions.products(smarts, found, racemises=racemises)
    except InputError:
        return ()


def _imbalance(
    names: _Names,
    reactants: list[Structure],
    product: Structure,
    consumes: Mapping[str, float],
    releases: Mapping[str, float],
) -> Mapping[str, float]:
    into = [*((one, 1.0) for one in reactants), *((names.structure(n), m) for n, m in consumes.items())]
    out = [(product, 1.0), *((names.structure(n), m) for n, m in releases.items())]
    return reactions.imbalance(into, out)


def _completed(
    names: _Names, reactants: list[Structure], product: Structure, written: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, float], str]:
    """The balance with the fewest small molecules that close it; as written where a few of them do not."""
    for size in range(AT_MOST + 1):
        for taken in range(size + 1):
            for less in itertools.combinations_with_replacement(CONSUMED, taken):
                for more in itertools.combinations_with_replacement(RELEASED, size - taken):
                    consumes, releases = _added({}, less), _added(written, more)
                    if not _imbalance(names, reactants, product, consumes, releases):
                        small = ", ".join((*less, *more))
                        return consumes, releases, f"balance completed by {small}" if small else ""
    return {}, dict(written), ""


def _added(amounts: Mapping[str, float], more: Iterable[str]) -> dict[str, float]:
    total = dict(amounts)
    for name in more:
        total[name] = total.get(name, 0.0) + 1.0
    return total


@lru_cache(maxsize=1)
def _library() -> tuple[_Known, ...]:
    """The reactions of the built-in routes: the most particular, and those that keep a centre, first."""
    found: dict[str, _Known] = {}
    for name in routes.available():
        for step in routes.load(name).step:
            known = _Known(step.smarts, len(step.reactants), step.racemises, step.consumes, step.releases)
            found.setdefault(f"{step.smarts} {step.racemises} {sorted(step.releases)}", known)
    return tuple(sorted(found.values(), key=lambda known: (-len(known.smarts), known.racemises)))
