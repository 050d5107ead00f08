"""The workbench: the line from the plate to the patient as pages in a browser, on one's own machine.

Pages are a skin over the functions that the command line and Python call (`actions`). Needs the extra
`glueprint[workbench]`.
"""

from __future__ import annotations

from glueprint.web.actions import ACTIONS, Action
from glueprint.web.app import ROUTES, application
from glueprint.web.context import Bench
from glueprint.web.guard import Session
from glueprint.web.jobs import Job, Jobs
from glueprint.web.serving import Choices, bench_of, serve
from glueprint.web.workspace import Entry, Limits, Workspace

__all__ = [
    "ACTIONS",
    "ROUTES",
    "Action",
    "Bench",
    "Choices",
    "Entry",
    "Job",
    "Jobs",
    "Limits",
    "Session",
    "Workspace",
    "application",
    "bench_of",
    "serve",
]
