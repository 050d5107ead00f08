"""A study: from published evidence to virtual trials, compared with what was published, in one folder."""

from __future__ import annotations

from glueprint.study.definition import Study, available, load
from glueprint.study.pipeline import StudyResult, run

__all__ = ["Study", "StudyResult", "available", "load", "run"]
