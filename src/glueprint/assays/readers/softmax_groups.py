"""The group tables of SoftMax Pro: what is in the wells, and what SoftMax computed from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from glueprint.assays.concentrations import is_concentration
from glueprint.assays.findings import Finding
from glueprint.assays.plate import REFERENCE, well_name
from glueprint.assays.readers.text import number
from glueprint.assays.wells import CONTENT, Layout

__all__ = ["grouped"]

# What a group is called says what is in it; any other name gives no role.
ROLE_NAMES = (
    ("unstimulated", "unstimulated"),
    ("stimulated", "stimulated"),
    ("standard", "standard"),
    ("std", "standard"),
    ("calibrat", "standard"),
    ("blank", "blank"),
    ("control", "control"),
    ("ctrl", "control"),
    ("qc", "control"),
    ("unknown", "sample"),
    ("sample", "sample"),
)
LIMITS = re.compile(r">=?\s*(\d[\d.]*)\b.*?<=?\s*(\d[\d.]*)")
DILUTION = re.compile(r"dilution|factor", re.IGNORECASE)
AMOUNT = re.compile(r"conc|standard|value|amount|nominal", re.IGNORECASE)
NAMES, WELLS, VALUES, PLATE = "!SampleNames", "!WellIDs", "!WellValues", "!WellPlateName"
# What the template says of a sample: descriptors, and the concentrations of SoftMax's own columns.
DESCRIPTORS = ("!sampledescriptor", "!conc", "!dilution", "!factor")
MASKED = "masked"


@dataclass(frozen=True)
class _Column:
    """A column of a group table: its header, and name and formula from the table of formulas below."""

    place: int
    header: str
    name: str
    formula: str

    @property
    def unit(self) -> str:
        """The unit of concentration that the header has beyond the column's name, if it has one."""
        rest = self.header.removeprefix(self.name).strip() if self.name else ""
        return rest if rest and is_concentration(rest) else ""


@dataclass(frozen=True)
class _Group:
    """One group: columns, rows of cells with their line numbers, and its summaries (name, value)."""

    name: str
    first: int
    columns: tuple[_Column, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    summaries: tuple[tuple[str, str], ...]

    def column(self, formula: str, *headers: str) -> _Column | None:
        """The column with one of these headers, else the one with this formula."""
        for column in self.columns:
            if column.header.lower() in headers:
                return column
        return next((column for column in self.columns if column.formula == formula), None)

    @property
    def role(self) -> str:
        """The role that the group's name gives its wells."""
        return next((role for word, role in ROLE_NAMES if word in self.name.lower()), "")


Found = tuple[Layout | None, pl.DataFrame, str, list[Finding], set[tuple[str, str]]]


def grouped(groups: Sequence[tuple[int, str, tuple[str, ...]]], table: pl.DataFrame, source: str) -> Found:
    """Layout, reference table, the channel that the groups were computed from, findings, and the masked
    (plate, well)s.

    groups: number of the first line, name and lines of each.   table: the plates read before.
    """
    findings: list[Finding] = []
    entries: dict[tuple[str, str], dict[str, object]] = {}
    reference: list[dict[str, str]] = []
    printed: list[tuple[str, str, str]] = []
    masked: set[tuple[str, str]] = set()
    measured = set(table.select("plate", "well").unique().rows())
    for first, name, lines in groups:
        group = _parsed(name, first, lines)
        findings += _group_findings(group, source)
        for entry, cells, values in _wells(group, measured, source, findings):
            key = (str(entry["plate"]), str(entry["well"]))
            if key in entries:
                findings.append(_finding(f'well {key[1]} also belongs to group "{name}"', source, first))
                continue
            entries[key] = entry
            masked |= {key for _, text in cells if text.lower() == MASKED}
            printed += [(*key, text) for text in values if text.lower() != MASKED]
            reference += [
                {"plate": key[0], "well": key[1], "group": name, "sample": str(entry["sample"])}
                | {"name": title, "value": text}
                for title, text in cells
            ]
        blank = {"plate": "", "well": "", "group": name, "sample": ""}
        reference += [blank | {"name": title, "value": text} for title, text in group.summaries]
    if not entries:
        return None, pl.DataFrame(reference, schema=dict(REFERENCE)), "", findings, masked
    schema = {"plate": pl.String, "well": pl.String, **CONTENT}
    layout = Layout(source, pl.DataFrame(list(entries.values()), schema=schema))
    return (
        layout,
        pl.DataFrame(reference, schema=dict(REFERENCE)),
        _analysed(printed, table),
        findings,
        masked,
    )


def _parsed(name: str, first: int, lines: tuple[str, ...]) -> _Group:
    body = [(first + 1 + place, line.split("\t")) for place, line in enumerate(lines)]
    marks = [place for place, (_, cells) in enumerate(body) if cells[0].strip() in MARKS]
    parts: dict[str, list[tuple[int, list[str]]]] = {}
    for place, end in zip(marks, [*marks[1:], len(body)], strict=False):
        parts[body[place][1][0].strip()] = [
            row for row in body[place + 1 : end] if any(map(str.strip, row[1]))
        ]
    rows = [row for row in body[: marks[0] if marks else len(body)] if any(map(str.strip, row[1]))]
    formulas = {cells[0].strip(): cells for _, cells in parts.get("Group Column", []) if len(cells) > 2}
    columns = []
    for place, header in enumerate(rows[0][1] if rows else []):
        cells = formulas.get(str(place + 1), ["", "", ""])
        if header.strip():
            columns.append(_Column(place, header.strip(), cells[1].strip(), cells[2].strip()))
    summaries = [
        (cells[0].strip(), cells[2].strip())
        for _, cells in parts.get("Group Summaries", [])
        if len(cells) > 2
    ]
    data = tuple((row, tuple(cells)) for row, cells in rows[1:])
    return _Group(name, first, tuple(columns), data, tuple(summaries))


MARKS = ("Group Column", "Group Summaries")


def _group_findings(group: _Group, source: str) -> list[Finding]:
    findings = []
    if not group.role:
        findings.append(
            _finding(f'the name of group "{group.name}" gives its wells no role', source, group.first)
        )
    if group.column(WELLS, "well", "wells") is None:
        said = f'{len(group.rows)} rows of group "{group.name}" name no well and are not used'
        findings.append(_finding(said, source, group.first))
    for column in group.columns:
        limits = LIMITS.search(column.formula) if column.header.lower().endswith("range?") else None
        if limits:
            said = f'limits {limits[1]} to {limits[2]} in column "{column.header}" belong to no named control'
            findings.append(_finding(said, source, group.first, "note"))
    return findings


Entry = tuple[dict[str, object], list[tuple[str, str]], list[str]]


def _wells(
    group: _Group, measured: set[tuple[str, str]], source: str, findings: list[Finding]
) -> list[Entry]:
    """Content, computed cells and printed value of every well; an empty cell repeats the one above."""
    well_column = group.column(WELLS, "well", "wells")
    if well_column is None:
        return []
    sample, plate = group.column(NAMES, "sample"), group.column(PLATE)
    values, plates = group.column(VALUES), {name for name, _ in measured}
    described = [column for column in group.columns if column.formula.lower().startswith(DESCRIPTORS)]
    findings += _descriptor_findings(group, described, source)
    entries: list[Entry] = []
    above: dict[int, str] = {}
    for row, cells in group.rows:
        text = {c.place: cells[c.place].strip() if c.place < len(cells) else "" for c in group.columns}
        starts = sample is None or bool(text[sample.place])
        for column in (*described, *((sample,) if sample else ())):
            above[column.place] = text[column.place] or ("" if starts else above.get(column.place, ""))
        well = well_name(text[well_column.place])
        on = text[plate.place] if plate else next(iter(plates)) if len(plates) == 1 else ""
        if well is None or (on, well) not in measured:
            said = f'well "{text[well_column.place][:20]}" of plate "{on[:40]}" is not on a plate of the file'
            findings.append(_finding(said, source, row))
            continue
        entry = _content(group, described, above, f"{source} row {row}")
        entry |= {"plate": on, "well": well, "sample": above[sample.place] if sample else ""}
        known = {well_column.place, *([sample.place] if sample else []), *([plate.place] if plate else [])}
        computed = [
            (c.header, text[c.place]) for c in group.columns if text[c.place] and c.place not in known
        ]
        entries.append((entry, computed, [text[values.place]] if values and text[values.place] else []))
    return entries


def _content(
    group: _Group, described: Sequence[_Column], above: dict[int, str], where: str
) -> dict[str, object]:
    """The columns of a layout that the group's descriptors fill."""
    entry: dict[str, object] = dict.fromkeys(
        (name for name, kind in CONTENT.items() if kind is pl.String), ""
    )
    entry |= {"concentration": None, "dilution": 1.0, "expected_low": None, "expected_high": None}
    entry |= {"role": group.role, "group": group.name}
    for column in described:
        text = above[column.place]
        value = number(text, f'{where}, column "{column.header}"', empty=True)
        if value is not None and DILUTION.search(column.header):
            entry["dilution"] = value
        elif value is not None and (column.unit or AMOUNT.search(column.header)):
            entry |= {"concentration": value, "concentration_unit": column.unit}
    return entry


def _descriptor_findings(group: _Group, described: Sequence[_Column], source: str) -> list[Finding]:
    findings = []
    for column in described:
        if DILUTION.search(column.header):
            continue
        if not column.unit and not AMOUNT.search(column.header):
            said = f'column "{column.header}" is no concentration and no dilution, so it is not used'
            findings.append(_finding(said, source, group.first))
        elif not column.unit:
            findings.append(
                Finding(
                    "GP-A038",
                    "warning",
                    f'concentrations of group "{group.name}" without a unit',
                    where=f'{source} row {group.first}, column "{column.header}"',
                    expected="a unit such as ng/mL in the column's settings",
                    next_step="give the unit in a layout file; units are never guessed",
                )
            )
    return findings


def _analysed(printed: Sequence[tuple[str, str, str]], table: pl.DataFrame) -> str:
    """The one channel whose values, rounded as printed, are those of every group row; "" if there is none."""
    fits = []
    for channel in table["channel"].unique(maintain_order=True):
        rows = table.filter(pl.col("channel") == channel).select("plate", "well", "value").rows()
        values = {(plate, well): value for plate, well, value in rows}
        if printed and all(_same(text, values.get((plate, well))) for plate, well, text in printed):
            fits.append(str(channel))
    return fits[0] if len(fits) == 1 else ""


def _same(text: str, value: float | None) -> bool:
    try:
        shown = float(text)
    except ValueError:
        return value is None
    # Half a unit of the last digit printed, and a little for binary rounding.
    half = 0.5 * 10.0 ** -len(text.partition(".")[2])
    return value is not None and abs(shown - value) <= half * 1.001


def _finding(said: str, source: str, row: int, severity: str = "warning") -> Finding:
    return Finding(
        "GP-A024",
        "note" if severity == "note" else "warning",
        said,
        where=f"{source} row {row}",
        expected="groups that name standards, controls, samples or blanks, and wells of the plate",
        next_step="say what is in the wells with a layout file",
    )
