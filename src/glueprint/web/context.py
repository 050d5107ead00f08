"""What the pages share for one server: the projects, the queue and the session."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from glueprint.web.guard import Session
from glueprint.web.jobs import Jobs
from glueprint.web.workspace import Workspace

__all__ = ["Bench", "of"]


@dataclass(frozen=True)
class Bench:
    """One workbench: where its projects are, what works, who may look."""

    workspace: Workspace
    jobs: Jobs
    session: Session


def of(request: Request) -> Bench:
    """The workbench that a request is for."""
    bench: Bench = request.app.state.bench
    return bench
