"""Virtual trials: a protocol file, virtual patients, visits under label rules, endpoints as a real trial
reports them."""

from __future__ import annotations

from glueprint.trials import cdisc, kept
from glueprint.trials.analysis.intervals import TAIL, existing, finite, order_statistics, prediction_intervals
from glueprint.trials.analysis.subgroups import subgroups_table
from glueprint.trials.conduct.doserules import ladder
from glueprint.trials.conduct.dosing import Course, DoseList, compile_regimens, doses_between
from glueprint.trials.conduct.intake import intakes, swallowed
from glueprint.trials.patients.draws import ParameterDraws, Truth
from glueprint.trials.patients.population import (
    MONTH_DAYS,
    Population,
    Stream,
    draw_population,
    model_parameters,
    scenarios,
)
from glueprint.trials.protocol import case_mix
from glueprint.trials.protocol.content import content_of
from glueprint.trials.protocol.document import Arm, Continuation, Drug, Protocol, Stratum
from glueprint.trials.protocol.domain import Outside, outside
from glueprint.trials.protocol.loading import available, load_protocol, source, template, write_template
from glueprint.trials.protocol.rules_document import DoseRules
from glueprint.trials.protocol.rules_loading import (
    available_rules,
    load_rules,
    rules_in_force,
    rules_template,
    rules_text,
    write_rules_template,
)
from glueprint.trials.protocol.schedule import parse_days
from glueprint.trials.protocol.substitution import alone, glue_of, with_glue
from glueprint.trials.protocol.variants import Variant, arm_of, grid
from glueprint.trials.result import CALIBRATED, EXTRAPOLATED, MOST_PROBABLE, PREDICTED, TrialResult
from glueprint.trials.running import TABLES, Unit, check_size, keep_unit, read_units, run, run_unit, units_of
from glueprint.trials.sweep import SWEPT, Sweep, SweepSettings, sweep

__all__ = [
    "CALIBRATED",
    "EXTRAPOLATED",
    "MONTH_DAYS",
    "MOST_PROBABLE",
    "PREDICTED",
    "SWEPT",
    "TABLES",
    "TAIL",
    "Arm",
    "Continuation",
    "Course",
    "DoseList",
    "DoseRules",
    "Drug",
    "Outside",
    "ParameterDraws",
    "Population",
    "Protocol",
    "Stratum",
    "Stream",
    "Sweep",
    "SweepSettings",
    "TrialResult",
    "Truth",
    "Unit",
    "Variant",
    "alone",
    "arm_of",
    "available",
    "available_rules",
    "case_mix",
    "cdisc",
    "check_size",
    "compile_regimens",
    "content_of",
    "doses_between",
    "draw_population",
    "existing",
    "finite",
    "glue_of",
    "grid",
    "intakes",
    "keep_unit",
    "kept",
    "ladder",
    "load_protocol",
    "load_rules",
    "model_parameters",
    "order_statistics",
    "outside",
    "parse_days",
    "prediction_intervals",
    "read_units",
    "rules_in_force",
    "rules_template",
    "rules_text",
    "run",
    "run_unit",
    "scenarios",
    "source",
    "subgroups_table",
    "swallowed",
    "sweep",
    "template",
    "units_of",
    "with_glue",
    "write_rules_template",
    "write_template",
]
