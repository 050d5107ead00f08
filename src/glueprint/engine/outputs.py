"""Outputs from the states that a run has recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.engine.patients import Patients
from glueprint.formulas.evaluate import Leaves
from glueprint.formulas.expressions import Graph

__all__ = ["Plain", "divide", "fill", "plain"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Plain:
    """An output that is a state, or a state by something that stands still (an amount by a fixed volume)."""

    state: int
    divisor: int | None


def plain(graph: Graph, nodes: Sequence[int]) -> dict[int, Plain]:
    """The outputs that need no more than their state, by place."""
    found = {}
    for place, number in enumerate(nodes):
        node, divisor = graph.nodes[number], None
        if node.op == "div" and not (
            graph.leaves([node.args[1]], "state") or graph.leaves([node.args[1]], "time")
        ):
            node, divisor = graph.nodes[node.args[0]], node.args[1]
        if node.op == "state":
            found[place] = Plain(int(node.value), divisor)
    return found


def divide(values: Floats, found: dict[int, Plain], patients: Patients, rows: slice) -> None:
    """Take outputs (n, times, outputs) that hold their states to what was asked for."""
    for place, one in found.items():
        if one.divisor is not None:
            size = patients.values([one.divisor], rows)[0]
            if (size != 1.0).any():
                values[:, :, place] /= size[:, None]


def fill(
    values: Floats, records: Floats, nodes: Sequence[int], times: Floats, patients: Patients, rows: slice
) -> None:
    """Outputs (n, times, outputs) of some patients from all their states recorded, (n * times, states)."""
    n, count = values.shape[:2]
    states = records.reshape(n, count, -1)
    known = plain(patients.guard.graph, nodes)
    # A record that was not reached is NaN throughout, so a state needs no more than its copy.
    for place, one in known.items():
        values[:, :, place] = states[:, :, one.state]
    divide(values, known, patients, rows)
    others = [k for k in range(len(nodes)) if k not in known]
    if not others:
        return
    params, largest = patients.params[rows][:, None], patients.largest[rows][:, None]
    leaves = Leaves(states, params, times[None, :], largest, patients.tolerance)
    missing = np.isnan(states).any(axis=2)
    for place, value in zip(others, patients.evaluate([nodes[k] for k in others], leaves), strict=True):
        values[:, :, place] = np.where(missing, np.nan, value)
