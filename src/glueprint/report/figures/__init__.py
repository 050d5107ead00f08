"""Figures: each function turns a plain table into one Altair description for screen and print."""

from glueprint.report.figures.dots import adverse_events, comparison_dots, forest
from glueprint.report.figures.drawing import save, svg
from glueprint.report.figures.kaplan_meier import at_risk, kaplan_meier
from glueprint.report.figures.plate_map import plate_map
from glueprint.report.figures.profile import profile
from glueprint.report.figures.theme import arm_colours
from glueprint.report.figures.waterfall import waterfall

__all__ = [
    "adverse_events",
    "arm_colours",
    "at_risk",
    "comparison_dots",
    "forest",
    "kaplan_meier",
    "plate_map",
    "profile",
    "save",
    "svg",
    "waterfall",
]
