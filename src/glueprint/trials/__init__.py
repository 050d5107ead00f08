"""Virtual trials: a protocol file, virtual patients, visits under label rules, endpoints as a real trial
reports them."""

from __future__ import annotations

from glueprint.trials.draws import ParameterDraws
from glueprint.trials.loading import available, load_protocol, source, template, write_template
from glueprint.trials.protocol import Protocol
from glueprint.trials.result import TrialResult
from glueprint.trials.rules_document import DoseRules
from glueprint.trials.rules_loading import (
    available_rules,
    load_rules,
    rules_template,
    rules_text,
    write_rules_template,
)
from glueprint.trials.running import run

__all__ = [
    "DoseRules",
    "ParameterDraws",
    "Protocol",
    "TrialResult",
    "available",
    "available_rules",
    "load_protocol",
    "load_rules",
    "rules_template",
    "rules_text",
    "run",
    "source",
    "template",
    "write_rules_template",
    "write_template",
]
