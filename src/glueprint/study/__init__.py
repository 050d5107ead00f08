"""A study: from published evidence to virtual trials, compared with what was published, in one folder."""

from __future__ import annotations

from glueprint.study import course, glue
from glueprint.study.comparison import headlines, reference_of
from glueprint.study.definition import Study, available, load
from glueprint.study.pipeline import run
from glueprint.study.result import StudyResult, add_file, is_signed

__all__ = [
    "Study",
    "StudyResult",
    "add_file",
    "available",
    "course",
    "glue",
    "headlines",
    "is_signed",
    "load",
    "reference_of",
    "run",
]
