"""Several tables of lanes, one a membrane or experiment, as the one table that the analysis takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

import polars as pl

from glueprint.assays.contract import Observations
from glueprint.assays.findings import Finding
from glueprint.assays.growth import cultures_table
from glueprint.assays.intake import door
from glueprint.assays.wells import Wells
from glueprint.errors import InputError, nearest

__all__ = ["PLACES", "joined", "read"]

# Which table a row came from and which row it was there, for messages.
PLACES = ("joined_from", "joined_row")
MEMBRANE = "membrane"


def read(
    *paths: str | Path,
    names: Mapping[str, str] | None = None,
    sheet: str | None = None,
    layout: str | Path | None = None,
    reader: str | None = None,
) -> Observations:
    """Lanes from tidy tables, one row a lane, or wells of plates; several files joined as `joined` says.

    names: columns under our names, {ours: theirs}.   sheet: of a workbook or Prism file.   layout, reader:
    of plates, as `intake.door.read` takes them.
    Raises InputError GP-A158, GP-A190, GP-A193, and what the readers of tables and plates raise.
    """
    if layout or reader:
        plates = [_plate(door.wells(path, layout=layout, reader=reader, sheet=sheet)) for path in paths]
        several = joined([(str(path), one.table) for path, one in zip(paths, plates, strict=True)])
        findings = (*several.findings, *(noted for one in plates for noted in one.findings))
        return replace(several, findings=findings, line="\n".join(one.line for one in plates))
    found = [door.table(path, names, sheet) for path in paths]
    several = joined([(str(path), one.table) for path, one in zip(paths, found, strict=True)])
    findings = (*(noted for one in found for noted in one.findings), *several.findings)
    return replace(several, findings=findings, line="\n".join(one.line for one in found))


def _plate(wells: Wells) -> Observations:
    """The wells of cells as lanes: a well is a lane, and its plate a membrane with a vehicle of its own."""
    table, noticed = cultures_table(wells.table, wells.assay)
    lanes = table.rename({"well": "lane", "plate": MEMBRANE}).drop("doubling_time_h")
    return replace(Observations(lanes), findings=(*wells.findings, *noticed), line=wells.line)


def joined(tables: Sequence[tuple[str, pl.DataFrame]]) -> Observations:
    """All rows of several tables, and what was noticed.

    tables: each with the name of its file; one alone stays as it is. All have the same columns, in any
    order.
    Lanes of a table that names no membrane belong to one named after its file, so that each table keeps a
    level of its own; experiments are never guessed.
    Raises InputError GP-A190 where the columns disagree, or a file is given twice.
    """
    (first, head), *others = tables
    if not others:
        return Observations(head)
    for name, table in others:
        _same_columns((first, head.columns), (name, table.columns))
    names = _short([name for name, _ in tables])
    nameless = [name for name, table in tables if _empty(table)]
    parts = []
    for name, table in tables:
        own = table.select(head.columns).with_columns(
            pl.lit(name).alias(PLACES[0]), pl.int_range(pl.len()).alias(PLACES[1])
        )
        parts.append(own.with_columns(pl.lit(names[name]).alias(MEMBRANE)) if name in nameless else own)
    findings = [_named_after(nameless, names)] if nameless else []
    return Observations(pl.concat(parts, how="diagonal_relaxed"), tuple(findings))


def _same_columns(first: tuple[str, list[str]], other: tuple[str, list[str]]) -> None:
    (name, columns), (second, theirs) = first, other
    lacking = [column for column in columns if column not in theirs]
    more = [column for column in theirs if column not in columns]
    if not lacking and not more:
        return
    what = f'no column "{lacking[0]}"{nearest(lacking[0], theirs)}' if lacking else ""
    extra = f'a column "{more[0]}" that {name} has not' if more else ""
    raise InputError(
        "GP-A190",
        " and ".join(part for part in (what, extra) if part),
        where=second,
        expected=f"the columns of {name}: {', '.join(columns)}",
        next_step="give every table the same columns, empty where nothing is to say",
    )


def _empty(table: pl.DataFrame) -> bool:
    """Whether a table says of no lane on which membrane it is."""
    if MEMBRANE not in table.columns:
        return True
    return bool((table[MEMBRANE].cast(pl.String).fill_null("").str.strip_chars() == "").all())


def _short(names: list[str]) -> dict[str, str]:
    """The names of files without their folders, where these differ; else as given."""
    twice = next((name for nth, name in enumerate(names) if name in names[:nth]), None)
    if twice is not None:
        raise InputError(
            "GP-A190",
            "the table is given twice",
            where=twice,
            expected="every table once",
            next_step="leave the copy out: lanes do not count twice",
        )
    stems = [PurePath(name).stem for name in names]
    return dict(zip(names, stems if len(set(stems)) == len(stems) else names, strict=True))


def _named_after(nameless: list[str], names: Mapping[str, str]) -> Finding:
    return Finding(
        "GP-A191",
        "note",
        f"{len(nameless)} tables name no membrane: each is taken as one, called as its file",
        ", ".join(names[name] for name in nameless[:8]),
        "a column membrane, and experiment",
        "say in a column experiment which tables are independent of each other",
    )
