"""Qualification: whether this installation, on this machine, gives the answers that are known.

Installation (IQ), operation (OQ) and performance (PQ), each check with the requirement it shows to be met
(docs/validation/README.md), what was expected, what was found, and a report.
"""

from glueprint.qualification.contract import FAILED, PASSED, STAGES, Check, Outcome, Qualification
from glueprint.qualification.pages import write
from glueprint.qualification.running import CHECKS, qualify

__all__ = [
    "CHECKS",
    "FAILED",
    "PASSED",
    "STAGES",
    "Check",
    "Outcome",
    "Qualification",
    "qualify",
    "write",
]
