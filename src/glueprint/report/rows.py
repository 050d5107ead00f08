"""What a row of the comparison is: a p value, a ratio, a potency; and its unit as people write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["MOLAR", "is_p_value", "is_ratio", "name_of", "with_units", "written"]

MOLAR = frozenset({"pM", "nM", "µM", "mM"})
RATIOS = frozenset({"1", "ratio", "hazard ratio", "dimensionless"})
P_VALUES = frozenset({"p", "p value", "p-value"})
WRITTEN = {"uM": "µM", "month": "months", "1e9/L": "10⁹/L", "day": "days", "hour": "hours"}


def is_p_value(row: Mapping[str, Any]) -> bool:
    """Whether the row is a p value: it has a number, but nothing to compare on an axis."""
    return str(row["column"] or "").strip().lower() in P_VALUES


def is_ratio(row: Mapping[str, Any]) -> bool:
    """Whether the row is a hazard ratio or another quotient without a unit."""
    return str(row["unit"] or "") in RATIOS and not is_p_value(row)


def written(unit: str | None) -> str:
    """A unit as people write it; nothing for a quotient."""
    return "" if unit in RATIOS else WRITTEN.get(unit or "", unit or "")


def name_of(row: Mapping[str, Any]) -> str:
    """Row and column as one name."""
    return ", ".join(str(text) for text in (row["row"], row["column"]) if text)


def with_units(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows, each without a unit ("not reached") with that of a row of the same name."""
    units = {row["row"]: row["unit"] for row in reversed(rows) if row["unit"]}
    return [{**row, "unit": row["unit"] or units.get(row["row"]) or ""} for row in rows]
