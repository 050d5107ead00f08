"""Maps as SBGN-ML 0.3, process description language, and back: what other editors open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from glueprint.errors import InputError
from glueprint.report.diagrams import glyphs
from glueprint.report.diagrams.drawing import box_of, line_of, port, sides
from glueprint.report.diagrams.layout import Point
from glueprint.report.diagrams.scenes import Node, Scene, Step

__all__ = ["ARC_CLASSES", "GLYPH_CLASSES", "NAMESPACE", "Sketch", "read", "write"]

# SBGN-ML 0.3 (van Iersel 2012, doi:10.1093/bioinformatics/bts270; schema of github.com/sbgn/sbgn).
NAMESPACE = "http://sbgn.org/libsbgn/0.3"
LANGUAGE = "process description"
GLYPH_CLASSES = frozenset(
    (
        *("unspecified entity", "simple chemical", "macromolecule", "nucleic acid feature", "complex"),
        *("source and sink", "phenotype", "compartment", "process", "or", "state variable"),
        "unit of information",
    )
)
ARC_CLASSES = frozenset(
    (
        *("consumption", "production", "stimulation", "necessary stimulation", "inhibition", "modulation"),
        *("catalysis", "logic arc"),
    )
)
OR_SIZE = 24.0
Element = ElementTree.Element


@dataclass(frozen=True)
class Sketch:
    """What an SBGN-ML file says, without its drawing.

    entities: id -> (class, label).   arcs: (class, source, target), ports as the glyph that has them.
    """

    entities: Mapping[str, tuple[str, str]]
    arcs: tuple[tuple[str, str, str], ...]


def write(scene: Scene) -> str:
    """The map as SBGN-ML. An arc from a frame becomes an `or` of its members, since each of them acts alike.

    Returns XML text, the same for the same map.
    """
    root = Element("sbgn", {"xmlns": NAMESPACE})
    sheet = ElementTree.SubElement(root, "map", {"language": LANGUAGE, "id": _id(scene.chart.name)})
    ElementTree.SubElement(sheet, "bbox", _numbers(0, 0, *scene.chart.size))
    for key, (area, box) in scene.areas.items():
        # A plain area is the ground on which all else stands.
        whole = (0.0, 0.0, *scene.chart.size) if area.plain else box
        _glyph(sheet, f"area_{key}", "compartment", whole, area.label)
    for node in scene.nodes.values():
        _entity(sheet, scene, node)
    for step in scene.steps.values():
        _process(sheet, scene, step)
    for step in scene.steps.values():
        _arcs(sheet, scene, step)
    # The schema wants all glyphs before all arcs.
    sheet[:] = sorted(sheet, key=lambda one: one.tag == "arc")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _id(key: str) -> str:
    """A key as an XML id, which has no slash and starts with a letter."""
    return re.sub(r"[^\w.-]", ".", f"n_{key}")


def _numbers(x: float, y: float, w: float, h: float) -> dict[str, str]:
    return {"x": f"{x:g}", "y": f"{y:g}", "w": f"{w:g}", "h": f"{h:g}"}


def _glyph(
    parent: Element, key: str, kind: str, box: tuple[float, float, float, float], label: str = ""
) -> Element:
    made = ElementTree.SubElement(parent, "glyph", {"class": kind, "id": _id(key)})
    if label:
        ElementTree.SubElement(made, "label", {"text": label})
    ElementTree.SubElement(made, "bbox", _numbers(*box))
    return made


def _home(scene: Scene, node: Node) -> str:
    """The compartment of a node: its own, or the ground."""
    for key, (area, _) in scene.areas.items():
        if (area.plain and not node.place.area) or key in (node.place.area, f"{node.part}/{node.place.area}"):
            return _id(f"area_{key}")
    return ""


def _entity(sheet: Element, scene: Scene, node: Node) -> None:
    place, box = node.place, box_of(node)
    left, top = box.x - box.width / 2, box.y - box.height / 2
    label = place.label or ":".join(place.parts)
    made = _glyph(sheet, node.key, place.glyph, (left, top, box.width, box.height), label)
    made.set("compartmentRef", _home(scene, node))
    if node.clone:
        clone = Element("clone")
        made.insert(1, clone)
    if place.state:
        badge = ElementTree.SubElement(
            made, "glyph", {"class": "state variable", "id": _id(f"{node.key}.state")}
        )
        ElementTree.SubElement(badge, "state", {"value": place.state})
        ElementTree.SubElement(badge, "bbox", _numbers(left + 2, top - 7, 20, 14))
    if place.info:
        _glyph(made, f"{node.key}.info", "unit of information", (left - 8, top - 7, 33, 14), place.info)
    for number, (part, inner) in enumerate(glyphs.parts_of(box, place.parts)):
        kind = "simple chemical" if part.startswith("(") else "macromolecule"
        corner = (inner.x - inner.width / 2, inner.y - inner.height / 2)
        _glyph(made, f"{node.key}.{number}", kind, (*corner, inner.width, inner.height), part)


def _process(sheet: Element, scene: Scene, step: Step) -> None:
    half = glyphs.PROCESS / 2
    box = (step.at[0] - half, step.at[1] - half, glyphs.PROCESS, glyphs.PROCESS)
    made = _glyph(sheet, f"process_{step.key}", "process", box)
    if step.process.toward in ("up", "down"):
        made.set("orientation", "vertical")
    for number, makes in ((1, False), (2, True)):
        x, y = port(step, makes=makes)
        at = {"id": f"{_id(f'process_{step.key}')}.{number}", "x": f"{x:g}", "y": f"{y:g}"}
        ElementTree.SubElement(made, "port", at)
    partner = next(scene.nodes[arc.node] for arc in step.arcs if arc.empty is None)
    for number, arc in enumerate(step.arcs):
        if arc.empty is not None:
            r = glyphs.EMPTY_RADIUS
            box = (arc.empty[0] - r, arc.empty[1] - r, 2 * r, 2 * r)
            empty = _glyph(sheet, f"empty_{step.key}.{number}", "source and sink", box)
            empty.set("compartmentRef", _home(scene, partner))


def _or(sheet: Element, scene: Scene, key: str, members: tuple[str, ...], at: Point) -> str:
    """An `or` at a point, with an arc from each member; returns the id of its outgoing port."""
    x, y = at
    half = OR_SIZE / 2
    made = _glyph(sheet, key, "or", (x - half, y - half, OR_SIZE, OR_SIZE))
    for number, end in ((1, y - OR_SIZE), (2, y + OR_SIZE)):
        place = {"id": f"{_id(key)}.{number}", "x": f"{x:g}", "y": f"{end:g}"}
        ElementTree.SubElement(made, "port", place)
    for number, member in enumerate(members):
        line = [scene.nodes[member].at, (x, y - OR_SIZE)]
        _arc(sheet, f"{key}.logic.{number}", "logic arc", (_id(member), f"{_id(key)}.1"), line)
    return f"{_id(key)}.2"


def _arcs(sheet: Element, scene: Scene, step: Step) -> None:
    own = _id(f"process_{step.key}")
    for number, (arc, makes) in enumerate(zip(step.arcs, sides(step), strict=True)):
        line = line_of(scene, step, number)
        if arc.empty is not None:
            other = _id(f"empty_{step.key}.{number}")
        elif arc.node.startswith("frame:"):
            members = scene.frames[arc.node.removeprefix("frame:")].members
            other = _or(sheet, scene, f"or_{step.key}.{number}", members, line[0])
            line = [(line[0][0], line[0][1] + OR_SIZE), *line[1:]]
        else:
            other = _id(arc.node)
        if arc.kind == "consumption":
            ends = (other, f"{own}.1")
        elif arc.kind == "production":
            ends = (f"{own}.{2 if makes else 1}", other)
        else:
            ends = (other, own)
        _arc(sheet, f"arc_{step.key}.{number}", arc.kind, ends, line)


def _arc(sheet: Element, key: str, kind: str, ends: tuple[str, str], line: list[Point]) -> None:
    made = ElementTree.SubElement(
        sheet, "arc", {"class": kind, "id": _id(key), "source": ends[0], "target": ends[1]}
    )
    for number, (x, y) in enumerate(line):
        tag = "start" if number == 0 else "end" if number == len(line) - 1 else "next"
        ElementTree.SubElement(made, tag, {"x": f"{x:g}", "y": f"{y:g}"})


def read(text: str) -> Sketch:
    """What an SBGN-ML text says, checked by the rules of the format.

    Raises InputError GP-P030 for a text that is no SBGN-ML 0.3 process description, an id twice, a class that
    is none of ours, a glyph without a box, an arc whose end leads nowhere.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise _refused(f"not XML: {error}") from error
    sheet = root.find(_tag("map"))
    if sheet is None or sheet.get("language") != LANGUAGE:
        raise _refused("it holds no map in process description")
    found = list(sheet.iter(_tag("glyph")))
    problem = next(_problems(sheet, found), "")
    if problem:
        raise _refused(problem)
    owner = {str(glyph.get("id")): str(glyph.get("id")) for glyph in found}
    owner |= {str(end.get("id")): str(glyph.get("id")) for glyph in found for end in glyph.iter(_tag("port"))}
    top = {
        str(glyph.get("id")): (str(glyph.get("class")), _label(glyph))
        for glyph in sheet.findall(_tag("glyph"))
    }
    arcs = tuple(
        (str(arc.get("class")), owner[str(arc.get("source"))], owner[str(arc.get("target"))])
        for arc in sheet.iter(_tag("arc"))
    )
    return Sketch(top, arcs)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _label(glyph: Element) -> str:
    label = glyph.find(_tag("label"))
    return "" if label is None else str(label.get("text"))


def _problems(sheet: Element, found: list[Element]) -> Iterator[str]:
    ids = [str(one.get("id")) for one in sheet.iter() if one.get("id") is not None]
    for twice in sorted({one for one in ids if ids.count(one) > 1}):
        yield f'the id "{twice}" stands twice'
    for glyph in found:
        if glyph.get("class") not in GLYPH_CLASSES:
            yield f'"{glyph.get("class")}" is no class of glyph'
        if glyph.find(_tag("bbox")) is None:
            yield f'the glyph "{glyph.get("id")}" has no bbox'
        home = glyph.get("compartmentRef")
        if home is not None and home not in ids:
            yield f'the compartment "{home}" is not there'
    order = [one.tag == _tag("arc") for one in sheet]
    if order != sorted(order):
        yield "a glyph stands after an arc"
    for arc in sheet.iter(_tag("arc")):
        if arc.get("class") not in ARC_CLASSES:
            yield f'"{arc.get("class")}" is no class of arc'
        for end in ("source", "target"):
            if arc.get(end) not in ids:
                yield f'the {end} of arc "{arc.get("id")}" leads to "{arc.get(end)}", which is not there'
        if arc.find(_tag("start")) is None or arc.find(_tag("end")) is None:
            yield f'the arc "{arc.get("id")}" has no start or end'


def _refused(problem: str) -> InputError:
    return InputError(
        "GP-P030",
        problem,
        where="SBGN-ML",
        expected="SBGN-ML 0.3, language process description, with unique ids and arcs that lead somewhere",
        next_step="export the map again",
    )
