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
    Action(
        "take all tables of a project",
        "/p/{project}/tables.{ending}",
        ("glue", "tables"),
        "glueprint.study.glue:export",
    ),
    Action("run a project", "/p/{project}/run", ("glue", "run"), "glueprint.study.glue:run"),
    Action(
        "read a plate", "/p/{project}/plates/{assay}", ("assay", "plate"), "glueprint.assays.readers.read"
    ),
    Action(
        "choose the sheet and the dose unit of a file",
        "/p/{project}/plates/{assay}/reading",
        ("assay", "read"),
        "glueprint.assays.intake.door:read",
    ),
    Action(
        "lay out a plate",
        "/p/{project}/plates/{assay}/layout",
        ("assay", "layout"),
        "glueprint.assays.layout:read",
    ),
    Action(
        "save a layout",
        "/p/{project}/plates/{assay}/layout.{ending}",
        ("assay", "layout"),
        "glueprint.assays.layout:workbook",
    ),
    Action(
        "load a layout",
        "/p/{project}/plates/{assay}/layout/file",
        ("assay", "layout"),
        "glueprint.assays.layout:text",
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
    Action(
        "analyse a blot",
        "/p/{project}/plates/{assay}",
        ("assay", "blot"),
        "glueprint.assays.blot:analyse",
    ),
    Action(
        "move lanes and boxes",
        "/p/{project}/plates/{assay}/boxes",
        ("assay", "blot"),
        "glueprint.assays.blot.boxes:from_tables",
    ),
    Action(
        "look at a compound",
        "/p/{project}/compound",
        ("compound", "numbers"),
        "glueprint.mechanism.compounds:load",
    ),
    Action("compare compounds", "/compounds", ("compound", "compare"), "glueprint.chemistry.pairs:compare"),
    Action("begin a trial", "/p/{project}/trials", ("trial", "template"), "glueprint.trials:write_template"),
    Action(
        "design a trial", "/p/{project}/trials/{trial}", ("trial", "show"), "glueprint.trials:load_protocol"
    ),
    Action("run a trial", "/p/{project}/trials/{trial}/run", ("trial", "run"), "glueprint.trials:run"),
    Action(
        "compare doses and schedules",
        "/p/{project}/trials/{trial}/sweep",
        ("trial", "sweep"),
        "glueprint.trials:sweep",
    ),
    Action(
        "size a trial", "/p/{project}/trials/{trial}/power", ("trial", "power"), "glueprint.trials:operating"
    ),
    Action(
        "read a trial",
        "/p/{project}/trials/{trial}/result",
        ("trial", "analyse"),
        "glueprint.trials.kept:load",
    ),
    Action(
        "draw a trial",
        "/p/{project}/trials/{trial}/result/figures",
        ("trial", "figures"),
        "glueprint.report.trial_figures:draw",
    ),
    Action(
        "list patients of a trial",
        "/p/{project}/trials/{trial}/result/patients",
        ("trial", "tables"),
        "glueprint.trials.kept:load",
    ),
    Action(
        "hold a trial against what was observed",
        "/p/{project}/trials/{trial}/observed",
        ("trial", "compare"),
        "glueprint.calibration.prediction:compare",
    ),
    Action("follow a patient", "/mechanism", ("model", "course"), "glueprint.study.course:follow"),
    Action("search the evidence", "/evidence", ("evidence", "list"), "glueprint.evidence:load"),
    Action("look at a claim", "/evidence/{claim}", ("evidence", "show"), "glueprint.evidence:load"),
)
