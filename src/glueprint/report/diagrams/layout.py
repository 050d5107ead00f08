"""Hand-laid positions: what a part of a map looks like in its TOML file, and how parts make a map."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import Field

from glueprint import documents
from glueprint.documents import Codes, Document
from glueprint.errors import InputError, nearest

__all__ = [
    "CODES",
    "Area",
    "Group",
    "MapFile",
    "PartFile",
    "PartPlace",
    "Place",
    "Process",
    "map_names",
    "read",
]

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Toward = Literal["right", "left", "up", "down"]
Class = Literal[
    "macromolecule", "simple chemical", "complex", "nucleic acid feature", "unspecified entity", "phenotype"
]
SPOTS = ("source", "sink", "note_at")
TURNED: dict[str, Toward] = {"right": "left", "left": "right"}
CODES = Codes("GP-P020", "GP-P020", "GP-P021", "GP-P021", "see docs/diagrams.md")


class Place(Document):
    """Where a species stands. The id is the species' name; a further place of it is `name.2` and so on."""

    at: Point
    glyph: Class = "macromolecule"
    label: str = ""
    second: str = ""
    size: tuple[float, float] | None = None
    area: str = ""
    parts: tuple[str, ...] = ()
    state: str = ""
    info: str = ""
    colour: str = ""


class Process(Document):
    """Where a reaction stands, and the way points of its arcs, each list in the direction of the arc.

    toward: from what is consumed to what is made.   quiet: natural turnover, drawn fainter.
    source, sink: where a process that consumes or makes nothing has its empty set.
    """

    at: Point
    toward: Toward = "right"
    takes: dict[str, tuple[Point, ...]] = Field(default_factory=dict)
    makes: dict[str, tuple[Point, ...]] = Field(default_factory=dict)
    by: dict[str, tuple[Point, ...]] = Field(default_factory=dict)
    source: Point | None = None
    sink: Point | None = None
    quiet: bool = False
    note: str = ""
    note_at: Point | None = None


class Group(Document):
    """Places of which each acts alike: an arc from the frame stands for one arc from every member."""

    members: Annotated[tuple[str, ...], Field(min_length=2)]
    box: Box
    label: str = ""
    label_at: Point | None = None
    colour: str = ""


class Area(Document):
    """A compartment, for orientation; a plain one is only named."""

    box: Box
    label: str
    colour: str = ""
    plain: bool = False


class Repeat(Document):
    """A second copy of everything whose id begins with `of`, mirrored at x = `mirror`."""

    of: str
    to: str
    mirror: float
    words: dict[str, str] = Field(default_factory=dict)
    colour: str = ""


class PartFile(Document):
    """One part of a map: the medium, or one kind of cell."""

    kind: Literal["map-part"]
    version: Literal[1]
    area: dict[str, Area] = Field(default_factory=dict)
    place: dict[str, Place]
    process: dict[str, Process] = Field(default_factory=dict)
    group: dict[str, Group] = Field(default_factory=dict)
    repeat: tuple[Repeat, ...] = ()


class PartPlace(Document):
    """A part on a map. Its ids begin with its name, except those of the part `shared`."""

    part: str
    at: Point = (0.0, 0.0)


class ModelUse(Document):
    """A model that the map shows: its species and processes belong to the part of the name `part`."""

    part: str
    model: str
    form: Literal["reduced", "kinetic"] = "reduced"


class MapFile(Document):
    """One map: models, parts and where they stand, and the size of the sheet."""

    kind: Literal["map"]
    version: Literal[1]
    name: str
    title: str
    caption: str
    size: tuple[float, float]
    shared: str = "medium"
    models: Annotated[tuple[ModelUse, ...], Field(min_length=1)]
    parts: Annotated[tuple[PartPlace, ...], Field(min_length=1)]
    area: dict[str, Area] = Field(default_factory=dict)


def map_names() -> tuple[str, ...]:
    """The maps that can be drawn."""
    return tuple(sorted(one.name.removesuffix(".toml") for one in (DATA / "maps").iterdir()))


def read(name: str) -> tuple[MapFile, dict[str, PartFile]]:
    """A map's file and those of its parts, with repeated lanes written out.

    Raises InputError GP-P022 for an unknown name, GP-P020 and GP-P021 for a file that cannot be used.
    """
    if name not in map_names():
        raise InputError(
            "GP-P022",
            f'no diagram is called "{name}"{nearest(name, map_names())}',
            expected=f"one of {', '.join(map_names())}",
            next_step="see `glueprint diagram list`",
        )
    where = f"maps/{name}.toml"
    chart = documents.validate(MapFile, documents.read(DATA / where, CODES), CODES, where=where)
    return chart, {one.part: _part(one.part) for one in chart.parts}


DATA = files("glueprint.report.diagrams") / "data"


def _part(name: str) -> PartFile:
    where = f"parts/{name}.toml"
    return part_of(documents.read(DATA / where, CODES), where)


def part_of(data: dict[str, Any], where: str) -> PartFile:
    """A part from its tables. Raises InputError GP-P021 as `documents.validate`."""
    part = documents.validate(PartFile, data, CODES, where=where)
    for again in part.repeat:
        part = part.model_copy(update=_copies(part, again))
    return part


def _copies(part: PartFile, again: Repeat) -> dict[str, Any]:
    def x(point: Point) -> Point:
        return (2 * again.mirror - point[0], point[1])

    def word(text: str) -> str:
        for old, new in again.words.items():
            text = text.replace(old, new)
        return text

    def ways(arcs: dict[str, tuple[Point, ...]]) -> dict[str, tuple[Point, ...]]:
        return {name(key): tuple(x(point) for point in points) for key, points in arcs.items()}

    def name(key: str) -> str:
        return again.to + key.removeprefix(again.of) if key.startswith(again.of) else twin.get(key, key)

    def box(given: Box) -> Box:
        return (2 * again.mirror - given[0] - given[2], *given[1:])

    # A place of a shared species beside the lane has a twin of its own: "name.of" -> "name.to".
    twin = {key: key.removesuffix(again.of) + again.to for key in part.place if key.endswith(f".{again.of}")}
    mine = [key for key in part.place if key.startswith(again.of) or key in twin]
    places = {
        name(key): (old := part.place[key]).model_copy(
            update={
                "at": x(old.at),
                "label": word(old.label),
                "second": word(old.second),
                "parts": tuple(word(one) for one in reversed(old.parts)),
                "colour": again.colour if key.startswith(again.of) else old.colour,
            }
        )
        for key in mine
    }

    def moved(old: Process) -> Process:
        return old.model_copy(
            update={
                "at": x(old.at),
                "toward": TURNED.get(old.toward, old.toward),
                **{side: ways(getattr(old, side)) for side in ("takes", "makes", "by")},
                **{spot: at and x(at) for spot, at in ((one, getattr(old, one)) for one in SPOTS)},
                "note": word(old.note),
            }
        )

    processes = {name(key): moved(old) for key, old in part.process.items() if key.startswith(again.of)}

    def framed(old: Group) -> Group:
        members, label_at = tuple(name(one) for one in old.members), old.label_at and x(old.label_at)
        words = {"label": word(old.label), "label_at": label_at, "colour": again.colour}
        return old.model_copy(update={"members": members, "box": box(old.box), **words})

    groups = {name(key): framed(old) for key, old in part.group.items() if key.startswith(again.of)}
    return {
        "place": {**part.place, **places},
        "process": {**part.process, **processes},
        "group": {**part.group, **groups},
    }
