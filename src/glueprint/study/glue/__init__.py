"""The project of one glue: from its plates to its predicted trial, in one folder."""

from __future__ import annotations

from glueprint.study.glue.analysing import Analysed, analyse
from glueprint.study.glue.exporting import export, table, table_names
from glueprint.study.glue.pipeline import run
from glueprint.study.glue.project import Assay, Project, load, read_pk
from glueprint.study.glue.result import GlueResult
from glueprint.study.glue.status import Status, status
from glueprint.study.glue.writing import new

__all__ = [
    "Analysed",
    "Assay",
    "GlueResult",
    "Project",
    "Status",
    "analyse",
    "export",
    "load",
    "new",
    "read_pk",
    "run",
    "status",
    "table",
    "table_names",
]
