"""Growth of cultures under a drug: viability, growth-rate inhibition, division of T cells."""

from __future__ import annotations

from glueprint.assays.growth.analysis import analyse
from glueprint.assays.growth.plates import cultures_table, read
from glueprint.assays.growth.rates import (
    area_over_curve,
    divided_percent,
    division_index,
    gr_value,
    proliferation_index,
)
from glueprint.assays.growth.reading import checked
from glueprint.assays.growth.result import Named, Result
from glueprint.assays.growth.settings import Settings

__all__ = [
    "Named",
    "Result",
    "Settings",
    "analyse",
    "area_over_curve",
    "checked",
    "cultures_table",
    "divided_percent",
    "division_index",
    "gr_value",
    "proliferation_index",
    "read",
]
