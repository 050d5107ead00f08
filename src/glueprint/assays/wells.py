"""Wells: what was measured joined with what was in the well, in one table that every analysis takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

from glueprint.assays.contract import Observations
from glueprint.assays.findings import Finding
from glueprint.errors import InputError, nearest

__all__ = ["ALIKE", "CONTENT", "MEASURED", "ROLES", "SCHEMA", "Layout", "Wells", "check"]

# What a reader gives. The first three columns name a row: no two rows share them.
MEASURED = MappingProxyType(
    {
        "plate": pl.String,
        "well": pl.String,
        "channel": pl.String,
        "value": pl.Float64,
        "unit": pl.String,
        "flag": pl.String,
    }
)
# What a layout gives about a well. Text is "" and a number null where nothing is said; a dilution is then 1.
CONTENT = MappingProxyType(
    {
        "role": pl.String,
        "sample": pl.String,
        "concentration": pl.Float64,
        "concentration_unit": pl.String,
        "dilution": pl.Float64,
        "donor": pl.String,
        "experiment": pl.String,
        "group": pl.String,
        "expected_low": pl.Float64,
        "expected_high": pl.Float64,
    }
)
SCHEMA = MappingProxyType({**MEASURED, **CONTENT})
NEEDED = ("well", "value")
# Wells that agree in all of these hold the same.
ALIKE = tuple(name for name in CONTENT if not name.startswith("expected_"))

ROLES: Mapping[str, str] = MappingProxyType(
    {
        "blank": "buffer or medium alone: what the reader shows without anything to measure",
        "standard": "known concentration of the analyte, for the standard curve (0 is the zero standard)",
        "control": "a control sample, with the range in which its result should lie",
        "sample": "what is to be measured",
        "empty": "nothing in it",
        "competitor": "compound beside tracer and protein (binding), concentration of the compound",
        "tracer_only": "tracer without protein: free tracer",
        "tracer_protein": "tracer with protein, no compound; concentration is that of the protein",
        "protein_only": "protein without tracer",
        "free_dye": "free dye of known polarization, for the G factor",
        "vehicle": "cells with solvent alone",
        "compound": "cells or reaction with compound, concentration of the compound",
        "time0": "cells read when the compound was added: where growth begins",
        "stimulated": "stimulated cells with solvent: 0 % inhibition",
        "unstimulated": "cells without stimulus: 100 % inhibition",
        "positive": "control with full effect",
        "negative": "control with no effect",
    }
)


@dataclass(frozen=True)
class Layout:
    """What is in the wells: `table` has plate ("" is every plate), well, the columns of `CONTENT`, and others
    as text.

    source: the file it came from.   size: wells of the plate, None where the file does not say.   adds: what
    the
    plate's file says is kept where this says nothing.
    assay: numbers that hold for the whole plate, by name (protein_nm, g_factor, ...), for the analysis.
    """

    source: str
    table: pl.DataFrame
    findings: tuple[Finding, ...] = ()
    size: int | None = None
    adds: bool = False
    assay: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Wells(Observations):
    """Measured wells with their content: `table` has the columns of `SCHEMA`, then the file's and the
    layout's others; `assay` is the layout's."""


def check(table: pl.DataFrame, *, source: str = "wells") -> pl.DataFrame:
    """A table that somebody brings, with every column of `SCHEMA`: absent ones are added, empty text is "".

    table: at least the columns well and value, one row a well and channel. NaN is read as null; an infinite
    value becomes null with the flag "error: infinite".
    Raises InputError GP-A045 for a missing column, a column of the wrong type or a row twice.
    """
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        raise InputError(
            "GP-A045",
            f"no column {missing[0]}{nearest(missing[0], table.columns)}",
            where=source,
            expected=f"at least the columns {', '.join(NEEDED)}; found {', '.join(table.columns)}",
            next_step="rename or add the column; all columns are in docs/assays.md",
        )
    columns = []
    for name, kind in SCHEMA.items():
        column = pl.col(name) if name in table.columns else pl.lit(None)
        column = column.cast(kind).alias(name)
        if kind is pl.Float64:
            # What other table libraries write for nothing; to polars NaN is a number above all others.
            column = column.fill_nan(None)
        if kind is pl.String:
            column = column.fill_null("")
        elif name == "dilution":
            column = column.fill_null(1.0)
        columns.append(column)
    others = [name for name in table.columns if name not in SCHEMA]
    try:
        found = table.select(*columns, *others)
    except pl.exceptions.PolarsError as error:
        raise InputError(
            "GP-A045",
            f"a column has the wrong type: {str(error).splitlines()[0]}",
            where=source,
            expected="numbers in value, concentration, dilution, expected_low and expected_high, else text",
            next_step="convert the column before the call",
        ) from error
    found = found.with_columns(
        value=pl.when(pl.col("value").is_finite()).then("value"),
        flag=pl.when(pl.col("value").is_infinite() & (pl.col("flag") == ""))
        .then(pl.lit("error: infinite"))
        .otherwise("flag"),
    )
    twice = found.filter(pl.struct("plate", "well", "channel").is_duplicated())
    if twice.height:
        plate, well, channel = twice.row(0)[:3]
        raise InputError(
            "GP-A045",
            f'well {well} of plate "{plate}", channel "{channel}", stands in {twice.height} rows',
            where=source,
            expected="one row a plate, well and channel",
            next_step="give replicates their own wells, or plates their own names",
        )
    return found
