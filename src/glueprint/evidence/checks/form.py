"""Checks of form: each claim by itself is complete and readable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from glueprint import units
from glueprint.errors import InputError
from glueprint.evidence.checks.base import Check, ClaimSet, agree
from glueprint.evidence.claim import Claim

__all__ = [
    "CopyDiffers",
    "DuplicateId",
    "IntervalHoldsValue",
    "NumberHasUnit",
    "SourcePresent",
    "SupersededBy",
    "UnitKnown",
]

Looked = Iterator[tuple[Sequence[Claim], str]]


class DuplicateId(Check):
    """Two claims share an id."""

    code = "EV-duplicate"
    severity = "error"
    title = "an id is used twice"
    remedy = "give one of the claims another id"

    def look(self, claims: ClaimSet) -> Looked:
        """Claims whose id came before."""
        seen: dict[str, Claim] = {}
        for claim in claims:
            if claim.id in seen:
                yield [seen[claim.id], claim], f'"{claim.quantity}" has the id of "{seen[claim.id].quantity}"'
            seen.setdefault(claim.id, claim)


class UnitKnown(Check):
    """The unit cannot be read."""

    code = "EV-unit"
    severity = "error"
    title = "unit not known"
    remedy = "write the unit as the examples of docs/evidence.md do"

    def look(self, claims: ClaimSet) -> Looked:
        """Claims whose unit the unit registry cannot read."""
        known: dict[str, bool] = {}
        for claim in claims:
            if claim.unit and not known.setdefault(claim.unit, units.is_known(claim.unit)):
                yield [claim], f'the unit "{claim.unit}" cannot be read'


class NumberHasUnit(Check):
    """A number without a unit cannot be used."""

    code = "EV-number-unit"
    severity = "warning"
    title = "number whose unit the source does not give"
    remedy = "do not compute with it before the source was read again"

    def look(self, claims: ClaimSet) -> Looked:
        """Numbers with an empty unit."""
        for claim in claims:
            if claim.is_number and not claim.unit:
                yield [claim], f"{claim.said} has no unit ({claim.qualifier or 'not said why'})"


class IntervalHoldsValue(Check):
    """An interval must hold its value, and its ends must be in order."""

    code = "EV-interval"
    severity = "error"
    title = "interval does not hold the value"
    remedy = "read the source again; a typing slip is likely"

    def look(self, claims: ClaimSet) -> Looked:
        """Claims with low > high, or a value outside."""
        for claim in claims:
            value, low, high = claim.value, claim.low, claim.high
            if low is not None and high is not None and low > high:
                yield [claim], f"low {low:g} is above high {high:g}"
            elif value is not None and low is not None and value < low:
                yield [claim], f"value {value:g} is below low {low:g}"
            elif value is not None and high is not None and value > high:
                yield [claim], f"value {value:g} is above high {high:g}"


class SourcePresent(Check):
    """A claim says where it comes from."""

    code = "EV-source"
    severity = "error"
    title = "no source"
    remedy = "write a DOI, PMID, PMCID, NCT number or label section"

    def look(self, claims: ClaimSet) -> Looked:
        """Claims without a source; a row that says what nobody published (topic "gap") has none to give."""
        for claim in claims:
            if not claim.sources and claim.topic != "gap":
                yield [claim], f'"{claim.quantity}" names no source'


class CopyDiffers(Check):
    """A claim marked as a copy must exist twice and say the same."""

    code = "EV-copy"
    severity = "error"
    title = "a copy differs from its original"
    remedy = "correct the number, or remove `same_as`"

    def look(self, claims: ClaimSet) -> Looked:
        """Claims whose `same_as` is missing, or has another value."""
        for claim in claims:
            if not claim.same_as:
                continue
            if claim.same_as not in claims:
                yield [claim], f'it repeats "{claim.same_as}", which does not exist'
                continue
            other = claims[claim.same_as]
            if claim.value is None or other.value is None:
                continue
            try:
                value = units.convert(claim.value, claim.unit, other.unit)
            except InputError:
                yield [claim, other], f"units {claim.unit} and {other.unit} do not compare"
                continue
            if not agree(value, other.value, 1e-9):
                yield [claim, other], f"{claim.said} repeats {other.said}"


class SupersededBy(Check):
    """A claim that was corrected names the claim in its place, and neither goes into the model nor a fit."""

    code = "EV-superseded"
    severity = "error"
    title = "a corrected number is not put aside"
    remedy = "name the claim that takes its place, and make the role of the corrected one context"

    def look(self, claims: ClaimSet) -> Looked:
        """Claims whose `superseded_by` is missing or itself superseded, or that still have a use."""
        for claim in claims:
            if not claim.superseded_by:
                continue
            if claim.superseded_by not in claims:
                yield [claim], f'"{claim.superseded_by}" takes its place, but does not exist'
                continue
            successor = claims[claim.superseded_by]
            if successor.superseded_by:
                yield [claim, successor], f'"{successor.id}" takes its place, but is superseded itself'
            if claim.role != "context":
                yield [claim, successor], f'"{successor.id}" takes its place, but its role is "{claim.role}"'
