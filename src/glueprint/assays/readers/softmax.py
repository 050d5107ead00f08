"""SoftMax Pro text exports: plate blocks (as a plate or as one line), raw and reduced, and their groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.plate import MASKED, SIZES, Plate, row_letters, well_name
from glueprint.assays.readers.gather import MODE_UNITS, Gathered, each_once, incomplete
from glueprint.assays.readers.reader import FunctionReader
from glueprint.assays.readers.softmax_groups import grouped
from glueprint.assays.readers.text import decode, not_a_table, peek, short
from glueprint.errors import NotSupportedError

__all__ = ["READER", "parse"]

MARK = "##BLOCKS="
END = "~End"
DATA_TYPES = ("Raw", "Reduced", "Both")
# Places of the header cells, counted from the one that holds the data type.
READS, WAVELENGTH_COUNT, WAVELENGTHS, FIRST, COLUMNS, WELLS, EXCITATION = 2, 8, 9, 10, 11, 12, 13
MOST_CHANNELS = 16
KNOWN = ("Plate", "Group")


@dataclass(frozen=True)
class Block:
    """The lines of a block with the number of its first line; `ended` is False where the file breaks off."""

    first: int
    lines: tuple[str, ...]
    ended: bool

    @property
    def kind(self) -> str:
        """What stands before the first colon."""
        return self.lines[0].partition(":")[0].strip()

    @property
    def title(self) -> str:
        """What stands behind it, up to the next tab."""
        return self.lines[0].partition(":")[2].strip("\t").partition("\t")[0].strip()


@dataclass(frozen=True)
class Header:
    """The first line of a plate block."""

    name: str
    layout: str
    mode: str
    data_type: str
    channels: tuple[str, ...]
    columns: int
    rows: int
    read: range


def recognises(head: bytes, _: str) -> bool:
    """Whether the file begins with the mark of a SoftMax Pro export."""
    return peek(head).lstrip().startswith(MARK)


def parse(content: bytes, source: str) -> Plate:
    """The plates of a SoftMax Pro text export (UTF-8 or UTF-16), its groups as layout and its results as
    reference.

    Raises InputError GP-A002 (not text), GP-A005 (decimal comma), GP-A006 (a plate twice), GP-A015 (cut off),
    NotSupportedError GP-A016 (kinetics, spectra, scans).
    """
    text, findings = decode(content, source)
    blocks, rest = _blocks(text)
    gathered, metadata = Gathered(source), dict(rest)
    for block in blocks:
        if block.kind == "Plate":
            findings += _read_plate(block, gathered, metadata)
    if not gathered.rows:
        raise not_a_table(source, "has no plate block")
    findings += _unread(text, blocks, source)
    table = gathered.table()
    groups = [(block.first, block.title, block.lines[1:]) for block in blocks if block.kind == "Group"]
    layout, reference, analysed, more, masked = grouped(groups, table, source)
    table, said = _masked(table, masked, source)
    more += said
    if analysed:
        metadata["analysed_channel"] = analysed
    notes = (*findings, *gathered.findings(), *more)
    return Plate(source, "softmax", table, metadata, notes, layout, reference)


def _masked(
    table: pl.DataFrame, wells: set[tuple[str, str]], source: str
) -> tuple[pl.DataFrame, list[Finding]]:
    """The table with the flag "masked" at the wells that were masked in SoftMax, and a finding that names
    them; their values stay, and the quality layer leaves them out."""
    if not wells:
        return table, []
    keys = pl.DataFrame(sorted(wells), schema={"plate": pl.String, "well": pl.String}, orient="row")
    here = table.join(keys.with_columns(here=pl.lit(value=True)), on=["plate", "well"], how="left")["here"]
    masked = here.fill_null(value=False)
    lost = table.filter(masked)
    shown = short(
        f"{row['well']} ({row['channel']}) {row['value']:g}" for row in lost.drop_nulls("value").to_dicts()
    )
    table = table.with_columns(flag=pl.when(masked).then(pl.lit(MASKED)).otherwise("flag"))
    said = f"{len(wells)} wells are masked in SoftMax and are left out, with their values kept: {shown}"
    return table, [
        Finding("GP-A211", "warning", said, source, "", "unmask them in SoftMax if they belong to the result")
    ]


def _blocks(text: str) -> tuple[list[Block], dict[str, str]]:
    """The blocks between the ends, and what stands behind the last one."""
    blocks: list[Block] = []
    lines: list[str] = []
    first = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith(MARK):
            continue
        if line.strip() == END:
            if lines:
                blocks.append(Block(first, tuple(lines), ended=True))
            lines = []
        elif lines or line.strip():
            first = first if lines else number
            lines.append(line)
    tail: dict[str, str] = {}
    if lines and lines[0].startswith("Original Filename"):
        parts = (part.partition(":") for part in lines[0].split(";"))
        tail = {name.strip().lower(): value.strip() for name, _, value in parts}
    elif lines:
        blocks.append(Block(first, tuple(lines), ended=False))
    return blocks, tail


def _unread(text: str, blocks: Sequence[Block], source: str) -> list[Finding]:
    """Blocks that were announced and are not there, that break off, or that nobody here reads."""
    findings = []
    announced = text.lstrip()[len(MARK) :].split("\n", 1)[0].strip()
    if announced != str(len(blocks)) or not blocks[-1].ended:
        findings.append(
            Finding(
                "GP-A015",
                "warning",
                f"{announced[:20]} blocks are announced and {len(blocks)} are there"
                + ("" if blocks[-1].ended else "; the last one breaks off"),
                where=source,
                expected="as many as announced, each with its end",
                next_step="export the file again; it may be cut off",
            )
        )
    others = [block for block in blocks if block.kind not in KNOWN]
    if others:
        lines = sum(len(block.lines) for block in others)
        names = short(f'"{block.kind[:40]}" in row {block.first}' for block in others)
        findings.append(
            Finding("GP-A018", "note", f"{len(others)} blocks ({lines} lines) not read: {names}", source)
        )
    return findings


def _read_plate(block: Block, gathered: Gathered, metadata: dict[str, str]) -> list[Finding]:
    where = f"{gathered.source} row {block.first}"
    header = _header(block.lines[0].split("\t"), where)
    metadata.setdefault("mode", header.mode)
    metadata.setdefault("wavelengths", " ".join(header.channels))
    unit = MODE_UNITS.get(header.mode.lower(), "")
    channels = ("reduced",) if header.data_type == "Reduced" else header.channels
    tables = _as_plate if header.layout == "PlateFormat" else _as_line
    seen: set[str] = set()
    for channel, well, text, row in tables(block, header, channels, where):
        seen.add(channel)
        gathered.add((header.name, well, channel), text, unit, where=f"row {row}")
    missing = [channel for channel in channels if channel not in seen]
    if missing and len(missing) == len(channels) and block.ended:
        said = f'plate "{header.name}" was not read: its block has no values'
        return [
            Finding(
                "GP-A216",
                "warning",
                said,
                where,
                "a reading of every plate",
                "read the plate, or leave it out",
            )
        ]
    if missing:
        raise incomplete(where, f'plate "{header.name}" has no values of channel {", ".join(missing)}')
    return []


def _header(cells: list[str], where: str) -> Header:
    cells = [item.strip() for item in cells]
    at = next((place for place, item in enumerate(cells) if item in DATA_TYPES), 0)
    if at < 5 or len(cells) <= at + WELLS or cells[3] not in ("PlateFormat", "TimeFormat"):
        raise incomplete(where, "the first line of a plate block cannot be read")
    mode = cells[5]
    reads = cells[at + READS]
    if cells[4] != "Endpoint" or reads not in ("", "1") or mode.lower() not in MODE_UNITS:
        raise NotSupportedError(
            "GP-A016",
            f'plate "{cells[1]}": read of type "{cells[4]}", mode "{mode}", with {reads or "1"} time points',
            where=where,
            expected="an endpoint read of absorbance, fluorescence or luminescence",
            next_step="export an endpoint, or the reduced values as tidy CSV",
        )
    wavelengths, excited = cells[at + WAVELENGTHS].split(), [""]
    if mode.lower() == "fluorescence" and len(cells) > at + EXCITATION:
        excited = cells[at + EXCITATION].split()
    if any(excited):
        wavelengths = [f"{light}-{seen}" for light, seen in zip(excited, wavelengths, strict=False)]
    try:
        count, columns, wells = (int(cells[at + place]) for place in (WAVELENGTH_COUNT, COLUMNS, WELLS))
    except ValueError:
        count = columns = wells = 0
    sound = 0 < columns <= 48 and 0 < wells <= 1536 and count <= MOST_CHANNELS
    if not sound or (wells not in SIZES and wells % columns):
        raise incomplete(where, "the numbers of wavelengths, columns and wells cannot be read")
    channels = each_once(wavelengths or [mode.lower()])
    if len(channels) != max(count, 1):
        raise incomplete(
            where, f"{count} wavelengths are announced and named: {' '.join(channels) or 'none'}"
        )
    whole = SIZES.get(wells, (wells // columns, columns))
    first = int(cells[at + FIRST]) if cells[at + FIRST].isdigit() else 1
    read = range(max(first, 1), min(first + columns, whole[1] + 1))
    return Header(cells[1], cells[3], mode, cells[at], channels, whole[1], whole[0], read)


Values = Iterator[tuple[str, str, str, int]]


def _as_plate(block: Block, header: Header, channels: Sequence[str], where: str) -> Values:
    """(channel, well, cell, row) of tables that look like the plate, channels side by side."""
    body = list(enumerate(block.lines[1:], start=block.first + 1))
    tables = [place for place, (_, line) in enumerate(body) if _is_scale(line.split("\t"), header.columns)]
    for nth, place in enumerate(tables):
        end = tables[nth + 1] if nth + 1 < len(tables) else len(body)
        rows = [(row, line.split("\t")) for row, line in body[place + 1 : end] if line.strip()]
        if len(rows) != header.rows:
            raise incomplete(
                where, f'plate "{header.name}" has {len(rows)} rows of values, not {header.rows}'
            )
        names = channels if nth == 0 else ("reduced",)
        if nth > 1 or (nth == 1 and names == channels):
            raise incomplete(where, f'plate "{header.name}" has {len(tables)} tables of values')
        for index, (row, cells) in enumerate(rows):
            for side, channel in enumerate(names):
                start = 2 + side * (header.columns + 1)
                for column in range(header.columns):
                    text = cells[start + column] if start + column < len(cells) else ""
                    if column + 1 in header.read or text.strip():
                        yield channel, f"{row_letters(index)}{column + 1}", text, row


def _is_scale(cells: list[str], columns: int) -> bool:
    """Whether a line numbers the columns of the table that follows."""
    return [item.strip() for item in cells[2 : 2 + columns]] == [str(n + 1) for n in range(columns)]


def _as_line(block: Block, header: Header, channels: Sequence[str], where: str) -> Values:
    """(channel, well, cell, row) of tables with all wells in one line, channels one below the other."""
    wells: list[str] = []
    names: list[str] = []
    for row, line in enumerate(block.lines[1:], start=block.first + 1):
        cells = line.split("\t")
        if not line.strip():
            continue
        if len(cells) > 2 and well_name(cells[2]):
            names = ["reduced"] if wells and "reduced" not in channels else list(channels)
            named = [item for item in cells[2:] if item.strip()]
            wells = [well_name(item) or "" for item in named]
            if len(wells) != header.rows * len(header.read) and len(wells) != header.rows * header.columns:
                wells = []
            if "" in wells or not wells:
                raise incomplete(f"{where[: where.rfind(' ')]} {row}", "the line of well names is not whole")
            continue
        if not names:
            raise incomplete(
                where, f'row {row} of plate "{header.name}" has values that belong to no channel'
            )
        channel = names.pop(0)
        for well, text in zip(wells, [*cells[2:], *[""] * len(wells)], strict=False):
            yield channel, well, text, row


READER = FunctionReader("softmax", "SoftMax Pro text export (UTF-8 or UTF-16)", recognises, parse)
