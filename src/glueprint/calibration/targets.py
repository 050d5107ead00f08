"""Published summaries of trial arms that parameters may be set with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from glueprint import references
from glueprint.calibration.excluded import Excluded
from glueprint.evidence import Claim
from glueprint.references import Reference
from glueprint.trials import MEDIAN, RATE, RATIO, by_review, claimed, reported

COMMITTEE_ANALYSIS = "review committee"
UNITS: Mapping[str, tuple[str, ...]] = {
    RATE: ("%",),
    MEDIAN: ("month", "months", "week", "weeks"),
    RATIO: ("1", "ratio", "HR"),
}


@dataclass(frozen=True)
class Target:
    """One published summary: what it is of, its value and the size of the trial it was seen in.

    claim_ids: the claims that print this number.   value, low, high: per cent for rates, months or weeks for
    medians, ratios for hazards; limits None where not printed.   n: patients behind it, of which n_from says
    how it is known ("claim", "arm", "responders").   kind: "rate", "median" or "hazard ratio".
    """

    claim_ids: tuple[str, ...]
    trial: str
    arm: str
    endpoint: str
    kind: str
    value: float
    low: float | None
    high: float | None
    n: int
    n_from: str = "claim"
    analysis: str = ""


@dataclass(frozen=True)
class Targets:
    """Targets in the order of the claims, and the calibration claims that are none, each with the reason."""

    targets: tuple[Target, ...]
    excluded: tuple[Excluded, ...]


def clinical_targets(claims: Iterable[Claim], reference: Reference | None = None) -> Targets:
    """The calibration targets among the claims: arms of the reference's trials, hazard ratios between them.

    claims: evidence, e.g. evidence.load(); read are those of role "calibration" that are of a trial, and the
    numbers of patients randomised.   reference: whose trials may be calibrated to; the default one if None.
    Returns Targets; each calibration claim of a trial is in a target or is listed with the reason why not.
    Source: docs/calibration.md.
    """
    everything, about = list(claims), reference or references.default()
    sizes = _arm_sizes(everything, about)
    calibration = [claim for claim in everything if claim.role == "calibration" and claim.trial]
    found: dict[tuple[str, str, str, float], Target] = {}
    excluded: list[Excluded] = []
    for claim in calibration:
        target = _read(claim, sizes, about)
        if not isinstance(target, Target):
            excluded.append(Excluded(claim.id, target))
            continue
        key = (target.trial, target.arm, target.endpoint, target.value)
        known = found.get(key)
        found[key] = target if known is None else _merged(known, target)
    return Targets(tuple(_of_those_it_happened_to(found.values())), tuple(excluded))


def _read(claim: Claim, sizes: Mapping[tuple[str, str], int], reference: Reference) -> Target | str:
    """The target a claim is, or why it is none."""
    if claim.trial not in reference.trials:
        return f"{claim.trial} is kept for prediction"
    if claim.subgroup:
        return f"a subgroup ({claim.subgroup}); the endpoints are of whole arms"
    if claim.value is None or not math.isfinite(claim.value):
        return "has no value"
    row = claimed().get(claim.endpoint)
    if row is None:
        return f"no endpoint of the virtual trials: {claim.endpoint or claim.quantity}"
    kind = row.summary
    endpoint = by_review(row).name if claim.analysis == COMMITTEE_ANALYSIS else row.name
    if claim.unit not in UNITS[kind] or (kind != RATE and claim.value <= 0):
        return f"{claim.value:g} {claim.unit} is not a {kind}"
    arms, arm = claim.arm.split(" vs "), reference.arm(claim.arm)
    if arm is None or (len(arms) == 2) != (kind == RATIO):
        return f"no arm of the virtual trials: {claim.arm or 'none named'}"
    size = sum(sizes.get((claim.trial, one), 0) for one in arms)
    n, source = (claim.n, "claim") if claim.n else (size, "arm")
    # Some sources give the size of the whole trial beside a number of one arm.
    if size and n > size:
        n, source = size, "arm"
    if not n:
        return "does not say how many patients it is of"
    low, high = (claim.low, claim.high) if claim.interval_kind == "ci95" else (None, None)
    head = (reference.trials[claim.trial], arm, endpoint, kind)
    return Target((claim.id,), *head, claim.value, low, high, n, source, claim.analysis)


def _arm_sizes(claims: Iterable[Claim], reference: Reference) -> dict[tuple[str, str], int]:
    """Patients randomised to each arm, from the claims that say so."""
    return {
        (claim.trial, claim.arm): int(claim.value)
        for claim in claims
        if claim.endpoint == "patients" and claim.arm in reference.arms and claim.value and not claim.subgroup
    }


def _merged(known: Target, again: Target) -> Target:
    """One number printed by two claims; an interval and a stated size are kept from whichever has them."""
    limits = (known.low, known.high) if known.low else (again.low, again.high)
    better = known if known.n_from == "claim" or again.n_from != "claim" else again
    return replace(
        known,
        claim_ids=(*known.claim_ids, *again.claim_ids),
        low=limits[0],
        high=limits[1],
        n=better.n,
        n_from=better.n_from,
        analysis=known.analysis or again.analysis,
    )


def _of_those_it_happened_to(targets: Iterable[Target]) -> list[Target]:
    """Durations of response are of the responders, times to a hold of those held; a rate of the arm says how
    many those are."""
    listed = list(targets)

    def counted(target: Target) -> Target:
        share = reported()[target.endpoint].endpoint.among
        rates = [t for t in listed if (t.trial, t.arm, t.endpoint) == (target.trial, target.arm, share)]
        same = [t for t in rates if t.analysis == target.analysis] or rates
        if not same:
            return target
        count = max(1, round(same[0].n * same[0].value / 100))
        return target if target.n <= count else replace(target, n=count, n_from="responders")

    return [counted(target) for target in listed]
