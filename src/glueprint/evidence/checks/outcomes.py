"""Checks of trial outcomes: several analyses of one outcome, and tables made of several publications."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import permutations

from glueprint.evidence.checks.base import Check, ClaimSet, agree
from glueprint.evidence.claim import Claim

__all__ = ["AnalysesDiffer", "TableMixesSources"]

Looked = Iterator[tuple[Sequence[Claim], str]]
Outcome = tuple[str, str, str]


def _outcomes(claims: ClaimSet) -> dict[Outcome, list[Claim]]:
    """Whole-arm outcomes by trial, arm and endpoint, without copies and without guide cells."""
    groups: dict[Outcome, list[Claim]] = defaultdict(list)
    for claim in claims:
        whole = claim.trial and claim.arm and claim.endpoint and not claim.subgroup
        if whole and not claim.same_as and not claim.guide and (claim.value is not None or claim.text):
            groups[claim.trial, claim.arm, claim.endpoint].append(claim)
    return groups


def _same(first: Claim, second: Claim) -> bool:
    if first.value is None or second.value is None:
        return first.value is second.value and first.text == second.text
    return first.unit == second.unit and agree(first.value, second.value)


class AnalysesDiffer(Check):
    """One outcome of one arm, reported differently by review committee, investigator, label or data cut."""

    code = "EV-analysis"
    severity = "warning"
    title = "one outcome, several analyses"
    remedy = "say which analysis a model is fitted to and compared with"

    def look(self, claims: ClaimSet) -> Looked:
        """Groups in which two claims differ."""
        for (trial, arm, endpoint), group in _outcomes(claims).items():
            if any(not _same(group[0], claim) for claim in group[1:]):
                said = "; ".join(
                    f"{claim.said} {claim.analysis or 'analysis not said'} ({claim.id})" for claim in group
                )
                yield group, f"{trial} {arm}, {endpoint}: {said}"


class TableMixesSources(Check):
    """A table whose cells agree with one publication in some rows and with another in others.

    A publication that agrees with some cells and contradicts others is not the source of the whole
    table. If the cells it contradicts agree with a second publication, the table was put together from both.
    """

    code = "EV-mixed-table"
    severity = "warning"
    title = "a table mixes two sources"
    remedy = "compare each cell with its own source; do not read the table as one data cut"

    def look(self, claims: ClaimSet) -> Looked:
        """Tables with a publication that contradicts cells which a second one matches."""
        outcomes = _outcomes(claims)
        cells: dict[str, list[Claim]] = defaultdict(list)
        for claim in claims:
            table = claim.guide.partition("|")[0]
            if table and claim.trial:
                cells[table].append(claim)
        for table, group in cells.items():
            matched, contradicted = _verdicts(group, outcomes)
            if any(
                source not in contradicted and len(matched[source]) > len(group) / 2 for source in matched
            ):
                continue  # one publication explains the table
            for source, other in permutations(matched, 2):
                taken = [cell for cell in contradicted.get(source, ()) if cell in matched[other]]
                if taken and len(matched[source]) >= len(matched[other]):
                    kept = ", ".join(cell.id for cell in matched[source])
                    moved = ", ".join(cell.id for cell in taken)
                    what = f'{table}: {kept} agree with "{source}", but {moved} with "{other}"'
                    yield [*matched[source], *taken], what


def _verdicts(
    cells: Sequence[Claim], outcomes: dict[Outcome, list[Claim]]
) -> tuple[dict[str, list[Claim]], dict[str, list[Claim]]]:
    """For each publication, the cells it agrees with and those it contradicts."""
    matched: dict[str, list[Claim]] = defaultdict(list)
    contradicted: dict[str, list[Claim]] = defaultdict(list)
    for cell in cells:
        stated = outcomes.get((cell.trial, cell.arm, cell.endpoint), [])
        by_source: dict[str, list[Claim]] = defaultdict(list)
        for claim in stated:
            by_source[claim.citation].append(claim)
        for source, group in by_source.items():
            agrees = any(_same(cell, claim) for claim in group)
            (matched if agrees else contradicted)[source].append(cell)
    return matched, contradicted
