"""What is written: arms, doses, rules, visits, case-mix and follow-up of a trial, and what a file may say."""

from __future__ import annotations

from glueprint.trials.protocol import case_mix, toxicity
from glueprint.trials.protocol.case_mix import CaseMix, Count, Levels, LogNormal, Normal
from glueprint.trials.protocol.content import content_of
from glueprint.trials.protocol.document import (
    Arm,
    Continuation,
    Drug,
    FollowUp,
    Measurement,
    Protocol,
    Stratum,
    SupportiveCare,
    Visits,
)
from glueprint.trials.protocol.domain import Outside, outside
from glueprint.trials.protocol.drugs import GLUE_TARGET
from glueprint.trials.protocol.ladder import ROUNDING, ladder, lower_dose
from glueprint.trials.protocol.loading import available, load_protocol, source, template, write_template
from glueprint.trials.protocol.regimens import NO_REGIMEN, Regimen, compile_regimens
from glueprint.trials.protocol.rules_document import DoseRules
from glueprint.trials.protocol.rules_loading import (
    NO_RULES,
    available_rules,
    load_rules,
    rules_in_force,
    rules_template,
    rules_text,
    write_rules_template,
)
from glueprint.trials.protocol.schedule import MONTH_DAYS, parse_days
from glueprint.trials.protocol.substitution import alone, glue_of, with_glue
from glueprint.trials.protocol.variants import Variant, apply, arm_of, compound_of, grid, lone
from glueprint.trials.protocol.visitplan import Calendar, actual_days, planned_visits

__all__ = [
    "GLUE_TARGET",
    "MONTH_DAYS",
    "NO_REGIMEN",
    "NO_RULES",
    "ROUNDING",
    "Arm",
    "Calendar",
    "CaseMix",
    "Continuation",
    "Count",
    "DoseRules",
    "Drug",
    "FollowUp",
    "Levels",
    "LogNormal",
    "Measurement",
    "Normal",
    "Outside",
    "Protocol",
    "Regimen",
    "Stratum",
    "SupportiveCare",
    "Variant",
    "Visits",
    "actual_days",
    "alone",
    "apply",
    "arm_of",
    "available",
    "available_rules",
    "case_mix",
    "compile_regimens",
    "compound_of",
    "content_of",
    "glue_of",
    "grid",
    "ladder",
    "load_protocol",
    "load_rules",
    "lone",
    "lower_dose",
    "outside",
    "parse_days",
    "planned_visits",
    "rules_in_force",
    "rules_template",
    "rules_text",
    "source",
    "template",
    "toxicity",
    "with_glue",
    "write_rules_template",
    "write_template",
]
