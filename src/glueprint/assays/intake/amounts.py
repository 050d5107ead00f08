"""Doses of a table as amounts with their unit: from logarithms, from cells such as "10 nM", from words for no
compound."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from glueprint import units
from glueprint.assays.findings import Finding
from glueprint.assays.intake import meaning
from glueprint.assays.intake.headers import CONCENTRATIONS, Heading, dose_column, unit_of
from glueprint.assays.intake.labels import is_vehicle
from glueprint.errors import InputError

__all__ = ["dosed", "findings", "of_logarithm", "one_column", "usual"]

AMOUNT = re.compile(r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([^\d\s].*)")
# Larger logarithms of amounts than a number can hold.
MOST_EXPONENT = 300.0
# A concentration that is not the one in the well: before it was diluted, or rooted, inverted, multiplied.
ANOTHER = re.compile(
    r"\bstock|\bsource|\bintermediate|\bmother|\bpre-?dilut|sqrt|√|\broot\b|recipro|inverse|^1\s*/|\^\s*[\d.]"
    r"|(?<![\w.])\d+(?:\.\d+)?\s*[x×](?![a-z])|(?<!\w)x\s+\d|\(x\s*\d|[×*]\s*\d|M\s*/\s*\d",
    re.IGNORECASE,
)
# Columns of doses that say the same differ by rounding only.
SAME_DOSE = 0.02


def one_column(names: Sequence[str], headings: Mapping[str, Heading], table: pl.DataFrame) -> str:
    """Of several columns of doses the one to read: of the wells and not of the stock, an amount and not its
    logarithm.

    Raises InputError GP-A206 where two say different things and neither is called final, and for one of
    another solution than the well's.
    """
    linear = [name for name in names if not headings[name].base] or list(names)
    final = [name for name in linear if "final" in name.lower()]
    chosen = (final or linear)[0]
    if ANOTHER.search(chosen) and "final" not in chosen.lower():
        raise InputError(
            "GP-A206",
            f'"{chosen}" is not the concentration in the well',
            where=f'column "{chosen}"',
            expected="a column of the final concentration, without a factor, a root or an inverse",
            next_step="convert it; where it is the final one, say so: --column dose=YOURS and --dose-unit",
        )
    told = [
        name for name in linear if headings[name].unit or headings[name].words.startswith(("dose", "conc"))
    ]
    for other in told if chosen in told and not final else ():
        if not _same(table, (chosen, headings[chosen].unit), (other, headings[other].unit)):
            raise InputError(
                "GP-A206",
                f'two columns of doses that disagree: "{chosen}" and "{other}"',
                where="columns " + ", ".join(names),
                expected="one column of the concentration in the well",
                next_step=f"--column dose={chosen} (with --dose-unit) reads one; or call one of them final",
            )
    return chosen


def _same(table: pl.DataFrame, one: tuple[str, str], other: tuple[str, str]) -> bool:
    values = []
    for name, unit in (one, other):
        factor = 1.0
        if one[1] and other[1] and unit != one[1]:
            try:
                factor = units.convert(1.0, unit, one[1])
            except InputError:
                return False
        values.append(factor * table[name].cast(pl.Float64, strict=False).fill_null(0.0).to_numpy())
    return bool(np.allclose(values[0], values[1], rtol=SAME_DOSE, atol=0.0))


def dosed(found: pl.DataFrame, headings: Mapping[str, Heading], changes: list[str]) -> pl.DataFrame:
    """The table with its doses as amounts, and their unit in dose_unit.

    headings: of the columns as the file calls them.   changes: what was done, added to.
    Raises InputError GP-A205 for logarithms of another base than the header says, GP-A206 for two units at
    once.
    """
    column = dose_column(found.columns)
    if "dose_unit" in found.columns:
        spelled = [usual(str(unit)) if unit else unit for unit in found["dose_unit"].to_list()]
        found = found.with_columns(dose_unit=pl.Series(spelled, dtype=pl.String))
    if not column:
        return found
    theirs, heading = _heading(found, headings)
    if found[column].dtype == pl.String:
        found = _from_cells(found, column, heading.base)
    if heading.base and column == "dose":
        written = found["dose"].cast(pl.Float64, strict=False).to_list()
        meaning.refused(meaning.base(theirs, [v for v in written if v is not None], heading.base))
        amounts = [None if v is None else _amount(v, heading.base) for v in written]
        found = found.with_columns(pl.Series("dose", amounts, dtype=pl.Float64))
        sign, base = ("minus ", 1.0 / heading.base) if heading.base < 1.0 else ("", heading.base)
        changes.append(f"doses from {sign}logarithms to the base {base:.3g}")
    if heading.unit and column == "dose":
        _one_unit(found, heading.unit)
        found = found.with_columns(dose_unit=pl.lit(heading.unit))
    return found


def _heading(found: pl.DataFrame, headings: Mapping[str, Heading]) -> tuple[str, Heading]:
    """What the file calls the column of doses that was renamed."""
    for name, heading in headings.items():
        if heading.ours in ("dose", "dose_nm") and name not in found.columns:
            return name, heading
    return "dose", Heading("", "")


def _amount(written: float, base: float) -> float | None:
    """The amount of a logarithm; that of nothing is minus infinity (infinity for minus logarithms)."""
    if math.isinf(written):
        return 0.0 if (written < 0.0) == (base > 1.0) else None
    return base**written if abs(written) < MOST_EXPONENT else None


def _one_unit(found: pl.DataFrame, unit: str) -> None:
    stated = found["dose_unit"].drop_nulls().unique() if "dose_unit" in found.columns else pl.Series([unit])
    other = next((one for one in stated if one.strip() and usual(one) != usual(unit)), "")
    if other:
        raise InputError(
            "GP-A206",
            f"doses in {unit} by the header and in {other} by their cells or the column dose_unit",
            where='column "dose"',
            expected="one unit",
            next_step="correct one of the two",
        )


def of_logarithm(amount: float, base: float) -> float:
    """The amount of a logarithm to a base, of minus logarithms to its inverse.

    Raises InputError GP-A205 where no number holds it.
    """
    found = _amount(amount, base)
    if found is None:
        raise InputError(
            "GP-A205",
            f"{amount:g} is no logarithm that a number holds",
            expected="logarithms as the header says",
            next_step="correct the value, or the header",
        )
    return found


def usual(unit: str) -> str:
    """A unit of concentration as we write it, whatever its capitals and what stands in brackets behind it."""
    bare = re.sub(r"\s*\(.*\)$", "", unit.strip()).strip("[] ")
    known = unit_of(bare.replace("μ", "µ"))
    return known if known in CONCENTRATIONS.values() else unit.strip()


def _from_cells(found: pl.DataFrame, column: str, base: float) -> pl.DataFrame:
    """A column of text as amounts where its cells say "10 nM" or "DMSO"; other text stays, to be refused by
    name."""
    nothing = "0" if not base else "-inf" if base > 1.0 else "inf"
    units_said: list[str | None] = []
    values: list[str | None] = []
    for text in (str(text or "").strip() for text in found[column]):
        amount = AMOUNT.fullmatch(text)
        unit = usual(amount[2]) if amount else ""
        text = "" if text in ("-", "\u2013", "\u2014") else text
        if amount and unit in CONCENTRATIONS.values():
            values.append(amount[1])
            units_said.append(unit)
        else:
            word = any(map(str.isalpha, text)) and is_vehicle(text)
            values.append(nothing if word else text or None)
            units_said.append(None)
    found = found.with_columns(pl.Series(column, values, dtype=pl.String))
    if column == "dose_nm":
        _one_unit(found.with_columns(pl.Series("dose_unit", units_said, dtype=pl.String)), "nM")
    elif any(units_said):
        own = found["dose_unit"].to_list() if "dose_unit" in found.columns else [None] * found.height
        both = [unit or before for unit, before in zip(units_said, own, strict=True)]
        found = found.with_columns(pl.Series("dose_unit", both, dtype=pl.String))
    return found


def findings(found: pl.DataFrame, headings: Mapping[str, Heading], keys: Sequence[str]) -> list[Finding]:
    """What contradicts the doses as written, series by series.

    keys: columns of labels that tell series apart.
    """
    column = dose_column(found.columns)
    if not column:
        return []
    theirs, heading = _heading(found, headings)
    if "linear" in heading.words or heading.base:
        return []
    values = found.with_columns(dose=pl.col(column).cast(pl.Float64, strict=False)).filter(
        pl.col("dose").is_finite()
    )
    keys = [name for name in keys if name in found.columns]
    groups = [part for _, part in values.group_by(keys, maintain_order=True)] if keys else [values]
    for part in (values, *groups):
        problems = meaning.doses(theirs, part["dose"].to_list())
        if problems:
            return problems
    return []
