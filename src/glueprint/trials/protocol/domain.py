"""The domain of validity: what the fitted trials cover, and where a protocol lies outside of it.

The clinical parameters were learnt from a few trials. Inside the range of their patients, exposures and times
the model interpolates; outside of it nothing speaks for its numbers but its form.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache, partial

from glueprint import references
from glueprint.mechanism import Compound, Outside, Scenario, parameters, substrates
from glueprint.trials.protocol.case_mix import CaseMix, Levels
from glueprint.trials.protocol.document import Arm, Drug, Protocol
from glueprint.trials.protocol.loading import load_protocol
from glueprint.trials.protocol.schedule import parse_days

__all__ = ["outside"]

_beyond = partial(Outside, code="GP-T080", basis="the fitted trials")
# Of a covariate's distribution, what may lie beyond the fitted limits: the usual share of an interval's ends.
TAIL = 0.025
# What of a dose no trial could tell from its fitted one.
SLACK = 0.01
NM_PER_MG_PER_L = 1e6  # over the molar mass in g/mol


def outside(protocol: Protocol) -> tuple[Outside, ...]:
    """Everything in which a protocol goes beyond the trials that the clinical parameters were fitted to.

    Compared are each covariate of the case-mix, the largest dose and the dose of a cycle of partner drugs,
    the loss of each substrate that a glue induces, over its natural loss, at its mean free concentration of a
    dosing day and of a cycle, and the longest follow-up. A dose is the largest that any of the arm's patients
    starts with, whatever their age, and a condition of the arm acts on its concentration.
    Source: own derivation, docs/trials.md, "Domain of validity".

    >>> from glueprint.trials import load_protocol
    >>> outside(load_protocol("mm003"))
    ()
    """
    known = _fitted()
    return (*_exposures(protocol), *_patients(protocol.case_mix, known), *_times(protocol, known))


@lru_cache(maxsize=1)
def _fitted() -> tuple[Protocol, ...]:
    return tuple(load_protocol(name) for name in references.default().trials.values())


def _patients(case_mix: CaseMix, known: Iterable[Protocol]) -> Iterator[Outside]:
    for name in case_mix.names:
        mine = getattr(case_mix, name)
        others = [own for trial in known if (own := getattr(trial.case_mix, name)) is not None]
        field = f"case_mix.{name}"
        if isinstance(mine, Levels):
            # What no fitted trial draws acts through the evidence of its own effect, if at all.
            levels = {level for own in others for level in own.shares}
            for level, share in mine.shares.items():
                if levels and level not in levels and share > TAIL:
                    yield _beyond(field, f'{share:.0%} "{level}"', ", ".join(sorted(levels)))
        elif others:
            low = min(own.low for own in others)
            high = max(own.high for own in others)
            below, above = mine.shares_beyond(low, high)
            words = ((below, f"below {low:g}"), (above, f"above {high:g}"))
            asked = [f"{share:.0%} of the patients {where}" for share, where in words if share > TAIL]
            if asked:
                yield _beyond(field, " and ".join(asked), f"{low:g} to {high:g}")


def _times(protocol: Protocol, known: Iterable[Protocol]) -> Iterator[Outside]:
    longest = max(trial.follow_up.maximum_months for trial in known)
    asked = protocol.follow_up.maximum_months
    if asked > longest:
        yield _beyond("follow_up.maximum_months", f"{asked:g} months", f"{longest:g} months")


def _exposures(protocol: Protocol) -> Iterator[Outside]:
    most = _strongest()
    for arm, drug in _drugs(protocol):
        field, with_ = f'arm "{arm.name}"', "".join(f" with {name}" for name in arm.conditions)
        asked = f"{drug.name} {drug.most_mg:g} mg{with_ if drug.glue is not None else ''}"
        if drug.glue is not None and drug.most_mg > 0 and not _comparable(drug.glue):
            yield _beyond(field, f"{asked}, with pharmacokinetics of its own", "glues with a clearance")
        strength = _strength(protocol, arm, drug)
        beyond = {name: value / most[name] for name, value in strength.items() if most.get(name, 0.0) > 0}
        # One line a drug: that which is furthest out says how far.
        name = max(beyond, key=lambda name: beyond[name], default="")
        if name and beyond[name] > 1.0 + SLACK:
            times = f"{strength[name]:.3g} {name}, {beyond[name]:.3g} times the most of them"
            yield _beyond(field, f"{asked}: {times}", f"up to {most[name]:.3g}")
        unseen = [name for name, value in strength.items() if value > 0 and name not in most]
        if unseen:
            yield _beyond(field, f"{asked}: {', '.join(unseen)}", "no drug that does this")


@lru_cache(maxsize=1)
def _strongest() -> Mapping[str, float]:
    """The most of anything that a fitted trial gives, by what it is counted in."""
    most: dict[str, float] = {}
    for trial in _fitted():
        for arm, drug in _drugs(trial):
            for name, value in _strength(trial, arm, drug).items():
                most[name] = max(most.get(name, 0.0), value)
    return most


def _drugs(protocol: Protocol) -> Iterator[tuple[Arm, Drug]]:
    for arm in protocol.arms:
        for drug in arm.all_drugs:
            yield arm, drug


def _strength(protocol: Protocol, arm: Arm, drug: Drug) -> Mapping[str, float]:
    """How strongly a drug acts on a dosing day and over a cycle, by the unit that it is counted in."""
    share_of_days = len(parse_days(drug.days)) / protocol.cycle_days
    if drug.glue is None:
        return {
            f"mg of {drug.name} a day": drug.most_mg,
            f"mg of {drug.name} a day, mean of a cycle": drug.most_mg * share_of_days,
        }
    found = {}
    for pair, loss in _induced(drug.glue, drug.most_mg, arm.conditions).items():
        found[f"x the natural loss of {pair} on a dosing day"] = loss
        found[f"x the natural loss of {pair} in the mean of a cycle"] = loss * share_of_days
    return found


def _comparable(glue: Compound) -> bool:
    return "clearance_l_per_h" in parameters.typical(Scenario(glue))


def _induced(glue: Compound, dose_mg: float, conditions: Collection[str]) -> Mapping[str, float]:
    """rho x occupancy of each pair of substrate and cell at the mean concentration of a dosing day.

    conditions: of the arm's patients, such as an inhibitor of the glue's clearance.
    """
    if dose_mg <= 0 or not _comparable(glue):
        return {}
    known = parameters.typical(Scenario(glue))
    factors = parameters.of_conditions(glue, conditions)
    known |= {name: known[name] * factor for name, factor in factors.items() if name in known}
    mg_per_l = dose_mg * known.get("bioavailability", 1.0) / (24.0 * known["clearance_l_per_h"])
    free_nm = mg_per_l / known["molar_mass_g_per_mol"] * NM_PER_MG_PER_L * known["fraction_unbound"]
    occupancy = free_nm / (free_nm + known["kd_nm"])
    rho = {
        f"{name} in {cell} cells": known.get(f"{pair}_rho", 0.0)
        for pair, (name, cell) in substrates.pairs(glue.known_substrates).items()
    }
    return {pair: value * occupancy for pair, value in rho.items() if value > 0}
