"""The door: any file to a table of curves or the wells of a plate, with one line that says what was read, as
what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from glueprint.assays import layout as layouts
from glueprint.assays import readers, tidy_table
from glueprint.assays.contract import Observations
from glueprint.assays.findings import Finding
from glueprint.assays.intake.grids import grids
from glueprint.assays.intake.headers import dose_column, parsed
from glueprint.assays.intake.labels import is_vehicle, role_of
from glueprint.assays.intake.meaning import RESPONSES
from glueprint.assays.intake.scales import IDENTITY
from glueprint.assays.intake.sheets import ZIP, Sheet, of_bytes
from glueprint.assays.intake.tables import Canonical, canonical
from glueprint.assays.plate import Plate
from glueprint.assays.readers.text import short
from glueprint.assays.readers.tidy import names_wells
from glueprint.assays.wells import CONTENT, Wells
from glueprint.boundary import read_plain
from glueprint.errors import InputError

__all__ = ["Reading", "plate", "read", "table", "wells", "with_time_zero"]

MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Reading:
    """What a file holds, before any analysis.

    line: what was read, as what, in one line.   given: the file's own table (empty for a plate).
    tidy: our columns, one row a reading; what `--save` writes.   plate, wells: None for a table of curves.
    response: of a table of curves, "" for a plate.   noted: findings of the file itself, among `findings`.
    """

    source: str
    line: str
    given: pl.DataFrame
    tidy: pl.DataFrame
    response: str
    findings: tuple[Finding, ...]
    plate: Plate | None = None
    wells: Wells | None = None
    noted: tuple[Finding, ...] = ()

    @property
    def observations(self) -> Observations:
        """What the analyses take."""
        return Observations(self.given, self.noted, line=self.line) if self.wells is None else self.wells

    @property
    def curves(self) -> pl.DataFrame:
        """One row a curve of a table: its labels, doses and wells; none for a plate."""
        dose = dose_column(self.tidy.columns)
        if not dose or self.plate is not None:
            return pl.DataFrame()
        keys = [name for name in IDENTITY if name in self.tidy.columns]
        amount = pl.col(dose).cast(pl.Float64, strict=False)
        treated = self.tidy.filter(amount > 0.0)
        return treated.group_by(keys or [pl.lit("all").alias("curve")], maintain_order=True).agg(
            pl.col(dose).n_unique().alias("doses"), pl.len().alias("wells")
        )


def read(
    path: str | Path,
    *,
    reader: str | None = None,
    layout: str | Path | None = None,
    sheet: str | None = None,
    names: Mapping[str, str] | None = None,
) -> Reading:
    """The file as a table of curves where it has doses beside responses, else as the wells of a plate.

    reader, layout: of a plate, as `readers.read` and `layout.read` take them.   sheet: of a workbook or Prism
    file.
    names: columns of a table under our names, {ours: theirs}.
    Raises what the readers of plates, layouts and tables raise, and InputError GP-A201 to GP-A215.
    """
    if not (reader or layout) and not _of_instrument(Path(path)):
        drawn = _sheet(path, sheet)
        curves, problem = (None, None) if grids(drawn)[0] else _curves(drawn, str(path), names or {})
        if curves is not None:
            return curves
        try:
            found, wells = plate(path, reader=reader, layout=layout, sheet=sheet)
        except InputError as error:
            # What nobody's reader knows is a table, of which it was said what is wrong.
            raise problem if problem and drawn.rows and error.code == "GP-A012" else error from error
    else:
        found, wells = plate(path, reader=reader, layout=layout, sheet=sheet)
    saved = wells.table if (wells.table["unit"] != "").any() else wells.table.drop("unit")
    return Reading(str(path), wells.line, pl.DataFrame(), saved, "", wells.findings, found, wells)


def plate(
    path: str | Path,
    *,
    reader: str | None = None,
    layout: str | Path | None = None,
    sheet: str | None = None,
) -> tuple[Plate, Wells]:
    """The plate in a file, and its wells with the layout given, or else with the file's own.

    Raises what `readers.read`, `layout.read` and `layout.apply` raise.
    """
    found = readers.read(path, reader, sheet=sheet)
    wells = layouts.apply(found, layouts.read(layout) if layout else None)
    return found, replace(wells, line=line_of_plate(found, wells))


def wells(
    path: str | Path,
    *,
    layout: str | Path | None = None,
    reader: str | None = None,
    sheet: str | None = None,
) -> Wells:
    """The wells of a plate as the analyses take them, as `plate` reads them."""
    return plate(path, reader=reader, layout=layout, sheet=sheet)[1]


def table(path: str | Path, names: Mapping[str, str] | None = None, sheet: str | None = None) -> Observations:
    """The table in a file under its own names but for `names`, with the line that says what it is read as.

    Raises InputError GP-A158, GP-A005, GP-A215, and what `canonical` raises.
    """
    found = tidy_table.whole(path, sheet)
    given = tidy_table.renamed(found.frame, dict(names or {}))
    return Observations(given, found.findings, line=_line(Path(path).name, found, given, canonical(given)))


def with_time_zero(found: Reading, path: str | Path, layout: str | Path | None = None) -> Reading:
    """A plate with its time zero in a file of its own: wells of cells there are time zero, blanks its blanks.

    layout: of the second plate, as `layout.read` takes it; None takes the file's own, and without one its
    wells
    have the contents that the same wells have in the first.
    Raises InputError GP-A219 where the first file is no plate or the second has no well of cells.
    """
    start_plate = readers.read(path)
    given = layouts.read(layout) if layout else start_plate.layout
    if found.wells is None or found.plate is None:
        raise _no_time_zero(str(path), "a table of curves takes time zero as rows of role time0")
    first = found.wells.table
    contents = first.select("well", *CONTENT).unique("well", maintain_order=True)
    start = (
        start_plate.table.join(contents, on="well", how="left")
        if given is None
        else layouts.apply(start_plate, given).table
    )
    name = f"time zero {Path(path).name}"
    cells = pl.col("role").is_in(["vehicle", "compound", "negative", "time0"])
    kept = start.filter(cells | (pl.col("role") == "blank")).with_columns(
        plate=pl.lit(name),
        role=pl.when(cells).then(pl.lit("time0")).otherwise("role"),
        sample=pl.lit(""),
        concentration=pl.lit(None, dtype=pl.Float64),
        concentration_unit=pl.lit(""),
    )
    if not (kept["role"] == "time0").any():
        raise _no_time_zero(str(path), "no well of cells at time zero")
    table = pl.concat(
        [first, kept.select([c for c in first.columns if c in kept.columns])], how="diagonal_relaxed"
    )
    line = f"{found.line}; {(kept['role'] == 'time0').sum()} readings at time zero from {Path(path).name}"
    findings = (*found.findings, *start_plate.findings)
    wells = replace(found.wells, table=table, findings=findings, line=line)
    return replace(found, line=line, tidy=table, findings=wells.findings, wells=wells)


def _no_time_zero(where: str, what: str) -> InputError:
    return InputError(
        "GP-A219",
        what,
        where=where,
        expected="a plate with the same wells of cells, or a layout of its own",
        next_step="give it with --time0, and its layout with --time0-layout",
    )


def line_of_plate(plate: Plate, wells: Wells) -> str:
    """What a plate's file was read as, in one line."""
    table, name = wells.table, Path(plate.source).name
    channels = table.select("channel", "unit").unique(maintain_order=True).rows()
    units = [" ".join(filter(None, (channel, f"({unit})" if unit else ""))) for channel, unit in channels]
    roles = Counter(table.unique(["plate", "well"], maintain_order=True)["role"].to_list())
    lost, plates = table["value"].null_count(), len(plate.plates)
    how = f" ({plate.metadata['read']})" if "read" in plate.metadata else ""
    parts = [
        f"{name}: read by {plate.reader}{how}",
        f"{roles.total()} wells of {plates} plate{'s' * (plates > 1)}",
        short(unit or "one reading" for unit in units),
        ", ".join(f"{count} {role or 'without a role'}" for role, count in roles.items()),
        f"{lost} readings without a number" if lost else "",
    ]
    return "; ".join(filter(None, parts))


def _of_instrument(path: Path) -> bool:
    """Whether a reader of an instrument's files knows the file; any workbook is looked into as a sheet
    first."""
    try:
        return readers.identify(path) not in ("tidy", "magellan")
    except InputError:
        return False


def _sheet(path: str | Path, sheet: str | None) -> Sheet:
    try:
        content = read_plain(path, MOST_BYTES)
    except OSError:
        # The reader of plates names what is wrong with the file itself.
        return Sheet((), (), "")
    try:
        return of_bytes(content, str(path), sheet)
    except InputError as error:
        if error.code == "GP-A158" and content.startswith(ZIP):
            return Sheet((), (), "")
        raise


def _curves(sheet: Sheet, source: str, names: Mapping[str, str]) -> tuple[Reading | None, InputError | None]:
    """A table of curves; else None, where the sheet is one of wells or of nothing that is known, and what is
    wrong with it as a table."""
    try:
        found = tidy_table.of_sheet(sheet, source)
    except InputError as error:
        return None, error
    given = tidy_table.renamed(found.frame, dict(names))
    small = {name.strip().lower() for name in given.columns}
    if {"well", "value"} <= small and not names:
        return None, None
    if names_wells(given.columns) and (_standards(given) or not any(map(_is_dose, given.columns))):
        return None, None  # what stands beside the wells, such as a time of reading, is of no curve
    read = canonical(given)
    if not dose_column(read.table.columns) or not (read.response or "log_ratio" in read.table.columns):
        return None, None
    line, response = _line(Path(source).name, found, given, read), read.response or "log_ratio"
    every = (*found.findings, *read.findings)
    return Reading(source, line, given, read.table, response, every, noted=found.findings), None


def _standards(given: pl.DataFrame) -> bool:
    """Whether a table of wells has standards, whose concentrations are no doses."""
    roles = [name for name in given.columns if name.strip().lower() == "role"]
    return any(given[name].cast(pl.String).str.to_lowercase().eq("standard").any() for name in roles)


def _is_dose(name: str) -> bool:
    return parsed(name).ours == "dose"


def _line(name: str, found: tidy_table.Table, given: pl.DataFrame, read: Canonical) -> str:
    """What a table was read as."""
    words = RESPONSES[read.response].words if read.response else "no response known by name"
    if not read.response and "log_ratio" in read.table.columns:
        words = "natural logarithm of the fraction remaining"
    dose = dose_column(read.table.columns)
    units = "nM" if dose == "dose_nm" else _units(read.table)
    parts = [
        f"{name}: {found.how}, {given.height} rows",
        words,
        f"doses in {units}" if dose else "no doses",
        _counts(_with_reading(read), dose) if dose else "",
        *read.changes,
        f"not used: {short(map(repr, read.unused))}" if read.unused else "",
        f"{len(found.above)} lines above the header not read" if found.above else "",
        f"other sheets not read: {short(found.others)}" if found.others else "",
    ]
    return "; ".join(filter(None, parts))


def _with_reading(read: Canonical) -> pl.DataFrame:
    """The rows of a table that hold a response."""
    if not read.response:
        return read.table
    return read.table.filter(pl.col(read.response).cast(pl.Float64, strict=False).is_not_null())


def _counts(table: pl.DataFrame, dose: str) -> str:
    """Curves, doses and controls of a table."""
    amount = pl.col(dose).cast(pl.Float64, strict=False)
    labelled = table["compound"].to_list() if "compound" in table.columns else [""] * table.height
    roles = table["role"].to_list() if "role" in table.columns else [""] * table.height
    vehicle = [bool(name) and is_vehicle(name) for name in labelled]
    named = [role_of(name) if role_of(name) in ("blank", "time0") else "" for name in labelled]
    known = [role_of(role) or name or "" for role, name in zip(roles, named, strict=True)]
    said = {"vehicle": pl.Series(vehicle, dtype=pl.Boolean), "known": pl.Series(known, dtype=pl.String)}
    rows = table.with_columns(amount=amount.fill_null(0.0), **said)
    other = pl.col("known").is_in(["time0", "blank", "unused"])
    control = ~other & ((pl.col("known") == "control") | pl.col("vehicle") | (pl.col("amount") == 0.0))
    treated = rows.filter(~other & ~control)
    keys = [name for name in IDENTITY if name in table.columns]
    curves = treated.select(keys).n_unique() if keys else 1
    doses = treated[dose].n_unique()
    counts = [f"{curves} curve{'s' * (curves != 1)} of {doses} doses"]
    counts.append(f"{rows.filter(control).height} control wells")
    counts += [f"{count} {role}" for role, count in rows.filter(other)["known"].value_counts().rows()]
    return ", ".join(counts)


def _units(table: pl.DataFrame) -> str:
    if "dose_unit" not in table.columns:
        return "no unit"
    return " and ".join(map(str, table["dose_unit"].drop_nulls().unique(maintain_order=True))) or "no unit"
