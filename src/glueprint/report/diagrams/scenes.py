"""A map with everything in its place: positions from the files, arcs and their classes from the models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from glueprint.report.diagrams import layout
from glueprint.report.diagrams.layout import Area, Box, Group, MapFile, PartFile, Place, Point, Process
from glueprint.report.diagrams.network import Network, shipped

__all__ = ["Arc", "Frame", "Node", "Scene", "Step", "build", "scene"]

CONSUMPTION, PRODUCTION = "consumption", "production"


@dataclass(frozen=True)
class Node:
    """A species in one place; `clone` if it has others."""

    key: str
    species: str
    part: str
    place: Place
    at: Point
    clone: bool


@dataclass(frozen=True)
class Arc:
    """An arc between a node (or a frame) and a process; `points` are the way points in its direction.

    kind: SBGN class.   node: key of the node, "frame:..." for a frame, empty for an empty set.
    """

    kind: str
    node: str
    points: tuple[Point, ...]
    empty: Point | None = None


@dataclass(frozen=True)
class Step:
    """A process in its place with its arcs."""

    key: str
    part: str
    reaction: str
    process: Process
    at: Point
    arcs: tuple[Arc, ...]
    reversible: bool


@dataclass(frozen=True)
class Frame:
    """A group of places as a frame."""

    key: str
    group: Group
    box: Box
    members: tuple[str, ...]
    label_at: Point | None


@dataclass(frozen=True)
class Scene:
    """A whole map, ready to be drawn, exported or coloured."""

    chart: MapFile
    areas: Mapping[str, tuple[Area, Box]]
    frames: Mapping[str, Frame]
    nodes: Mapping[str, Node]
    steps: Mapping[str, Step]


@cache
def scene(name: str) -> Scene:
    """The map of this name, held to its models.

    Raises InputError GP-P022 for an unknown name; GP-P023 to GP-P026 where map and models differ.
    """
    # `checks` looks at scenes and is imported here, so that both can stand alone.
    from glueprint.report.diagrams.checks import check

    chart, parts = layout.read(name)
    networks = {use.part: shipped(use.model, use.form) for use in chart.models}
    found = build(chart, parts, networks)
    check(found, parts, networks)
    return found


def build(chart: MapFile, parts: Mapping[str, PartFile], networks: Mapping[str, Network]) -> Scene:
    """Positions of all parts on one sheet; nothing is checked here."""
    areas, frames, nodes, steps = {}, {}, {}, {}
    for one in chart.parts:
        part, make = parts[one.part], _Maker(one.part, one.at, chart.shared, parts)
        for key, area in part.area.items():
            areas[make.key(key)] = (area, make.box(area.box))
        for key, group in part.group.items():
            members = tuple(make.key(member) for member in group.members)
            label_at = group.label_at and make.point(group.label_at)
            frames[make.key(key)] = Frame(make.key(key), group, make.box(group.box), members, label_at)
        for key, place in part.place.items():
            species = key.partition(".")[0]
            nodes[make.key(key)] = Node(
                make.key(key), make.key(species), one.part, place, make.point(place.at), False
            )
        for key, process in part.process.items():
            both_ways = _reversible(key, networks.get(one.part))
            steps[make.key(key)] = make.step(key, process, both_ways, networks)
    places = [node.species for node in nodes.values()]
    nodes = {
        key: Node(key, node.species, node.part, node.place, node.at, places.count(node.species) > 1)
        for key, node in nodes.items()
    }
    return Scene(chart, areas, frames, nodes, steps)


def _reversible(name: str, network: Network | None) -> bool:
    return network is not None and name in network.reactions and network.reactions[name].reversible


@dataclass(frozen=True)
class _Maker:
    """Turns what a part file says into what stands on the sheet."""

    part: str
    at: Point
    shared: str
    parts: Mapping[str, PartFile]

    def key(self, name: str) -> str:
        """The name on the map: as it is for what is shared, else after the name of the part."""
        common = self.parts[self.shared].place if self.shared in self.parts else {}
        if name.partition(".")[0] in common or self.part == self.shared:
            return name
        return f"{self.part}/{name}"

    def point(self, point: Point) -> Point:
        return (point[0] + self.at[0], point[1] + self.at[1])

    def box(self, box: Box) -> Box:
        return (*self.point((box[0], box[1])), box[2], box[3])

    def step(self, name: str, process: Process, both_ways: bool, networks: Mapping[str, Network]) -> Step:
        arcs = list(self._arcs(name, process, both_ways, networks))
        return Step(self.key(name), self.part, name, process, self.point(process.at), tuple(arcs), both_ways)

    def _arcs(
        self, name: str, process: Process, both_ways: bool, networks: Mapping[str, Network]
    ) -> Iterator[Arc]:
        for node, points in process.takes.items():
            yield Arc(PRODUCTION if both_ways else CONSUMPTION, self.key(node), self._way(points))
        if process.source is not None:
            yield Arc(CONSUMPTION, "", (), self.point(process.source))
        for node, points in process.makes.items():
            yield Arc(PRODUCTION, self.key(node), self._way(points))
        if process.sink is not None:
            yield Arc(PRODUCTION, "", (), self.point(process.sink))
        network = networks.get(self.part)
        known = network.reactions[name].modulators if network and name in network.reactions else {}
        groups = self.parts[self.part].group
        for node, points in process.by.items():
            first = groups[node].members[0] if node in groups else node
            kind = known.get(first.partition(".")[0], "")
            key = f"frame:{self.key(node)}" if node in groups else self.key(node)
            yield Arc(kind, key, self._way(points))

    def _way(self, points: tuple[Point, ...]) -> tuple[Point, ...]:
        return tuple(self.point(point) for point in points)
