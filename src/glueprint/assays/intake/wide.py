"""Tables with the replicates, compounds or times beside each other, as Prism and people keep them, to one row
a reading."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

import polars as pl

from glueprint.assays.intake.headers import BRACKETS, OTHERWISE, PER_HOUR, parsed
from glueprint.assays.intake.labels import listed, role_of

__all__ = ["NUMBERED_AS", "hours", "long", "numeric", "of_one_response", "response_of"]

NUMBERED = re.compile(
    r"(.*?)([\s_.:#-]*)(?:\b(rep|replicate|r|tech|repeat|well|n|no|y)[\s_.#-]*)?(\d{1,2})(?:_duplicated)?"
)
REPLICATES = listed("|rep|replicate|r|n|repeat|well|y|reading|measurement|tech|value|column|no|replica|wdh")
# Numbered, these are several compounds and not one in replicate.
GENERIC = listed(
    "compound|cmpd|cpd|drug|sample|test|analog|analogue|inhibitor|treatment|molecule|glue|hit|c|s|"
    "data set|dataset|group|line|cell|cells|target|protein|example|ex|entry|id|mutant|variant|clone|degrader|"
    "protac|ligand|probe|derivative|isomer|enantiomer|diastereomer|peak|fraction|batch|lot|salt|series|peptide|"
    "antibody|construct|molecular glue|agent|monomer|binder|lead|candidate|fragment|scaffold"
)
# A name that comes again, as the reader of tables numbers it.
AGAIN = re.compile(r"(.+) #(\d+)")
# Numbered, these are times.
TIMES = frozenset(["t", "time", "timepoint", "time point", "week", "weeks", "month", "cycle", *PER_HOUR])
# Of rows: the header of which only a number made a replicate (`scales.numbered`).
NUMBERED_AS = "_numbered"
# Responses that may be part of a name, or of what was done to it.
SHORT = listed("raw|a|control|of control|growth|left|loss|lost|death|kill|od|abs|")
HOURS = re.compile(r"(\d+(?:\.\d+)?)[\s_]*(h|hr|hrs|hours?|min|d|days?)", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """A column of readings in a wide table: what stands beside it, as labels of its rows.

    numbered: its name, where only the number at its end makes it a replicate.
    """

    name: str
    response: str = ""
    role: str = ""
    line: str = ""
    compound: str = ""
    experiment: str = ""
    replicate: str = ""
    time_h: str = ""
    numbered: str = ""


def long(table: pl.DataFrame, readings: Sequence[str]) -> tuple[pl.DataFrame, str]:
    """One row a reading: the other columns repeated, and compound, experiment, replicate and time_h from
    headers.

    readings: names of the columns side by side.   Returns the table with a column of the readings, and its
    name: that of the response that the headers name, else "unnamed".
    """
    columns = _columns(readings)
    response = next((column.response for column in columns if column.response), "unnamed")
    beside = set(readings)
    kept = [name for name in table.columns if name not in beside]
    labels = [
        name
        for name in ("role", "line", "compound", "experiment", "replicate", "time_h", NUMBERED_AS)
        if name not in kept and any(getattr(column, name.strip("_")) for column in columns)
    ]
    parts = []
    for column in columns:
        reading = pl.col(column.name).cast(pl.String).alias(response)
        said = [pl.lit(getattr(column, name.strip("_"))).alias(name) for name in labels]
        parts.append(table.select(*kept, reading, *said).filter(pl.col(response).is_not_null()))
    return pl.concat(parts), response


def of_one_response(readings: Sequence[str]) -> list[str]:
    """Of columns side by side those that name one response, with their controls and blanks; all if none does.

    "raw 1, raw 2, norm 1, norm 2" are no four curves of one scale.
    """
    columns = _columns(readings)
    named = next((column.response for column in columns if column.response), "")
    pairs = zip(readings, columns, strict=True)
    return [name for name, one in pairs if not named or one.response == named or one.role]


def numeric(column: pl.Series) -> bool:
    """Whether a column holds numbers and nothing else, and at least one."""
    if column.dtype.is_numeric():
        return column.null_count() < column.len()
    if column.dtype != pl.String:
        return False
    text = column.str.strip_chars().replace("", None)
    numbers = text.cast(pl.Float64, strict=False)
    return numbers.null_count() == text.null_count() < column.len()


def hours(text: str) -> str:
    """The hours in "24 h", "90 min" or "2 d", as a number in text; "" for anything else."""
    found = HOURS.fullmatch(text.strip())
    return f"{float(found[1]) * PER_HOUR[found[2].lower()]:.12g}" if found else ""


def _columns(readings: Sequence[str]) -> list[Column]:
    """What stands in the header of each column. Numbers that do not run from 1, as in KMS11 and KMS12 or
    dBET1 and dBET6, are part of a name, and so is one right behind a word or a hyphen (IKZF1, CC-1)."""
    found = [NUMBERED.fullmatch(name.strip().lower()) for name in readings]
    stems = [
        (match[1] if match else name.lower()).strip(" _.-#")
        for match, name in zip(found, readings, strict=True)
    ]
    numbers: dict[str, set[int]] = {}
    for match, stem in zip(found, stems, strict=True):
        if match:
            numbers.setdefault(stem, set()).add(int(match[4]))
    names = {name.strip() for name in readings}
    of_stem = Counter(stems)
    columns = []
    for name, match, stem in zip(readings, found, stems, strict=True):
        seen = numbers.get(stem, set())
        runs = len(seen) > 1 and (min(seen), max(seen)) == (1, len(seen))
        apart = match is not None and match[2] not in ("", "-") and bool(stem)
        counted = runs and apart and of_stem[stem] > 1 and stem not in (*GENERIC, *TIMES)
        again = _again(name.strip(), names)
        columns.append(_column(name.strip(), match, again=again, counted=counted, runs=runs))
    return _of_curves(columns)


def _again(name: str, names: Set[str]) -> tuple[str, str] | None:
    """The name that comes again and which of its columns this is; None for one that comes once.

    "Glue #2" behind "Glue" is its second column; "Cpd #2" behind "Cpd #1" is another one.
    """
    found = AGAIN.fullmatch(name)
    if found and found[1] in names:
        return found[1], found[2]
    return (name, "1") if f"{name} #2" in names else None


def _of_curves(columns: list[Column]) -> list[Column]:
    """The columns, of which each may name the same response beside its curve: "% Inhibition A", "A (RLU)"."""
    curves = [one for one in columns if not one.role]
    said = [_within(one.compound) for one in curves]
    if not said or len({response for response, _ in said}) > 1 or not said[0][0]:
        return columns
    rests = {one.name: rest for one, (_, rest) in zip(curves, said, strict=True)}
    return [_labelled(one, said[0][0], rests[one.name]) if one.name in rests else one for one in columns]


def _labelled(column: Column, response: str, rest: str) -> Column:
    time = hours(rest)
    return replace(column, response=response, compound="" if time else rest, time_h=time or column.time_h)


def _within(name: str) -> tuple[str, str]:
    """The response in a name of several words, in brackets or not, and the rest; "" for none."""
    for found in BRACKETS.finditer(name):
        heading = parsed(found[1])
        response = response_of(heading.ours, per_cent=heading.per_cent)
        if response:
            return response, f"{name[: found.start()]}{name[found.end() :]}".strip(" _-,")
    words = re.split(r"[\s_]+", name)
    for cut in range(len(words) - 1, 0, -1):
        for said, rest in ((words[:cut], words[cut:]), (words[-cut:], words[:-cut])):
            heading = parsed(" ".join(said))
            response = response_of(heading.ours, per_cent=heading.per_cent or parsed(name).per_cent)
            if response and heading.words not in SHORT and not OTHERWISE.search(" ".join(rest).lower()):
                return response, " ".join(rest)
    return "", ""


def _column(
    name: str, match: re.Match[str] | None, *, again: tuple[str, str] | None, counted: bool, runs: bool
) -> Column:
    """One header taken apart. again: the name that comes more than once, and which of its columns this is.

    counted: its number is one of a row of replicates.   runs: the numbers behind its word are 1, 2, 3 ...
    """
    if hours(name):
        return Column(name, time_h=hours(name))
    before = name[: match.end(1)].strip(" _.-#") if match else name
    stem, number = before.lower(), match[4] if match else "1"
    heading = parsed(before)
    response = response_of(heading.ours, per_cent=heading.per_cent or parsed(name).per_cent)
    if response or (stem in REPLICATES and (stem or runs or again)):
        return Column(name, response=response, replicate=number)
    if hours(before):
        return Column(name, time_h=hours(before), replicate=number)
    role = role_of(before)
    if role in ("control", "blank", "time0"):
        return Column(name, role=role, replicate=number)
    if heading.ours == "experiment":
        return Column(name, experiment=number)
    if heading.ours == "line" and match:
        return Column(name, line=name)
    if again:
        return Column(name, compound=again[0], replicate=again[1])
    if match and match[3]:
        return Column(name, compound=before, replicate=number)
    if counted:
        return Column(name, compound=before, replicate=number, numbered=name)
    return Column(name, compound=name)


def response_of(ours: str, *, per_cent: bool) -> str:
    """The column of a response by our name and its scale; "" where it is none."""
    if ours in ("viability", "inhibition"):
        return f"{ours}_percent" if per_cent else ours
    if ours in ("fraction_remaining", "fraction_degraded"):
        return ours.replace("fraction", "percent") if per_cent else ours
    return ours if ours == "signal" else ""
