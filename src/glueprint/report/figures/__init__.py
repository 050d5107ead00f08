"""Figures: each function turns a plain table into one Altair description for screen and print."""

from glueprint.report.figures.dose_sweep import dose_sweep
from glueprint.report.figures.dose_timeline import dose_timeline
from glueprint.report.figures.dots import adverse_events, comparison_dots, forest
from glueprint.report.figures.drawing import save, svg
from glueprint.report.figures.exposure_response import exposure_response
from glueprint.report.figures.intervals import predicted_and_observed
from glueprint.report.figures.kaplan_meier import at_risk, kaplan_meier
from glueprint.report.figures.plate_map import plate_map
from glueprint.report.figures.power import power
from glueprint.report.figures.predictive import predictive_band
from glueprint.report.figures.prior_posterior import prior_posterior
from glueprint.report.figures.profile import profile
from glueprint.report.figures.spider import spider
from glueprint.report.figures.subgroup_forest import subgroup_forest
from glueprint.report.figures.swimmer import swimmer
from glueprint.report.figures.theme import arm_colours
from glueprint.report.figures.variants import variants
from glueprint.report.figures.vpc import vpc
from glueprint.report.figures.waterfall import waterfall

__all__ = [
    "adverse_events",
    "arm_colours",
    "at_risk",
    "comparison_dots",
    "dose_sweep",
    "dose_timeline",
    "exposure_response",
    "forest",
    "kaplan_meier",
    "plate_map",
    "power",
    "predicted_and_observed",
    "predictive_band",
    "prior_posterior",
    "profile",
    "save",
    "spider",
    "subgroup_forest",
    "svg",
    "swimmer",
    "variants",
    "vpc",
    "waterfall",
]
