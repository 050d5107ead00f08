"""The map and its models say the same: all that is in one is in the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from glueprint.errors import InputError, nearest
from glueprint.report.diagrams.layout import PartFile
from glueprint.report.diagrams.network import Network, Reaction
from glueprint.report.diagrams.scenes import Scene, Step

__all__ = ["check", "differences"]


def check(scene: Scene, parts: Mapping[str, PartFile], networks: Mapping[str, Network]) -> None:
    """Raise on the first difference and name the others.

    Raises InputError GP-P023 (a species or process of a model has no place), GP-P024 (a place is of nothing
    in the model), GP-P025 (arcs differ from what a process takes and makes), GP-P026 (modulations differ).
    """
    found = list(differences(scene, parts, networks))
    if not found:
        return
    code, where, what = found[0]
    others = "; ".join(f"{other[1]}: {other[2]}" for other in found[1:6])
    more = f" and {len(found) - 6} more" if len(found) > 6 else ""
    raise InputError(
        code,
        what + (f". Also: {others}{more}" if others else ""),
        where=f"{scene.chart.name}, {where}",
        expected="exactly the species, processes and dependencies of the model",
        next_step="give it a place in data/parts, or take the place away; see docs/diagrams.md",
    )


def differences(
    scene: Scene, parts: Mapping[str, PartFile], networks: Mapping[str, Network]
) -> Iterator[tuple[str, str, str]]:
    """(code, where, what) of everything that the map and its models do not share."""
    shared = parts.get(scene.chart.shared)
    for part, network in networks.items():
        yield from _of_part(scene, part, network, shared)
    for part, file in parts.items():
        if part != scene.chart.shared and part not in networks:
            yield "GP-P024", part, f"the part shows no model of the map; it has {len(file.place)} places"
    for key, frame in scene.frames.items():
        for member in frame.members:
            if member not in scene.nodes:
                yield "GP-P024", key, f'its frame holds "{member}", which has no place'
    for key, node in scene.nodes.items():
        home = f"{node.part}/{node.place.area}" if node.part != scene.chart.shared else node.place.area
        if node.place.area and home not in scene.areas:
            yield "GP-P024", key, f'no area is called "{node.place.area}"'


def _of_part(
    scene: Scene, part: str, network: Network, shared: PartFile | None
) -> Iterator[tuple[str, str, str]]:
    common = set(shared.place) if shared else set()
    steps = {step.reaction: step for step in scene.steps.values() if step.part in (part, scene.chart.shared)}
    drawn = {node.species.removeprefix(f"{part}/") for node in scene.nodes.values() if node.part == part}
    for species in network.species:
        if species not in drawn | common:
            yield "GP-P023", part, f'species "{species}" of {network.name} has no place'
    for species in sorted(drawn - common - set(network.species)):
        hint = nearest(species, network.species)
        yield "GP-P024", part, f'"{species}" has a place but is no species of {network.name}{hint}'
    for name in network.reactions:
        if name not in steps:
            yield "GP-P023", part, f'process "{name}" of {network.name} has no place'
    for name, step in steps.items():
        if name not in network.reactions:
            hint = nearest(name, network.reactions)
            yield "GP-P024", part, f'"{name}" has a place but is no process of {network.name}{hint}'
        else:
            yield from _of_step(scene, step, network.reactions[name], part)


def _of_step(scene: Scene, step: Step, reaction: Reaction, part: str) -> Iterator[tuple[str, str, str]]:
    where = step.key

    def species(keys: Mapping[str, object]) -> list[str]:
        return sorted(key.partition(".")[0] for key in keys)

    process = step.process
    for side, drawn, true, empty in (
        ("takes", process.takes, reaction.reactants, process.source),
        ("makes", process.makes, reaction.products, process.sink),
    ):
        if species(drawn) != sorted(true):
            yield (
                "GP-P025",
                where,
                f"{side} {_listed(species(drawn))}, the model says {_listed(sorted(true))}",
            )
        if (empty is None) == (not true):
            wanted = "needs an empty set" if not true else "has an empty set too many"
            yield "GP-P025", where, f"{wanted} where it {side} {_listed(list(true))}"
    acting = {}
    for name in process.by:
        frame = scene.frames.get(f"{part}/{name}")
        members = frame.members if frame else (name,)
        acting.update({member.removeprefix(f"{part}/").partition(".")[0]: name for member in members})
    for name, kind in reaction.modulators.items():
        if name not in acting:
            yield "GP-P026", where, f'{kind} by "{name}" is not drawn'
    for name, by in acting.items():
        if name not in reaction.modulators:
            yield "GP-P026", where, f'an arc comes from "{name}", on which the rate does not depend'
        else:
            kinds = {reaction.modulators.get(one) for one, other in acting.items() if other == by}
            if len(kinds) > 1:
                yield "GP-P026", where, f'the members of "{by}" do not act alike'
    for arc in step.arcs:
        if arc.node and not arc.node.startswith("frame:") and arc.node not in scene.nodes:
            yield "GP-P024", where, f'an arc leads to "{arc.node}", which has no place'


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "nothing"
