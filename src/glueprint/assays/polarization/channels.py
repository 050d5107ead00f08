"""From raw wells to one row a well: channels side by side, concentrations in nM, roles of this assay."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from glueprint import units
from glueprint.assays import wells as well_tables
from glueprint.assays.findings import Finding
from glueprint.assays.polarization.settings import Optics
from glueprint.assays.quality import exclusions
from glueprint.errors import InputError, nearest

__all__ = ["BLANK", "COMPETITOR", "FREE", "FREE_DYE", "TOP", "Pivoted", "listed", "pivot"]

BLANK, FREE, TOP, COMPETITOR, FREE_DYE = "blank", "tracer_only", "tracer_protein", "competitor", "free_dye"
# Other words for the same wells: solvent in place of a compound, and compound as cell assays call it.
SYNONYMS = {"vehicle": TOP, "compound": COMPETITOR}
KNOWN = (BLANK, FREE, TOP, COMPETITOR, FREE_DYE)
MOST_NAMED = 12
# No detector counts so far; beyond it a file is damaged, and squares would overflow.
MOST_LIGHT = 1e15


@dataclass(frozen=True)
class Pivoted:
    """One row a well: plate, well, role, sample, concentration_nm, parallel, perpendicular, stored_mp, note.

    `note` says why a well is left out, and is empty where it is used.   mp_only: no channels, only stored mP.
    """

    table: pl.DataFrame
    mp_only: bool
    findings: tuple[Finding, ...]


def listed(names: list[str]) -> str:
    """Names with commas; beyond a dozen, how many more there are."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def pivot(wells: pl.DataFrame, optics: Optics, exclude: tuple[str, ...]) -> Pivoted:
    """The wells of one or more plates with their channels side by side.

    wells: as `assays.layout.apply` gives it.   exclude: wells to leave out, each "A1,plate:A2=reason".
    Raises InputError GP-A060 (no such channels), GP-A061 (concentrations), GP-A240 (a well to leave out that
    is not there), and what `wells.check` raises.
    """
    tidy, said = exclusions.marked(well_tables.check(wells), exclude)
    names, mp_only = _channels(tidy, optics)
    content = ["plate", "well", "role", "sample", "concentration", "concentration_unit", exclusions.COLUMN]
    # A well is out if one of its channels is.
    tidy = tidy.with_columns(pl.col(exclusions.COLUMN).max().over("plate", "well"))
    table = tidy.select(content).unique(["plate", "well"], keep="first", maintain_order=True)
    table = table.with_columns(pl.col("role").replace(SYNONYMS))
    for column, channel in names.items():
        part = tidy.filter(pl.col("channel") == channel).select(
            "plate",
            "well",
            pl.when(pl.col("value").abs() < MOST_LIGHT).then("value").alias(column),
            pl.col("flag").alias(f"{column}_flag"),
        )
        table = table.join(part, on=["plate", "well"], how="left", maintain_order="left")
    for column in {"parallel", "perpendicular", "stored_mp"} - names.keys():
        table = table.with_columns(pl.lit(None, pl.Float64).alias(column), pl.lit("").alias(f"{column}_flag"))
    table = _in_nm(table)
    table = table.with_columns(note=_note(mp_only)).sort("plate", "well")
    findings = [*said, *_unused(table)]
    if mp_only:
        findings.append(_mp_only(optics))
    kept = ("plate", "well", "role", "sample", "concentration_nm", "parallel", "perpendicular", "stored_mp")
    return Pivoted(table.select(*kept, "note"), mp_only, tuple(findings))


def _channels(tidy: pl.DataFrame, optics: Optics) -> tuple[dict[str, str], bool]:
    """The file's channel for each column, found whatever the case; whether only mP are there."""
    have = {str(name).casefold(): str(name) for name in tidy["channel"].unique(maintain_order=True)}
    wanted = {
        "parallel": optics.parallel, "perpendicular": optics.perpendicular, "stored_mp": optics.polarization
    }  # fmt: skip
    found = {column: have[name.casefold()] for column, name in wanted.items() if name.casefold() in have}
    if {"parallel", "perpendicular"} <= found.keys():
        return found, False
    if "stored_mp" in found:
        return {"stored_mp": found["stored_mp"]}, True
    absent = next(wanted[column] for column in wanted if column not in found)
    raise InputError(
        "GP-A060",
        f'no channel "{absent}"{nearest(absent, have.values())}; found {listed(sorted(have.values()))}',
        where='wells, column "channel"',
        expected=f'"{optics.parallel}" and "{optics.perpendicular}", or "{optics.polarization}" alone',
        next_step="name the channels of your file in the settings (parallel, perpendicular, polarization)",
    )


def _in_nm(table: pl.DataFrame) -> pl.DataFrame:
    """Concentrations in nM; the unit of each is what its row says, and zero needs none."""
    found: list[float | None] = []
    for row in table.select("plate", "well", "role", "concentration", "concentration_unit").iter_rows():
        plate, well, role, value, unit = row
        place = f'plate "{plate}", well {well}' if plate else f"well {well}"
        if role not in (COMPETITOR, TOP):
            found.append(None)
        elif value is None:
            if role == COMPETITOR:
                raise _no_concentration("a competitor well without concentration", place)
            found.append(None)
        elif value < 0.0 or not value < float("inf"):
            raise _no_concentration(f"a concentration of {value:g}", place)
        elif value > 0.0 and not unit:
            raise _no_concentration(f"a concentration of {value:g} without unit", place)
        else:
            found.append(_converted(value, unit, place) if value > 0.0 else 0.0)
    return table.with_columns(pl.Series("concentration_nm", found, pl.Float64))


def _converted(value: float, unit: str, place: str) -> float:
    try:
        return units.convert(value, unit, "nM")
    except InputError as error:
        raise _no_concentration(
            f'a concentration of {value:g} in "{unit}", which is not molar', place
        ) from error


def _no_concentration(what: str, place: str) -> InputError:
    return InputError(
        "GP-A061",
        what,
        where=f"{place}, concentration",
        expected="a number of zero or more with its unit, such as 30 and nM",
        next_step="complete the layout; units are never guessed",
    )


def _note(mp_only: bool) -> pl.Expr:
    """Why a well is left out: asked for, unknown role, a reader's flag or nothing measured; else ""."""
    columns = ["stored_mp"] if mp_only else ["parallel", "perpendicular"]
    flag = pl.lit("")
    for column in columns:
        flag = pl.when(pl.col(f"{column}_flag").fill_null("") != "").then(f"{column}_flag").otherwise(flag)
    unmeasured = pl.any_horizontal(pl.col(column).is_null() for column in columns)
    return (
        pl.when(pl.col("role") == "")
        .then(pl.lit("not in the layout"))
        .when(~pl.col("role").is_in(KNOWN))
        .then(pl.concat_str(pl.lit("role "), "role"))
        .when(pl.col(exclusions.COLUMN) != "")
        .then(pl.concat_str(pl.lit(f"{exclusions.FLAG}: "), exclusions.COLUMN))
        .when(flag != "")
        .then(pl.concat_str(pl.lit("reader: "), flag))
        .when(unmeasured)
        .then(pl.lit("not measured"))
        .otherwise(pl.lit(""))
    )


def _unused(table: pl.DataFrame) -> list[Finding]:
    """One finding for every reason why wells are left out."""
    # What is left out on request has a finding of its own.
    left = table.filter((pl.col("note") != "") & ~pl.col("note").str.starts_with(exclusions.FLAG))
    return [
        Finding(
            "GP-A078",
            "note" if str(note).startswith(("role ", "not in")) else "warning",
            f"{part.height} wells are not used: {note}",
            where=listed(part["well"].to_list()),
            next_step="nothing, if that is meant; else correct the layout",
        )
        for (note,), part in left.group_by(["note"], maintain_order=True)
    ]


def _mp_only(optics: Optics) -> Finding:
    return Finding(
        "GP-A070",
        "warning",
        "the file has mP and no channels: blanks, G factor and brightness ratio Q cannot be corrected",
        where=f'channel "{optics.polarization}"',
        expected=f'channels "{optics.parallel}" and "{optics.perpendicular}"',
        next_step="export the raw channels; a bound tracer of other brightness shifts Ki and Kd",
    )
