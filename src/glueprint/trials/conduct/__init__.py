"""What happens: visits, doses, disease, toxicity and follow-up, and what the laboratories measure."""

from __future__ import annotations

from glueprint.trials.conduct import response
from glueprint.trials.conduct.conducting import Conducted, conduct
from glueprint.trials.conduct.doserules import Action
from glueprint.trials.conduct.doses import Course, DoseList, doses_between
from glueprint.trials.conduct.intake import intakes, swallowed
from glueprint.trials.conduct.records import Assessments, VisitLog
from glueprint.trials.conduct.together import conduct_together
from glueprint.trials.conduct.visit import LABS
from glueprint.trials.conduct.ward import Ward

__all__ = [
    "LABS",
    "Action",
    "Assessments",
    "Conducted",
    "Course",
    "DoseList",
    "VisitLog",
    "Ward",
    "conduct",
    "conduct_together",
    "doses_between",
    "intakes",
    "response",
    "swallowed",
]
