"""What a Gen5 export says is in the wells, and what Gen5 calculated for them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.plate import REFERENCE
from glueprint.assays.readers.text import number, short
from glueprint.assays.wells import CONTENT, Layout

__all__ = ["layout_of", "reference_of"]

ROLES = {"STD": "standard", "SPL": "sample", "BLK": "blank", "CTL": "control", "CTRL": "control"}
# "SPL1:2" is the second dilution of sample 1.
WELL_ID = re.compile(r"([A-Za-z]+)\d*(?::\d+)?")
ID, AMOUNT = "Well ID", "Conc/Dil"
Line = tuple[int, str, str, tuple[str, ...]]


def layout_of(
    tables: Sequence[tuple[str, int, tuple[int, ...], tuple[Line, ...]]], source: str
) -> Layout | None:
    """The layout in the tables (plate, first row, columns, lines) of the file; None if there are none.

    Raises InputError GP-A004 or GP-A005 for a concentration that is no number.
    """
    cells: dict[tuple[str, str], dict[str, tuple[int, str]]] = {}
    for plate, _, columns, lines in tables:
        for row, letter, label, texts in lines:
            for column, text in zip(columns, texts, strict=True):
                cells.setdefault((plate, f"{letter}{column}"), {})[label] = (row, text.strip())
    entries = []
    for (plate, well), said in cells.items():
        if said.get(ID, (0, ""))[1]:
            entries.append({"plate": plate, "well": well, **_content(said, source)})
    if not entries:
        return None
    others = list(dict.fromkeys(name for entry in entries for name in entry if name not in CONTENT))
    others = [name for name in others if name not in ("plate", "well")]
    schema = {"plate": pl.String, "well": pl.String, **CONTENT, **dict.fromkeys(others, pl.String)}
    table = pl.DataFrame([{name: entry.get(name) for name in schema} for entry in entries], schema=schema)
    return Layout(source, table, tuple(_findings(table, f"{source} row {tables[0][1]}")))


def _content(said: dict[str, tuple[int, str]], source: str) -> dict[str, object]:
    """The content of one well from its lines of the layout."""
    row, name = said[ID]
    kind = WELL_ID.fullmatch(name)
    role = ROLES.get(kind[1].upper(), "") if kind else ""
    entry: dict[str, object] = dict.fromkeys((n for n, type_ in CONTENT.items() if type_ is pl.String), "")
    entry |= {"role": role, "sample": name.partition(":")[0], "dilution": 1.0}
    amount_row, text = said.get(AMOUNT, (row, ""))
    amount = number(text, f"{source} row {amount_row}", empty=True)
    if amount is not None and role == "sample" and amount > 0.0:
        # Gen5 writes the part of the sample that is in the well: 0.25 is a dilution of 4.
        entry["dilution"] = 1.0 / amount
    elif amount is not None:
        entry["concentration"] = amount
    entry |= {label.lower(): text for label, (_, text) in said.items() if label not in (ID, AMOUNT) and label}
    return entry


def _findings(table: pl.DataFrame, where: str) -> list[Finding]:
    findings = []
    unknown = table.filter(pl.col("role") == "")["sample"].unique(maintain_order=True).to_list()
    if unknown:
        findings.append(
            Finding(
                "GP-A024",
                "warning",
                f"the well IDs {short(unknown)} give no role",
                where=where,
                expected=f"well IDs that begin with {', '.join(ROLES)}",
                next_step="say what is in these wells with a layout file",
            )
        )
    bare = table.filter(pl.col("concentration").is_not_null()).height
    if bare:
        findings.append(
            Finding(
                "GP-A038",
                "warning",
                f"{bare} concentrations without a unit",
                where=where,
                expected="a unit beside every concentration; Gen5 does not export it",
                next_step="give the unit in a layout file; units are never guessed",
            )
        )
    above = table.filter((pl.col("role") == "sample") & (pl.col("dilution") < 1.0)).height
    if above:
        findings.append(
            Finding(
                "GP-A024",
                "warning",
                f"{above} samples have a Conc/Dil above 1, which reads as more concentrated than the sample",
                where=where,
                expected="the part of the sample that is in the well, at most 1",
                next_step="if they are dilution factors, give them in a layout file",
            )
        )
    return findings


def reference_of(lines: Sequence[tuple[str, tuple[int, ...], Line]], measured: set[str]) -> pl.DataFrame:
    """The calculated lines of (plate, columns, line) as a reference table, those of the channels left out."""
    rows = [
        {"plate": plate, "well": f"{letter}{column}", "group": "", "sample": "", "name": label, "value": text}
        for plate, columns, (_, letter, label, cells) in lines
        if label not in measured
        for column, text in zip(columns, (cell.strip() for cell in cells), strict=True)
        if text
    ]
    return pl.DataFrame(rows, schema=dict(REFERENCE))
