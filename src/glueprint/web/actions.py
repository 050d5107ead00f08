"""What can be done on a page, on the command line and in Python: one list of the three."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ACTIONS", "Action"]


@dataclass(frozen=True)
class Action:
    """One action. address: of its page, as in the routes.   command: words after `glueprint`.
    python: name of the function, after a colon."""

    words: str
    address: str
    command: tuple[str, ...]
    python: str


ACTIONS = (
    Action("begin a project", "/projects", ("glue", "new"), "glueprint.study.glue:new"),
    Action("look at a project", "/p/{project}", ("glue", "status"), "glueprint.study.glue:status"),
    Action("run a project", "/p/{project}/run", ("glue", "run"), "glueprint.study.glue:run"),
    Action(
        "read a plate", "/p/{project}/plates/{assay}", ("assay", "plate"), "glueprint.assays.readers.read"
    ),
    Action(
        "lay out a plate",
        "/p/{project}/plates/{assay}/layout",
        ("assay", "layout"),
        "glueprint.assays.layout:read",
    ),
    Action(
        "analyse growth",
        "/p/{project}/plates/{assay}",
        ("assay", "growth"),
        "glueprint.assays.growth:analyse",
    ),
    Action(
        "analyse binding",
        "/p/{project}/plates/{assay}",
        ("assay", "binding"),
        "glueprint.assays.polarization:analyse",
    ),
    Action(
        "analyse an ELISA",
        "/p/{project}/plates/{assay}",
        ("assay", "elisa"),
        "glueprint.assays.elisa:analyse",
    ),
    Action(
        "analyse degradation",
        "/p/{project}/plates/{assay}",
        ("assay", "degradation"),
        "glueprint.assays.degradation:analyse",
    ),
    Action("follow a patient", "/mechanism", ("model", "course"), "glueprint.study.course:follow"),
    Action("search the evidence", "/evidence", ("evidence", "list"), "glueprint.evidence:load"),
    Action("look at a claim", "/evidence/{claim}", ("evidence", "show"), "glueprint.evidence:load"),
)
