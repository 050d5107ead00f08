"""Standards and what else the layout says, brought to one unit and checked before anything is fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from glueprint import units
from glueprint.assays.elisa.shapes import Floats
from glueprint.assays.findings import Finding
from glueprint.assays.quality import exclusions
from glueprint.errors import InputError

__all__ = ["Standards", "collect", "prepared", "replicates"]

# Roles whose concentration is that of the analyte; of a compound it is another thing with another unit.
ANALYTE = ("standard", "control")


@dataclass(frozen=True)
class Standards:
    """The standards of one plate: `table` with all wells, and concentrations and signals of those that are
    used."""

    table: pl.DataFrame
    concentration: Floats
    signal: Floats


def prepared(rows: pl.DataFrame) -> tuple[pl.DataFrame, str, list[Finding]]:
    """The rows with concentrations of standards and controls in one unit, that unit, and findings.

    Raises InputError GP-A084 without standards, GP-A085 for a concentration, unit or dilution that cannot be.
    """
    known = rows.filter(pl.col("role") == "standard")
    if known.is_empty():
        raise InputError(
            "GP-A084",
            "no well is a standard",
            where="role",
            expected='wells of role "standard" with their concentrations',
            next_step="give a layout that names the standards (`glueprint assay layout --template`)",
        )
    _refuse(known, pl.col("concentration").is_null() | ~pl.col("concentration").is_between(0.0, 1e300),
            "concentration", "a standard needs a concentration of zero or more")  # fmt: skip
    _refuse(rows, ~(pl.col("dilution") > 0.0) | pl.col("dilution").is_infinite(),
            "dilution", "a dilution factor above 0, such as 100 for 1:100")  # fmt: skip
    rows, unit, findings = _one_unit(rows)
    below = rows.filter(
        (pl.col("dilution") < 1.0) & ~pl.col("role").is_in(["standard", "blank", "empty", ""])
    )
    if below.height:
        least = float(below["dilution"].to_numpy().min())
        findings.append(
            Finding(
                "GP-A092", "warning",
                f"{below.height} wells with a dilution below 1, such as {least:g}: "
                "taken as concentrated samples",
                f"well {below['well'][0]}", "a dilution factor of 1 or more: 2 for 1:2",
                "write 2 for a sample diluted to one half; keep 0.5 only for one concentrated twofold",
            )
        )  # fmt: skip
    return rows, unit, findings


def _refuse(rows: pl.DataFrame, bad: pl.Expr, column: str, expected: str) -> None:
    found = rows.filter(bad.fill_null(True))
    if found.height:
        raise InputError(
            "GP-A085",
            f"{found[column][0]}",
            where=f'plate "{found["plate"][0]}" well {found["well"][0]}, column "{column}"',
            expected=expected,
            next_step="correct the layout",
        )


def _one_unit(rows: pl.DataFrame) -> tuple[pl.DataFrame, str, list[Finding]]:
    analyte = rows.filter(pl.col("role").is_in(ANALYTE))
    named = [unit for unit in analyte["concentration_unit"].unique(maintain_order=True) if unit]
    unit = rows.filter(pl.col("role") == "standard")["concentration_unit"].to_list()[0] or (named or [""])[0]
    others = [name for name in named if name != unit]
    if not others:
        return rows, unit, []
    factors = {name: _factor(name, unit, analyte) for name in others}
    factor = pl.lit(1.0)
    for name, value in factors.items():
        mixed = pl.col("role").is_in(ANALYTE) & (pl.col("concentration_unit") == name)
        factor = pl.when(mixed).then(value).otherwise(factor)
    columns = ("concentration", "expected_low", "expected_high")
    rows = rows.with_columns(*(pl.col(name) * factor for name in columns)).with_columns(
        concentration_unit=pl.when(pl.col("role").is_in(ANALYTE))
        .then(pl.lit(unit))
        .otherwise(pl.col("concentration_unit"))
    )
    finding = Finding(
        "GP-A087", "warning",
        f"units mixed in one column: {', '.join([unit, *others])}; all converted to {unit}",
        "concentration_unit", "one unit for standards and controls", "check that each unit is what was meant",
    )  # fmt: skip
    return rows, unit, [finding]


def _factor(unit: str, to: str, rows: pl.DataFrame) -> float:
    try:
        return units.convert(1.0, unit, to)
    except InputError as error:
        well = rows.filter(pl.col("concentration_unit") == unit)["well"][0]
        raise InputError(
            "GP-A085",
            f'cannot convert "{unit}" to "{to}"',
            where=f'well {well}, column "concentration_unit"',
            expected="units of one dimension, such as ng/mL and pg/mL",
            next_step="correct the layout",
        ) from error


def collect(rows: pl.DataFrame, plate: str) -> tuple[Standards, list[Finding]]:
    """The standards of one plate, and a finding for every level that lost all its wells."""
    table = rows.filter(pl.col("role") == "standard")
    used = table.filter(pl.col("signal").is_not_null())
    # A level that somebody left out is no loss.
    wanted = table.filter(pl.col(exclusions.COLUMN) == "")
    lost = sorted(set(wanted["concentration"]) - set(used["concentration"]))
    findings = []
    if lost:
        named = ", ".join(f"{level:g}" for level in lost)
        findings.append(
            Finding(
                "GP-A095", "warning",
                f"no well of the standard {named} has a reading; the curve is fitted without it",
                f'plate "{plate}"', "a reading in every standard", "repeat the plate if the level matters",
            )
        )  # fmt: skip
    return Standards(table, used["concentration"].to_numpy(), used["signal"].to_numpy()), findings


def replicates(rows: pl.DataFrame) -> tuple[Floats, Floats]:
    """Signals (n,) and group numbers (n,) of technical replicates: one sample at one dilution on one plate.

    Wells of donors are cultures of their own, so their scatter is biology and stays out.
    """
    wells = rows.filter(
        pl.col("role").is_in(["sample", "control"])
        & (pl.col("donor") == "")
        & (pl.col("sample") != "")
        & pl.col("signal").is_not_null()
    )
    group = wells.select(
        pl.struct("role", "sample", "group", "concentration", "dilution").rank("dense")
    ).to_series()
    return wells["signal"].to_numpy(), group.to_numpy().astype(np.float64)
