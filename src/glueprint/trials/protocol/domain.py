"""The domain of validity: what the fitted trials cover, and where a protocol lies outside of it.

The clinical parameters were learnt from a few trials. Inside the range of their patients, exposures and times
the model interpolates; outside of it nothing speaks for its numbers but its form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from glueprint import references
from glueprint.mechanism import Compound, Outside, Partner, Scenario, parameters, substrates
from glueprint.trials.protocol.case_mix import CaseMix, Levels
from glueprint.trials.protocol.document import Protocol
from glueprint.trials.protocol.loading import load_protocol
from glueprint.trials.protocol.schedule import parse_days

__all__ = ["Taken", "outside", "outside_of_one"]

_beyond = partial(Outside, code="GP-T080", basis="the fitted trials")
_unread = partial(Outside, code="GP-T107", basis="the modules of a patient")
# Of a covariate's distribution, what may lie beyond the fitted limits: the usual share of an interval's ends.
TAIL = 0.025
# What of a dose no trial could tell from its fitted one.
SLACK = 0.01
NM_PER_MG_PER_L = 1e6  # over the molar mass in g/mol


@dataclass(frozen=True)
class Taken:
    """A drug as somebody takes it.

    most_mg: largest dose of a day.   share_of_days: of a cycle, with a dose.   factors: on typical parameters
    of a glue, by name, as conditions or a "what if" have it.   words: of the factors.
    """

    drug: Compound | Partner
    most_mg: float
    share_of_days: float
    factors: Mapping[str, float] = field(default_factory=dict)
    words: str = ""


def outside(protocol: Protocol) -> tuple[Outside, ...]:
    """Everything in which a protocol goes beyond the trials that the clinical parameters were fitted to.

    Compared are each covariate of the case-mix, the largest dose and the dose of a cycle of partner drugs,
    the loss of each substrate that a glue induces, over its natural loss, at its mean free concentration of a
    dosing day and of a cycle, and the longest follow-up; and whether a glue degrades what no module of a
    patient reads. A dose is the largest that any of the arm's patients starts with, whatever their age, and a
    condition of the arm acts on its concentration.
    Source: own derivation, docs/trials.md, "Domain of validity".

    >>> from glueprint.trials import load_protocol
    >>> outside(load_protocol("mm003"))
    ()
    """
    months = protocol.follow_up.maximum_months
    return (
        *(found for place, taken in _given(protocol) for found in _exposure(place, taken)),
        *_patients(protocol.case_mix),
        *_times("follow_up.maximum_months", months),
    )


def outside_of_one(
    taken: Mapping[str, Taken], covariates: Mapping[str, float], months: float
) -> tuple[Outside, ...]:
    """The same of one patient who is followed without a protocol.

    taken: field of the request -> the drug that it asks for.   covariates: as a case-mix names them.
    months: for which the patient is followed.
    """
    found = [one for place, drug in taken.items() for one in _exposure(place, drug)]
    for name, value in covariates.items():
        limits = _limits(_enrolled(name))
        if limits is not None and not limits[0] <= value <= limits[1]:
            found.append(_beyond(name, f"{value:g}", f"{limits[0]:g} to {limits[1]:g}"))
    return (*found, *_times("follow-up", months))


@lru_cache(maxsize=1)
def _fitted() -> tuple[Protocol, ...]:
    return tuple(load_protocol(name) for name in references.default().trials.values())


def _patients(case_mix: CaseMix) -> Iterator[Outside]:
    for name in case_mix.names:
        mine, others, place = getattr(case_mix, name), _enrolled(name), f"case_mix.{name}"
        if isinstance(mine, Levels):
            # What no fitted trial draws acts through the evidence of its own effect, if at all.
            levels = {level for own in others for level in own.shares}
            for level, share in mine.shares.items():
                if levels and level not in levels and share > TAIL:
                    yield _beyond(place, f'{share:.0%} "{level}"', ", ".join(sorted(levels)))
        elif limits := _limits(others):
            low, high = limits
            below, above = mine.shares_beyond(low, high)
            words = ((below, f"below {low:g}"), (above, f"above {high:g}"))
            asked = [f"{share:.0%} of the patients {where}" for share, where in words if share > TAIL]
            if asked:
                yield _beyond(place, " and ".join(asked), f"{low:g} to {high:g}")


def _enrolled(name: str) -> list[Any]:
    """How the fitted trials that draw a covariate draw it."""
    found = (getattr(trial.case_mix, name) for trial in _fitted())
    return [one for one in found if one is not None]


def _limits(enrolled: Sequence[Any]) -> tuple[float, float] | None:
    """The lowest and the highest value of a covariate, if it was drawn."""
    if not enrolled:
        return None
    return min(one.low for one in enrolled), max(one.high for one in enrolled)


def _times(place: str, months: float) -> Iterator[Outside]:
    longest = max(trial.follow_up.maximum_months for trial in _fitted())
    if months > longest:
        yield _beyond(place, f"{months:g} months", f"{longest:g} months")


def _exposure(place: str, taken: Taken) -> Iterator[Outside]:
    most, drug = _strongest(), taken.drug
    asked = f"{drug.name} {taken.most_mg:g} mg{taken.words}"
    if isinstance(drug, Compound) and taken.most_mg > 0 and not _comparable(drug):
        yield _beyond(place, f"{asked}, with pharmacokinetics of its own", "glues with a clearance")
    strength = _strength(taken)
    beyond = {name: value / most[name] for name, value in strength.items() if most.get(name, 0.0) > 0}
    # One line a drug: that which is furthest out says how far.
    name = max(beyond, key=lambda name: beyond[name], default="")
    if name and beyond[name] > 1.0 + SLACK:
        times = f"{strength[name]:.3g} {name}, {beyond[name]:.3g} times the most of them"
        yield _beyond(place, f"{asked}: {times}", f"up to {most[name]:.3g}")
    if isinstance(drug, Compound) and taken.most_mg > 0:
        followed = _followed(drug)
        unread = [name for name in _degraded(drug) if name not in followed]
        if unread:
            told = f"{asked}: degrades {', '.join(unread)}, which acts on nothing here"
            yield _unread(place, told, ", ".join(followed))
    unseen = [name for name, value in strength.items() if value > 0 and name not in most]
    if unseen:
        yield _beyond(place, f"{asked}: {', '.join(unseen)}", "no drug that does this")


@lru_cache(maxsize=1)
def _strongest() -> Mapping[str, float]:
    """The most of anything that a fitted trial gives, by what it is counted in."""
    most: dict[str, float] = {}
    for trial in _fitted():
        for _, taken in _given(trial):
            for name, value in _strength(taken).items():
                most[name] = max(most.get(name, 0.0), value)
    return most


def _given(protocol: Protocol) -> Iterator[tuple[str, Taken]]:
    """Each drug of each arm, and where it stands; a condition of the arm acts on its glue."""
    for arm in protocol.arms:
        for drug in arm.all_drugs:
            share_of_days = len(parse_days(drug.days)) / protocol.cycle_days
            factors = parameters.of_conditions(drug.glue, arm.conditions) if drug.glue else {}
            words = "".join(f" with {name}" for name in arm.conditions) if drug.glue else ""
            yield f'arm "{arm.name}"', Taken(drug.compound, drug.most_mg, share_of_days, factors, words)


def _strength(taken: Taken) -> Mapping[str, float]:
    """How strongly a drug acts on a dosing day and over a cycle, by the unit that it is counted in."""
    if isinstance(taken.drug, Partner):
        return {
            f"mg of {taken.drug.name} a day": taken.most_mg,
            f"mg of {taken.drug.name} a day, mean of a cycle": taken.most_mg * taken.share_of_days,
        }
    found = {}
    for pair, loss in _induced(taken.drug, taken.most_mg, taken.factors).items():
        found[f"x the natural loss of {pair} on a dosing day"] = loss
        found[f"x the natural loss of {pair} in the mean of a cycle"] = loss * taken.share_of_days
    return found


def _degraded(glue: Compound) -> Iterable[str]:
    """The substrates that the file of a glue says it degrades."""
    own = glue.pharmacology
    return dict.fromkeys((*own.degrades, *(name for name, one in own.efficacy.items() if one.typical > 0)))


def _followed(glue: Compound) -> Iterable[str]:
    """The substrates whose loss a module of a patient reads."""
    known = parameters.typical(Scenario(glue))
    pairs = substrates.pairs(glue.known_substrates)
    return dict.fromkeys(name for pair, (name, _) in pairs.items() if f"{pair}_rho" in known)


def _comparable(glue: Compound) -> bool:
    return "clearance_l_per_h" in parameters.typical(Scenario(glue))


def _induced(glue: Compound, dose_mg: float, factors: Mapping[str, float]) -> Mapping[str, float]:
    """rho x occupancy of each pair of substrate and cell at the mean concentration of a dosing day."""
    if dose_mg <= 0 or not _comparable(glue):
        return {}
    known = parameters.typical(Scenario(glue))
    known |= {name: known[name] * factor for name, factor in factors.items() if name in known}
    mg_per_l = dose_mg * known.get("bioavailability", 1.0) / (24.0 * known["clearance_l_per_h"])
    free_nm = mg_per_l / known["molar_mass_g_per_mol"] * NM_PER_MG_PER_L * known["fraction_unbound"]
    occupancy = free_nm / (free_nm + known["kd_nm"])
    rho = {
        f"{name} in {cell} cells": known.get(f"{pair}_rho", 0.0)
        for pair, (name, cell) in substrates.pairs(glue.known_substrates).items()
    }
    return {pair: value * occupancy for pair, value in rho.items() if value > 0}
