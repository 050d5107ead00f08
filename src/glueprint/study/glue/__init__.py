"""The project of one glue: from its plates to its predicted trial, in one folder."""

from __future__ import annotations

from glueprint.study.glue.pipeline import run
from glueprint.study.glue.project import Project, load
from glueprint.study.glue.result import GlueResult
from glueprint.study.glue.status import Status, status
from glueprint.study.glue.writing import new

__all__ = ["GlueResult", "Project", "Status", "load", "new", "run", "status"]
