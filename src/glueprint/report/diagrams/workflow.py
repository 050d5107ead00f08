"""Work flows of assays as data: steps in order, what each shows, and the controls of a plate."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field

from glueprint import documents
from glueprint.documents import Document
from glueprint.report.diagrams.layout import CODES
from glueprint.report.diagrams.pictures import Picture

__all__ = ["Control", "Step", "Workflow", "read", "workflow_names"]

Line = Annotated[str, Field(max_length=32)]


class Step(Document):
    """One card: a picture, a title, one or two short lines, and our command where Glueprint does it."""

    picture: Picture
    title: Annotated[str, Field(max_length=26)]
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=2)]
    command: str = ""
    place: Literal["bench", "glueprint"] = "bench"


class Control(Document):
    """A control and what it says."""

    title: str
    says: str


class Workflow(Document):
    """A work flow, read in rows of `columns` cards."""

    kind: Literal["workflow"]
    version: Literal[1]
    name: str
    title: str
    caption: str
    columns: Annotated[int, Field(ge=2, le=5)]
    step: Annotated[tuple[Step, ...], Field(min_length=2)]
    control: tuple[Control, ...] = ()


DATA = files("glueprint.report.diagrams") / "data" / "workflows"


def workflow_names() -> tuple[str, ...]:
    """The work flows that can be drawn."""
    return tuple(sorted(one.name.removesuffix(".toml") for one in DATA.iterdir()))


@cache
def read(name: str) -> Workflow:
    """A work flow by name, one of `workflow_names()`.

    Raises InputError GP-P020 and GP-P021 for a file that cannot be used.
    """
    where = f"workflows/{name}.toml"
    tables = documents.read(DATA / f"{name}.toml", CODES)
    return documents.validate(Workflow, tables, CODES, where=where)
