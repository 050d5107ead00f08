"""BioTek/Agilent Gen5 text exports: tables like a plate with their name at the end of each line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from glueprint.assays.plate import Plate
from glueprint.assays.readers.gather import MODE_UNITS, Gathered, incomplete, unread_finding
from glueprint.assays.readers.gen5_layout import layout_of, reference_of
from glueprint.assays.readers.gen5_polarization import check_polarization
from glueprint.assays.readers.grid import LETTERS, is_cut, numbered
from glueprint.assays.readers.reader import FunctionReader
from glueprint.assays.readers.text import decode, not_a_table, peek, short
from glueprint.errors import NotSupportedError

__all__ = ["READER", "parse"]

PLATE = "Plate Number\t"
LAYOUT = "Layout"
PROCEDURE = "Procedure Details"
READ = re.compile(r"\t?(Absorbance|Fluorescence|Luminescence|Alpha\w*) (\w[\w ]*)")
BEYOND = re.compile(r"Kinetic|Spectrum|Area Scan", re.IGNORECASE)
WAVELENGTHS = re.compile(r"\s+Wavelengths:\s*([\d, ]+)")
# "485/20,528/20" is excitation and emission, each with its bandwidth.
LIGHT = re.compile(r"(?:Excitation:\s*(\S+?),\s*)?Emission:\s*(\S+)")
# What Gen5 calls a read step without a name and without filters.
UNNAMED = {"Luminescence": "Lum", "Alpha": "Alpha"}
FILTERS = re.compile(r"(\d+)(?:/\d+(?:\.\d+)?)?,\s*(\d+)(?:/\d+(?:\.\d+)?)?")
FILTER = re.compile(r"(\d+)/\d+(?:\.\d+)?")
SIDE = re.compile(r"\[(Parallel|Perpendicular)\]$")
BLANKED = "Blank "


@dataclass(frozen=True)
class Table:
    """One table of a plate: its title, and (row of the file, letter, label, cells) of each line."""

    title: str
    first: int
    columns: tuple[int, ...]
    lines: tuple[tuple[int, str, str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Reads:
    """What the procedure says was read: names of the reads with their mode, wavelengths, and the labels of
    steps
    without a name with their mode."""

    modes: dict[str, str]
    wavelengths: tuple[str, ...]
    labels: dict[str, str]


def recognises(head: bytes, _: str) -> bool:
    """Whether the file has the head of a Gen5 export."""
    text = peek(head)
    return text.lstrip().startswith("Software Version\t") and "Experiment File Path:" in text


def parse(content: bytes, source: str) -> Plate:
    """The plates of a Gen5 text export, its layout, and its calculated rows as reference.

    Channels: "450", "blanked 450", "485-528", "parallel", "perpendicular", "mP"; two reads that would share
    a name keep the label of the file.
    Raises InputError GP-A002 (not text, no table), GP-A005 (decimal comma), GP-A006 (a table twice),
    GP-A015 (cut off), NotSupportedError GP-A016 (kinetics, spectra, scans).
    """
    text, findings = decode(content, source)
    lines = [(row, line.rstrip("\t ")) for row, line in enumerate(text.splitlines(), start=1)]
    starts = [place for place, (_, line) in enumerate(lines) if line.startswith(PLATE)] or [0]
    metadata = _facts(lines[: starts[0]])
    gathered, tables = Gathered(source), []
    unread: list[tuple[int, str]] = []
    taken: set[str] = set()
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        part = lines[start:end]
        facts = _facts(part)
        name = facts.get("plate number", "")
        metadata |= {key: value for key, value in facts.items() if key not in metadata}
        reads = _reads(part, f"{source} row {part[0][0]}", metadata)
        found, rest = _tables(part, source)
        unread += rest
        tables += [(name, table) for table in found]
        taken |= _gather(name, [table for table in found if table.title != LAYOUT], reads, gathered)
    if not gathered.rows:
        labels = short(dict.fromkeys(label for _, table in tables for _, _, label, _ in table.lines))
        raise not_a_table(source, f"has no table of what was read; its tables are of: {labels or 'nothing'}")
    findings += unread_finding([(row, line.split("\t")) for row, line in unread], source)
    table = gathered.table()
    layout = layout_of(
        [(name, t.first, t.columns, t.lines) for name, t in tables if t.title == LAYOUT], source
    )
    checked, more = check_polarization(table, source)
    reference = reference_of(
        [(name, t.columns, line) for name, t in tables if t.title != LAYOUT for line in t.lines], taken
    )
    notes = (*findings, *gathered.findings(), *more)
    return Plate(source, "gen5", table, metadata | checked, notes, layout, reference)


def _facts(lines: Sequence[tuple[int, str]]) -> dict[str, str]:
    """Lines of a name and a value, up to the procedure."""
    facts: dict[str, str] = {}
    for _, line in lines:
        if line == PROCEDURE:
            break
        name, tab, value = line.partition("\t")
        if tab and name:
            facts.setdefault(name.rstrip(":").lower(), value.strip())
    return facts


def _reads(lines: Sequence[tuple[int, str]], where: str, metadata: dict[str, str]) -> Reads:
    """What was read, from the lines of the procedure."""
    modes: dict[str, str] = {}
    wavelengths: list[str] = []
    labels: dict[str, str] = {}
    name, inside, mode = "", False, ""
    for _, line in lines:
        inside = (inside or line == PROCEDURE) and line != LAYOUT and not numbered(line.split("\t"))
        if not inside:
            continue
        if line not in ("", PROCEDURE):
            steps = metadata.get("procedure", "")
            metadata["procedure"] = f"{steps}; {' '.join(line.split())}".removeprefix("; ")
        if line.startswith("Read\t"):
            name = line.partition("\t")[2].strip()
        kind = READ.match(line.removeprefix("Read"))
        if kind:
            if BEYOND.search(kind[2]):
                raise _not_an_endpoint(where, kind[0].strip())
            mode = kind[1]
            modes["" if name == kind[0].strip() else name] = mode
            labels |= {UNNAMED[mode]: mode} if mode in UNNAMED else {}
            metadata.setdefault("mode", kind[1])
        elif line.startswith("Start Kinetic"):
            raise _not_an_endpoint(where, line.strip())
        light = LIGHT.search(line)
        if light and mode:
            label = ",".join(part for part in light.groups() if part)
            labels |= {label: mode, FILTER.sub(r"\1", label): mode}
        named = WAVELENGTHS.match(line)
        if named:
            wavelengths += [item.strip() for item in named[1].split(",")]
    return Reads(modes, tuple(wavelengths), labels)


def _not_an_endpoint(where: str, what: str) -> NotSupportedError:
    return NotSupportedError(
        "GP-A016",
        f'the procedure has "{what[:60]}", which is no endpoint',
        where=where,
        expected="endpoint reads",
        next_step="export an endpoint, or the reduced values as tidy CSV",
    )


def _tables(lines: Sequence[tuple[int, str]], source: str) -> tuple[list[Table], list[tuple[int, str]]]:
    """All tables of a plate, and the lines between them that nobody reads."""
    tables: list[Table] = []
    unread: list[tuple[int, str]] = []
    title, place, started = "", 0, False
    while place < len(lines):
        row, line = lines[place]
        columns = numbered(line.split("\t"))
        if not columns:
            started = started or line == LAYOUT
            if line and (started or tables) and not _is_title(lines, place):
                unread.append((row, line))
            title = line or title
            place += 1
            continue
        body = []
        while place + 1 < len(lines) and lines[place + 1][1]:
            place += 1
            body.append(lines[place])
        place += 1
        ends = not any(text for _, text in lines[place:]) and len(lines) - place < 2
        tables.append(_table(title, row, columns, (body, source), cut=ends))
    return tables, unread


def _is_title(lines: Sequence[tuple[int, str]], place: int) -> bool:
    following = (line for _, line in lines[place + 1 : place + 3] if line)
    return bool(numbered(next(following, "").split("\t")))


def _table(
    title: str, first: int, columns: list[int], body: tuple[list[tuple[int, str]], str], *, cut: bool
) -> Table:
    """A table of a whole plate or of a part; `cut`: nothing follows it, so that a part may be a broken
    file."""
    lines, source = body
    found = []
    letters: list[str] = []
    for row, line in lines:
        cells = line.split("\t")
        if cells[0]:
            known = cells[0] in LETTERS and (not letters or LETTERS[cells[0]] > LETTERS[letters[-1]])
            if not known:
                raise incomplete(
                    f"{source} row {row}", f'row "{cells[0][:20]}" after {letters[-1:] or "none"}'
                )
            letters.append(cells[0])
        # The label stands behind the last column, so a shorter line is broken.
        if not letters or len(cells) != len(columns) + 2:
            raise incomplete(
                f"{source} row {row}", f"{len(cells) - 2} cells and a label under {len(columns)} columns"
            )
        found.append((row, letters[-1], cells[-1].strip(), tuple(cells[1:-1])))
    if is_cut(letters, columns, follows=not cut):
        raise incomplete(
            f"{source} row {first}",
            f"a table of {len(letters)} rows and {len(columns)} columns ends the file",
        )
    return Table(title, first, tuple(columns), tuple(found))


def _gather(name: str, tables: Sequence[Table], reads: Reads, gathered: Gathered) -> set[str]:
    """Take the measured lines, and return their labels; calculated ones stay for the reference."""
    labels = list(dict.fromkeys(label for table in tables for _, _, label, _ in table.lines))
    channels = {label: _channel(label, reads) for label in labels}
    known = {label: found for label, found in channels.items() if found[0]}
    names = [channel for channel, _ in known.values()]
    for table in tables:
        for row, letter, label, cells in table.lines:
            if label not in known:
                continue
            channel, unit = known[label]
            channel = channel if names.count(channel) == 1 else label
            for column, text in zip(table.columns, cells, strict=True):
                gathered.add((name, f"{letter}{column}", channel), text, unit, where=f"row {row}")
    return set(known)


def _channel(label: str, reads: Reads) -> tuple[str, str]:
    """Channel and unit of a label; "" for one that Gen5 calculated."""
    if label == "Polarization":
        return "mP", "mP"
    blanked = label.startswith(BLANKED)
    bare = label.removeprefix(BLANKED)
    read, colon, rest = bare.rpartition(":")
    plain = "" in reads.modes and bare in reads.labels
    if not colon and not plain and bare not in reads.wavelengths and bare not in reads.modes:
        return "", ""
    if colon and read not in reads.modes:
        return "", ""
    mode = reads.labels[bare] if plain else reads.modes.get(read, next(iter(reads.modes.values()), ""))
    unit = MODE_UNITS.get(mode.lower(), "")
    side, filters = SIDE.search(rest), FILTERS.search(rest)
    name = rest.strip() or bare
    if side or filters:
        name = side[1].lower() if side else FILTERS.sub(r"\1-\2", rest).strip()
    name = FILTER.sub(r"\1", name) if plain else name
    return (f"blanked {name}" if blanked else name), unit


READER = FunctionReader("gen5", "BioTek/Agilent Gen5 text export", recognises, parse)
