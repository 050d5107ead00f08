"""What is left out of an analysis: on request, by name and with a reason, and kept in the result."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import polars as pl

from glueprint.assays.findings import Finding, how_many
from glueprint.assays.plate import MASKED, row_letters, well_name, well_place
from glueprint.errors import InputError, nearest

__all__ = [
    "COLUMN",
    "FLAG",
    "MASK_REASON",
    "NO_REASON",
    "ROW",
    "SAID",
    "marked",
    "parse",
]

# A column of a table, or an own field of a layout: why a row is left out, empty where it is not.
COLUMN = "exclude"
# What a column of yes and no says of what is used.
NOT_EXCLUDED = frozenset(["no", "n", "false", "0", "none", "-"])
# The reason that the flag of a well becomes which somebody masked in the vendor's program.
MASK_REASON = "masked in the vendor's program"
# The findings that say what is left out.
SAID = ("GP-A241", "GP-A242")
NO_REASON = "no reason said"
# How the flag of a well that is left out begins.
FLAG = "excluded"
# The number of a row, from 1, in the table that was marked.
ROW = "row_of_table"
RANGE = re.compile(r"([A-Za-z]{1,2}\d{1,2}):([A-Za-z]{1,2}\d{1,2})")
SHOWN = 12


def parse(text: str, plates: Collection[str] = ()) -> tuple[tuple[str, ...], str]:
    """Names and reason of "NAMES=REASON": names with commas, such as "A1,B2", "A1:A3", "plate 2:A1" or
    "row 7".

    A plate before the last colon holds for all names after it, even if its own name has commas.
    plates: their names; one that looks like a well begins no range.
    """
    head, _, reason = text.partition("=")
    head = head.strip()
    reason = reason.strip() or NO_REASON
    parts = [part.strip() for part in head.split(",") if part.strip()]
    plate, mark, rest = head.rpartition(":")
    whole = mark and not all(_names_of(part, plates) for part in parts) and not RANGE.fullmatch(head)
    if whole:
        inner = [
            name
            for part in rest.split(",")
            if part.strip()
            for name in _names_of(part, plates) or (part.strip(),)
        ]
        return tuple(f"{plate}:{name}" for name in inner), reason
    return tuple(name for part in parts for name in _names_of(part, plates) or (part,)), reason


def _names_of(part: str, plates: Collection[str]) -> tuple[str, ...]:
    """The wells that a part names on its own: A1, A1:B2 or plate:A1; empty where it names none."""
    part = part.strip()
    found = RANGE.fullmatch(part)
    if found and found[1] not in plates:
        ends = [well_name(end) for end in found.groups()]
        if None not in ends:
            return _rectangle(*(well_place(str(end)) for end in ends))
    plate, mark, well = part.rpartition(":")
    named = well_name(well)
    if named is None:
        return ()
    return (f"{plate}{mark}{named}",)


def _rectangle(first: tuple[int, int], last: tuple[int, int]) -> tuple[str, ...]:
    rows, columns = (sorted(pair) for pair in zip(first, last, strict=True))
    return tuple(
        f"{row_letters(row)}{column + 1}"
        for row in range(rows[0], rows[1] + 1)
        for column in range(columns[0], columns[1] + 1)
    )


def marked(
    table: pl.DataFrame, asked: Sequence[str], *, by: tuple[str, str] = ("plate", "well"), what: str = "wells"
) -> tuple[pl.DataFrame, list[Finding]]:
    """The table with the column `exclude`, why a row is left out ("" where it is used), and findings.

    asked: each as `parse` takes it.   by: columns that hold plate and well, or membrane and lane; absent ones
    leave "row 1", "row 2", ... as names.   what: the rows in the plural, for people.
    A row is left out if it is asked for, if the column says why, or if its flag is "masked".
    Raises InputError GP-A240 for a name that nothing has.
    """
    group, item = (
        table[name].cast(pl.String).fill_null("").to_list() if name in table.columns else [""] * table.height
        for name in by
    )
    reasons = _own(table)
    findings = _said(zip(reasons, group, item, strict=True), what)
    places: dict[str, list[int]] = {}
    for i, (where, name) in enumerate(zip(group, item, strict=True)):
        for key in {f"row {i + 1}", name, f"{where}:{name}"} if name else {f"row {i + 1}"}:
            places.setdefault(key, []).append(i)
    for text in asked:
        names, reason = parse(text, set(group))
        if not names:
            raise _unknown(text, places, what)
        for name in names:
            if name not in places:
                raise _unknown(name, places, what)
            for i in places[name]:
                reasons[i] = reason
        count = len(dict.fromkeys((group[i], item[i] or i) for name in names for i in places[name]))
        findings.append(
            Finding(
                "GP-A241", "note", f"{how_many(count, what)} left out on request: {reason}", _listed(names)
            )
        )
    return table.with_columns(pl.Series(COLUMN, reasons, pl.String)), findings


def _own(table: pl.DataFrame) -> list[str]:
    """The reason that the table itself gives for every row."""
    said = table[COLUMN] if COLUMN in table.columns else pl.Series([""] * table.height, dtype=pl.String)
    reasons = [text.strip() for text in said.cast(pl.String).fill_null("").to_list()]
    reasons = ["" if text.lower() in NOT_EXCLUDED else text for text in reasons]
    if "flag" not in table.columns:
        return reasons
    flags = table["flag"].cast(pl.String).fill_null("").to_list()
    return [
        reason or (MASK_REASON if flag == MASKED else "") for reason, flag in zip(reasons, flags, strict=True)
    ]


def _said(rows_: object, what: str) -> list[Finding]:
    """A finding for every reason that file or layout give."""
    found: dict[str, list[str]] = {}
    for nth, (reason, group, item) in enumerate(rows_):  # type: ignore[arg-type,var-annotated]
        if reason:
            found.setdefault(reason, []).append((f"{group}:{item}" if group else item) or f"row {nth + 1}")
    return [
        Finding(
            "GP-A242",
            "warning",
            f"{how_many(len(set(names)), what)} {reason}: left out here as well",
            _listed(names),
            next_step="unmask them in the vendor's program if they should count",
        )
        if reason == MASK_REASON
        else Finding(
            "GP-A241",
            "note",
            f"{how_many(len(set(names)), what)} left out by the layout or table: {reason}",
            _listed(names),
        )
        for reason, names in found.items()
    ]


def _listed(names: Sequence[str]) -> str:
    every = list(dict.fromkeys(names))
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more


def _unknown(name: str, places: dict[str, list[int]], what: str) -> InputError:
    return InputError(
        "GP-A240",
        f'nothing is called "{name}"{nearest(name, places)}',
        where="exclude",
        expected=f"{what} by name, and why: A1,A2=bubble, A1:A3=hook, plate 2:B4=empty, row 7=spilled",
        next_step="take the names that the findings use",
    )
