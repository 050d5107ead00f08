"""What the tests of the quality layer say: findings for people and rows for tables, in all assays alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from glueprint.assays.contract import QUALITY, SUSPECTS
from glueprint.assays.findings import Finding
from glueprint.assays.quality.outliers import DISCOVERY, Readings, Suspect, suspects

__all__ = ["QUALITY", "SUSPECTS", "judged", "quality_row", "suspects_table"]

# More findings of one kind than these are counted; the table has all.
SHOWN = 6


def judged(
    count: int,
    fitted: Callable[[int, frozenset[str]], Readings],
    *,
    unit: str = "",
    what: str = "well",
    rate: float = DISCOVERY,
) -> tuple[pl.DataFrame, list[Finding]]:
    """The table `suspects` of an analysis and its findings; nothing is removed.

    count, fitted, rate: as `outliers.suspects` takes them.   unit: of the doses.   what: one reading, for
    people.
    """
    found = list(suspects(count, fitted, rate=rate))
    # A control that several curves share is one suspect.
    unique = list({one.where: one for one in reversed(found)}.values())[::-1]
    findings = [_finding(one, unit, what) for one in unique[:SHOWN]]
    if len(unique) > SHOWN:
        more = f"{len(unique) - SHOWN} further {what}s or doses stand out; the table suspects has all"
        findings.append(Finding("GP-A243", "warning", more))
    return suspects_table(found), findings


def _finding(one: Suspect, unit: str, what: str) -> Finding:
    at = f" at {one.level:.4g} {unit}".rstrip() if one.level > 0.0 else ""
    reads = f"{one.value:.3g} where the others expect {one.expected:.3g} (t = {one.t:.1f})"
    if one.dose:
        others = [f"{other.level:.4g} {unit} (t = {other.t:.1f})" for other in one.instead]
        either = f"; or it is the dose of {' or '.join(others)} that is off" if others else ""
        tried = " or ".join(f'--exclude "{_names(dose.where)}=doubtful"' for dose in (one, *one.instead))
        return Finding(
            "GP-A244",
            "warning",
            f"all {len(one.where)} {what}s{at} read {reads}{either}",
            f"{one.curve}: {', '.join(one.where)}".removeprefix(": "),
            "doses that lie on one curve",
            f"a dilution error? compare with {tried}; nothing is left out",
        )
    return Finding(
        "GP-A243",
        "warning",
        f"{what} {one.where[0]}{at} reads {reads}",
        one.curve,
        "readings that the rest of the curve explains",
        f'look at it; compare with --exclude "{one.where[0]}=why"; nothing is left out by itself',
    )


def _names(where: Sequence[str]) -> str:
    """Names for `--exclude`: the plate once where all are on it."""
    plates = {name.rpartition(":")[0] for name in where}
    if len(plates) == 1 and (plate := plates.pop()):
        return f"{plate}:{','.join(name.rpartition(':')[2] for name in where)}"
    return ",".join(where)


def suspects_table(found: Sequence[Suspect]) -> pl.DataFrame:
    """Suspects as rows of `SUSPECTS`."""
    rows = [
        {
            "curve": one.curve,
            "where": ", ".join(one.where),
            "kind": "dose" if one.dose else "reading",
            "x": one.level,
            "value": one.value,
            "expected": one.expected,
            "t": one.t,
            "p_value": one.p_value,
        }
        for one in found
    ]
    return pl.DataFrame(rows, schema=SUSPECTS)


def quality_row(
    name: str, where: str, value: float | None, *, unit: str = "", limit: str = "", passed: bool | None = None
) -> dict[str, object]:
    """A row of `QUALITY`."""
    verdict = "" if passed is None else ("pass" if passed else "fail")
    return {"name": name, "where": where, "value": value, "unit": unit, "limit": limit, "verdict": verdict}
