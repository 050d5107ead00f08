"""Virtual trials: a protocol file, virtual patients, visits under label rules, endpoints as a real trial
reports them."""

from __future__ import annotations

from glueprint.trials.draws import ParameterDraws
from glueprint.trials.loading import available, load_protocol, source, template, write_template
from glueprint.trials.protocol import Protocol
from glueprint.trials.result import TrialResult
from glueprint.trials.running import run

__all__ = [
    "ParameterDraws",
    "Protocol",
    "TrialResult",
    "available",
    "load_protocol",
    "run",
    "source",
    "template",
    "write_template",
]
