"""Wells of a plate reader to the table of cultures: roles, labels and doses from the layout, blanks
subtracted plate by plate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from glueprint.assays.contract import Observations
from glueprint.assays.findings import Finding
from glueprint.assays.intake import door
from glueprint.assays.plate import channel as channel_of
from glueprint.assays.quality import exclusions, inspection
from glueprint.assays.readers.text import short
from glueprint.errors import InputError, nearest

__all__ = ["ASSAY", "ROLES", "cultures_table", "read"]

# What a layout calls the wells, and what a table of cultures calls them; a compound of dose 0 is a control.
ROLES: Mapping[str, str] = {"vehicle": "control", "negative": "control", "compound": "", "time0": "time0"}
BLANK, EMPTY, TREATED = "blank", "empty", "compound"
# Numbers of the layout's table [assay], for wells that say none of their own.
ASSAY = ("time_h", "doubling_time_h")
LINES = ("line", "cell_line", "donor")


def cultures_table(
    wells: pl.DataFrame,
    assay: Mapping[str, float] | None = None,
    *,
    channel: str | None = None,
    exclude: Sequence[str] = (),
) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    """One row a well of cells as `growth.analyse` takes them, and what was noticed.

    wells: as `assays.layout.apply` gives them, roles vehicle, compound, time0 and blank; line (or cell_line,
    else the donor), time_h and doubling_time_h as own fields.   assay: time_h and doubling_time_h of all
    wells.   channel: None takes the only one.   exclude: wells to leave out, each "A1,A2=reason".
    The mean blank of a plate is subtracted on it; a plate without blanks takes the mean of all.
    Raises InputError GP-A020 (channel), GP-A193 (nothing treated, no dose, a number that is none).
    """
    every, said = exclusions.marked(channel_of(wells, channel), exclude)
    used = every.filter(pl.col("role").is_in(list(ROLES)))
    _refuse_untreated(used)
    light, findings = _net(every, used)
    said_of_plates = inspection.of_plates(every.filter(pl.col(exclusions.COLUMN) == ""))[1]
    # Of a ceiling the table of cultures is asked again, as every table is.
    findings += [one for one in said_of_plates if one.code != "GP-A250"]
    treated = used.filter(pl.col("role") == TREATED)["sample"].unique().to_list()
    table = used.select(
        _line(used).alias("line"),
        # A vehicle is called DMSO or after nothing: it belongs to every compound but where named as one.
        pl.when(pl.col("sample").is_in(treated)).then("sample").otherwise(pl.lit("")).alias("compound"),
        "experiment",
        pl.col("role").replace(ROLES).alias("role"),
        pl.col("concentration").alias("dose"),
        pl.col("concentration_unit").alias("dose_unit"),
        light.alias("signal"),
        *(_hours(used, name, assay or {}) for name in ASSAY),
        "plate",
        "well",
        exclusions.COLUMN,
    )
    return table, (*said, *findings, *_left_out(every))


def read(
    path: str | Path,
    *,
    layout: str | Path | None = None,
    reader: str | None = None,
    sheet: str | None = None,
    names: Mapping[str, str] | None = None,
    time0: str | Path | None = None,
    time0_layout: str | Path | None = None,
) -> Observations:
    """Cultures from a plate reader's file or a table, one row a well, as `analyse` takes them.

    layout, reader, sheet: as `intake.door.read` takes them.   names: columns of a table under our names,
    {ours: theirs}.   time0, time0_layout: plate of time zero where it is another file, and its layout.
    Raises InputError GP-A158 for names beside a plate's options, and what the readers raise.
    """
    if names and (layout or reader):
        raise InputError(
            "GP-A158",
            "--column is for tables, and --layout and --reader are for plates",
            where="--column",
            expected="one of both kinds",
            next_step="say in the layout what is in the wells of a plate",
        )
    if names:
        return door.table(path, names, sheet)
    found = door.read(path, reader=reader, layout=layout, sheet=sheet)
    if time0 is not None:
        found = door.with_time_zero(found, time0, time0_layout)
    return found.observations


def _refuse_untreated(used: pl.DataFrame) -> None:
    treated = used.filter(pl.col("role") == TREATED)
    if treated.is_empty():
        raise InputError(
            "GP-A193",
            "no well with the role compound",
            where="layout",
            expected="wells of the roles compound and vehicle, and time0 and blank where measured",
            next_step="say what is in the wells: `glueprint assay layout --template growth`",
        )
    bare = treated.filter(pl.col("concentration").is_null())
    if bare.height:
        raise InputError(
            "GP-A193",
            f"{bare.height} wells of role compound without a concentration: {short(bare['well'])}",
            where=f'plate "{bare["plate"][0]}"',
            expected="a dose for every treated well; 0 is a control",
            next_step="say it in the layout, or give the wells the role empty",
        )


def _net(every: pl.DataFrame, used: pl.DataFrame) -> tuple[pl.Series, list[Finding]]:
    """The signal of the used wells above the blank of their plate."""
    lit = (pl.col("role") == BLANK) & pl.col("value").is_not_null() & (pl.col(exclusions.COLUMN) == "")
    blanks = every.filter(lit)
    own = {str(plate): value for plate, value in blanks.group_by("plate").agg(pl.col("value").mean()).rows()}
    plates = used["plate"].unique(maintain_order=True).to_list()
    without = [plate for plate in plates if plate not in own] if own else []
    mean = sum(blanks["value"].to_list()) / max(blanks.height, 1)
    below = used["plate"].replace_strict(own, default=mean, return_dtype=pl.Float64)
    if not without:
        return used["value"] - below, []
    said = f"{len(without)} plates without blanks are lowered by the mean blank of the others"
    return used["value"] - below, [Finding("GP-A194", "note", said, short(without), "blanks on every plate")]


def _line(used: pl.DataFrame) -> pl.Series:
    """The label of the line: the first of the fields that says anything."""
    for name in LINES:
        if name in used.columns and (used[name].fill_null("") != "").any():
            return used[name].fill_null("")
    return pl.Series([""] * used.height, dtype=pl.String)


def _hours(used: pl.DataFrame, name: str, assay: Mapping[str, float]) -> pl.Series:
    """A column of hours: the well's own, else the layout's; nothing at time zero."""
    unknown = [word for word in assay if word not in ASSAY]
    if unknown:
        raise InputError(
            "GP-A193",
            f'no setting "{unknown[0]}" of a growth assay{nearest(unknown[0], ASSAY)}',
            where="layout, [assay]",
            expected=f"one of {', '.join(ASSAY)}",
            next_step="correct the name, or leave it out",
        )
    text = used[name] if name in used.columns else pl.Series([None] * used.height, dtype=pl.String)
    own = text.replace("", None).cast(pl.Float64, strict=False)
    wrong = used.filter(own.is_null() & text.is_not_null() & (text != "") | (own <= 0.0))
    if wrong.height:
        raise InputError(
            "GP-A193",
            f'{name} "{wrong[name][0]}"',
            where=f'plate "{wrong["plate"][0]}", well {wrong["well"][0]}',
            expected="hours above zero",
            next_step="correct the field in the layout; wells read at the start have the role time0",
        )
    said = own.fill_null(assay[name]) if name in assay else own
    return said.zip_with(used["role"] != "time0", pl.Series([None], dtype=pl.Float64)).alias(name)


def _left_out(every: pl.DataFrame) -> list[Finding]:
    """Measured wells whose role is no part of the assay."""
    other = every.filter(~pl.col("role").is_in([*ROLES, BLANK, EMPTY]) & pl.col("value").is_not_null())
    if other.is_empty():
        return []
    counts = other.group_by("role", maintain_order=True).len().rows()
    said = ", ".join(f"{count} of {f'role {role}' if role else 'no role'}" for role, count in counts)
    return [
        Finding(
            "GP-A192",
            "note",
            f"wells that are no part of the assay are left out: {said}",
            "",
            f"roles {', '.join([*ROLES, BLANK])}",
            "untreated cells have the role vehicle",
        )
    ]
