"""Checks of potencies: what competitive binding allows, and values that do not overlap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from glueprint import units
from glueprint.errors import InputError
from glueprint.evidence.checks.base import SAME, Check, ClaimSet
from glueprint.evidence.claim import Claim

__all__ = ["InhibitionBelowConstant", "TracerAtKd", "ValuesApart"]

Looked = Iterator[tuple[Sequence[Claim], str]]


def _in_nm(claim: Claim) -> float:
    return units.convert(claim.value or 0.0, claim.unit, "nM")


def _competition(claims: ClaimSet) -> Iterator[tuple[Claim, Claim]]:
    """Pairs of an IC50 and a Ki of one compound from competition assays of one type."""
    stated = [
        claim
        for claim in claims
        if claim.assay.endswith("competition") and claim.value is not None and not claim.same_as
    ]
    for half in stated:
        for constant in stated:
            same = (half.compound, half.assay) == (constant.compound, constant.assay)
            if same and half.quantity == "IC50" and constant.quantity == "Ki":
                yield half, constant


class InhibitionBelowConstant(Check):
    """In a competitive assay the IC50 lies above Ki.

    Source: IC50 = Ki (1 + tracer/Kd,tracer), Cheng and Prusoff 1973.
    """

    code = "EV-ic50-ki"
    severity = "warning"
    title = "IC50 below Ki from the same type of competitive assay"
    remedy = (
        "do not use both in one Cheng-Prusoff step; treat them as one affinity with a between-assay spread"
    )

    def look(self, claims: ClaimSet) -> Looked:
        """Pairs with IC50 < Ki."""
        for half, constant in _competition(claims):
            ic50_nm, ki_nm = _in_nm(half), _in_nm(constant)
            if ic50_nm < ki_nm:
                yield (
                    [half, constant],
                    (
                        f"IC50 {ic50_nm:g} nM < Ki {ki_nm:g} nM of {half.compound} by {half.assay}: "
                        "they cannot come from one experiment"
                    ),
                )


class TracerAtKd(Check):
    """With the tracer at a known multiple of its Kd, the IC50 implies an upper bound of Ki."""

    code = "EV-tracer"
    severity = "warning"
    title = "Ki above what the IC50 and the tracer imply"
    remedy = (
        "ask for the tracer and protein concentrations, or fit the raw curve with the exact binding equations"
    )

    def look(self, claims: ClaimSet) -> Looked:
        """Pairs whose Ki is above IC50/(1 + tracer/Kd); protein depletion only lowers the bound."""
        ratios = [claim for claim in claims if claim.endpoint == "tracer_over_kd" and claim.value is not None]
        for half, constant in _competition(claims):
            for ratio in ratios:
                bound_nm = _in_nm(half) / (1.0 + (ratio.value or 0.0))
                if ratio.assay == half.assay and _in_nm(constant) > bound_nm:
                    yield (
                        [half, constant, ratio],
                        (
                            f"tracer at {ratio.value:g} x its Kd: IC50 {_in_nm(half):g} nM implies "
                            f"Ki <= {bound_nm:.3g} nM, stated {_in_nm(constant):g} nM"
                        ),
                    )


class ValuesApart(Check):
    """Claims on one quantity whose intervals do not overlap."""

    code = "EV-apart"
    severity = "warning"
    title = "values of one quantity that do not overlap"
    remedy = "use the one whose conditions are yours, or a spread that covers all"

    def look(self, claims: ClaimSet) -> Looked:
        """Groups of one endpoint, compound and population with a pair that does not overlap."""
        groups: dict[tuple[str, ...], list[Claim]] = defaultdict(list)
        for claim in claims:
            usable = claim.endpoint and not claim.trial and not claim.same_as and claim.topic != "synthesis"
            if usable and claim.unit and (claim.value is not None or claim.low is not None):
                system = claim.system if claim.endpoint.endswith("_ic50") else claim.subgroup
                groups[claim.endpoint, claim.compound, system].append(claim)
        for (endpoint, compound, _), group in groups.items():
            if len(group) < 2:
                continue
            spans = [_span(claim, group[0].unit) for claim in group]
            if max(low for low, _ in spans) > min(high for _, high in spans):
                said = "; ".join(f"{claim.said} ({claim.id})" for claim in group)
                yield group, f"{endpoint} of {compound or 'no compound'}: {said}"


def _span(claim: Claim, unit: str) -> tuple[float, float]:
    """The interval in `unit`; a bare number reaches as far as its printed digits."""
    low = claim.low if claim.low is not None else (claim.value or 0.0) * (1 - SAME)
    high = claim.high if claim.high is not None else (claim.value or 0.0) * (1 + SAME)
    if claim.interval_kind == "lower-bound":
        high = float("inf")
    try:
        low, high = units.convert(low, claim.unit, unit), units.convert(high, claim.unit, unit)
    except InputError:
        return float("-inf"), float("inf")
    return low, high
