"""A plan that goes to the bench: every step with its conditions, balance, checks, hazards and solvents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from glueprint.chemistry import flow, groups, planning, safety_data, standard, structures
from glueprint.chemistry.planning import Plan
from glueprint.chemistry.route import NOT_STATED, Route, Step
from glueprint.chemistry.safety_data import Hazard
from glueprint.errors import InputError, nearest

__all__ = ["BenchPlan", "BenchStep", "Outflow", "SolventNote", "at_hand", "bench"]

# Mass of a proton, CODATA 2018, u: what electrospray adds.
PROTON_U = 1.007276466621


@dataclass(frozen=True)
class Outflow:
    """What leaves a step: product, by-product, excess, or what the yield leaves behind; grams."""

    material: str
    role: str
    grams: float


@dataclass(frozen=True)
class BenchStep:
    """One step at scale.

    solvent, temperature, time, work_up, purification: as the source states them, or "not stated".
    limiting: the reactant that equivalents refer to, or that is short.   made_g: product as planned.
    in_g, outflows: masses that are known, solvent and catalyst apart; their sums are equal.
    checks: what to look at before and after.   safety: the note of the class, if a material carries it.
    """

    name: str
    reagents: tuple[str, ...]
    solvent: str
    temperature: str
    time: str
    work_up: str
    purification: str
    limiting: str
    yield_percent: float
    made_g: float
    in_g: float
    outflows: tuple[Outflow, ...]
    checks: tuple[str, ...]
    safety: str

    @property
    def out_g(self) -> float:
        """The sum of `outflows`, g."""
        return math.fsum(one.grams for one in self.outflows)


@dataclass(frozen=True)
class SolventNote:
    """One solvent: its rank in the CHEM21 guide ("" if it is not there), and what to try first."""

    name: str
    rank: str
    advice: str
    source: str


@dataclass(frozen=True)
class BenchPlan:
    """A whole plan.

    expected_g: target at the lower and upper end of the yield as stated; equal where no range is stated.
    mass_intensity: g weighed per g of target, of all whose amount is known; `not_counted` is missing in it.
    """

    route: Route
    plan: Plan
    steps: tuple[BenchStep, ...]
    expected_g: tuple[float, float]
    range_is: str
    mass_intensity: float
    not_counted: tuple[str, ...]
    hazards: tuple[Hazard, ...]
    solvents: tuple[SolventNote, ...]


def bench(
    route: Route,
    grams: float,
    *,
    step_yield_percent: float | None = None,
    purity_percent: float | Mapping[str, float] | None = None,
) -> BenchPlan:
    """The plan of a route for the bench; arguments and errors as `planning.plan`.

    Returns steps with conditions, mass balance and checks, hazards as listed, and solvents with their rank.
    Source: own derivation, docs/synthesis.md; hazards and solvents as their tables name them.
    """
    plan = planning.plan(route, grams, step_yield_percent=step_yield_percent, purity_percent=purity_percent)
    target_mmol = 1000.0 * grams / route.material(route.target).average_mass_g_per_mol
    demands = flow.demands(route, plan.step_yields_percent, target_mmol)
    steps = tuple(
        _step(route, demand, percent)
        for demand, percent in zip(demands, plan.step_yields_percent, strict=True)
    )
    low, high, said = _range(route, grams)
    bought = [row for row in plan.table.to_dicts() if row["role"] != "product" and not _made(route, row)]
    known = [row["weigh_g"] for row in bought if row["weigh_g"] is not None]
    return BenchPlan(
        route,
        plan,
        steps,
        (low, high),
        said,
        math.fsum(known) / grams,
        tuple(f"{row['step']}: {_unknown(row)}" for row in bought if row["weigh_g"] is None),
        tuple(_hazard(route, name) for name in _listed(plan)),
        tuple(_solvent(name) for name in dict.fromkeys(step.solvent for step in route.step)),
    )


def at_hand(
    route: Route, have_g: Mapping[str, float], *, step_yield_percent: float | None = None
) -> tuple[float, str]:
    """How much of the target can be made from what is there, and which material is short.

    have_g: name -> g of pure material; those not named are there in plenty.
    Returns grams of target and the limiting material.   Raises InputError GP-H006 for an unknown material
    or an amount that cannot be; else as `planning.plan`.
    """
    one = planning.plan(route, 1.0, step_yield_percent=step_yield_percent).table.to_dicts()
    weighed = flow.weighed(route)
    ratios = {}
    for name, grams in have_g.items():
        if name not in weighed or not (math.isfinite(grams) and grams > 0.0):
            raise InputError(
                "GP-H006",
                f'cannot plan with {grams:g} g of "{name}"{nearest(name, weighed)}',
                where=route.place(),
                expected="an amount above 0 g of one of " + ", ".join(weighed),
                next_step="correct name or amount",
            )
        rows = [row for row in one if row["material"] == name and row["role"] != "product"]
        ratios[name] = grams / math.fsum(row["grams"] for row in rows)
    if not ratios:
        raise InputError(
            "GP-H006",
            "nothing is given that is at hand",
            where=route.place(),
            expected="at least one material with its amount in grams",
            next_step="give a material as NAME=GRAMS",
        )
    short = min(ratios, key=lambda name: ratios[name])
    return ratios[short], short


def _step(route: Route, demand: flow.Demand, percent: float) -> BenchStep:
    step = demand.step
    return BenchStep(
        step.name,
        step.reagents,
        step.solvent,
        step.temperature,
        step.time,
        step.work_up,
        step.purification,
        _limiting(route, step),
        percent,
        demand.mmol_out * _mass(route, route.weighed_as(step.products[0])) / 1000.0,
        *_balance(route, demand, percent / 100.0),
        _checks(route, step),
        _safety(route, step),
    )


def _limiting(route: Route, step: Step) -> str:
    """The reactant with the fewest equivalents for its need; of equals, the one that equivalents refer to."""
    needed = dict.fromkeys(step.reactants, 1.0)
    spare = {name: step.equivalents.get(name, 1.0) / moles for name, moles in needed.items()}
    return route.weighed_as(min(spare, key=lambda name: spare[name]))


def _balance(route: Route, demand: flow.Demand, share: float) -> tuple[float, tuple[Outflow, ...]]:
    """Mass in, and what it becomes: at the planned yield products, else what the yield leaves behind."""
    step, mmol = demand.step, demand.mmol_in
    reacting: dict[str, float] = {}
    excess: dict[str, float] = {}
    for plain, _, equivalents, _ in flow.materials(step):
        used = step.consumes.get(plain, 1.0)
        name = route.weighed_as(plain)
        reacting[name] = reacting.get(name, 0.0) + used
        excess[name] = excess.get(name, 0.0) + equivalents - used
    for one in step.additions:
        if one.equivalents is not None:
            reacting[one.name] = reacting.get(one.name, 0.0) + one.uses
            excess[one.name] = excess.get(one.name, 0.0) + one.equivalents - one.uses
    made = _made_of(route, step)
    gram = mmol / 1000.0
    inflow = math.fsum((moles + excess[name]) * _mass(route, name) for name, moles in reacting.items()) * gram
    lost = (1.0 - share) * gram * math.fsum(n * _mass(route, name) for name, n in reacting.items())
    outflows = [Outflow(name, role, share * gram * moles * _mass(route, name)) for name, role, moles in made]
    outflows += [
        Outflow(name, "excess", gram * moles * _mass(route, name)) for name, moles in excess.items() if moles
    ]
    if share < 1.0:
        outflows.append(Outflow("not turned into product", "what the yield leaves", lost))
    return inflow, tuple(outflows)


def _made_of(route: Route, step: Step) -> list[tuple[str, str, float]]:
    """Products and by-products in moles per mole, after base and acid have taken up what is set free."""
    released = dict(step.releases)
    for plain in step.reactants:
        if (salt := route.weighed_as(plain)) != plain:
            found = standard.standardise(structures.molecule(route.material(salt).smiles))
            for part in found.parts:
                released[part.name] = released.get(part.name, 0.0) + part.count
    for one in step.additions:
        if one.stays:
            continue
        for name, moles in one.takes_up.items():
            released[name] = released.get(name, 0.0) - moles
        for name, moles in one.gives.items():
            released[name] = released.get(name, 0.0) + moles
    products = [(route.weighed_as(step.products[0]), "product", 1.0)]
    return products + [(name, "by-product", moles) for name, moles in released.items() if moles]


def _checks(route: Route, step: Step) -> tuple[str, ...]:
    """What to look at: isomers that weigh the same, and the ion to find."""
    said = []
    bought = set(flow.bought(route))
    for name in step.reactants:
        if name in bought and (twins := _isomers(name, route)):
            identity = route.material(name)
            number = f"CAS {identity.cas}, " if identity.cas else ""
            said.append(
                f"Before: {name} is {number}InChIKey {identity.inchikey}, not its isomer "
                f"{' or '.join(twins)}; mass cannot tell them, NMR or a melting point can."
            )
    product = route.material(step.products[0])
    ion = standard.standardise(structures.molecule(product.smiles))
    mass = structures.from_smiles(ion.smiles).exact_mass_g_per_mol + PROTON_U
    said.append(f"After: {product.name}, [M+H]+ {mass:.4f} (monoisotopic).")
    if twins := _isomers(step.products[0], route):
        said.append(
            f"After: {' or '.join(twins)} has the same mass: tell them apart by NMR or chromatography."
        )
    return tuple(said)


def _isomers(name: str, route: Route) -> list[str]:
    """Built-in compounds with the same formula and another skeleton, apart from the route's own twins."""
    own = route.material(name)
    named = {twin for step in route.step if name in step.products for twin in step.products}
    found = (structures.load(other) for other in structures.names() if other not in named)
    return [
        one.name for one in found if one.formula == own.formula and one.inchikey[:14] != own.inchikey[:14]
    ]


def _safety(route: Route, step: Step) -> str:
    notes = (groups.safety_note(route.material(name)) for name in (*step.reactants, *step.products))
    return next((note for note in notes if note), "")


def _range(route: Route, grams: float) -> tuple[float, float, str]:
    """The target at both ends of a stated range; the plan is made for its lower end."""
    spread = route.overall_yield_range_percent
    if spread is None and len(route.step) == 1:
        spread = route.step[0].yield_range_percent
    if spread is None:
        return grams, grams, "no range of yields is stated"
    low, high = spread
    return grams, grams * high / low, f"planned at {low:g} %, the range ends at {high:g} %"


def _made(route: Route, row: Mapping[str, object]) -> bool:
    return any(row["material"] in (*step.products, step.isolated_as) for step in route.step)


def _unknown(row: Mapping[str, object]) -> str:
    return f"{row['role']} {row['material']}"


def _listed(plan: Plan) -> tuple[str, ...]:
    names = plan.table["material"].unique(maintain_order=True).to_list()
    return tuple(str(name).removesuffix(", glacial") for name in names if name != NOT_STATED)


def _hazard(route: Route, name: str) -> Hazard:
    """The statements of a material; a member of the class says that it is one, listed or not."""
    found = safety_data.hazard(name)
    try:
        member = groups.safety_note(route.material(name))
    except InputError:
        return found
    if not member:
        return found
    return replace(found, source=f"thalidomide class: handle as a human teratogen; {found.source}")


def _solvent(name: str) -> SolventNote:
    found = safety_data.solvent(name)
    if name.startswith("none ("):
        return SolventNote(name, "none used", "", "")
    if found is None:
        return SolventNote(name, "", "not ranked" if NOT_STATED not in name else "choose one and note it", "")
    advice = ""
    if found.rank != "recommended":
        advice = f"try {', '.join(safety_data.recommended())} first; that they dissolve is not checked"
    return SolventNote(name, found.rank, advice, found.source)


def _mass(route: Route, name: str) -> float:
    return route.material(name).average_mass_g_per_mol
