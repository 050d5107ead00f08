"""A system that can be infused: its rate of infusion is one more state, which doses raise and lower.

Between doses the rate stands still, so an infusion is two exact stops, its start and its end, and infusions
into one species add up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from glueprint.engine.schedule import DoseTable
from glueprint.engine.system import Initial, Slot, System
from glueprint.engine.tangent import fresh_graph
from glueprint.errors import NotSupportedError

__all__ = ["balanced", "infused"]

Floats = NDArray[np.float64]


def infused(system: System, targets: Iterable[str]) -> System:
    """`system` with a rate of infusion, amount per time, into each of some states; all else keeps its place.

    Raises NotSupportedError GP-N054 where the model reads `rateOf` of a target, which would not see it.
    """
    wanted = tuple(name for name in dict.fromkeys(targets) if name not in system.inputs)
    if not wanted:
        return system
    graph, derivatives = fresh_graph(system), list(system.derivatives)
    states, initials = list(system.states), list(system.initials)
    inputs, scales = dict(system.inputs), dict(system.dose_scale)
    for name in wanted:
        if name in system.rates_read:
            raise NotSupportedError(
                "GP-N054",
                f'an infusion into "{name}", whose rate of change the model reads by rateOf()',
                where=system.name,
                next_step="write the infusion into the model, as a rate that depends on time",
            )
        place, index = system.states.index(name), len(states)
        rate, scale = graph.state(index), system.dose_scale[name]
        entering = rate if scale is None else graph.apply("mul", rate, scale)
        derivatives[place] = graph.apply("add", derivatives[place], entering)
        derivatives.append(graph.const(0.0))
        label = f"(rate into {name})"
        states.append(label)
        initials.append(Initial(label, Slot("state", index), graph.const(0.0)))
        inputs[name], scales[label] = index, None
    return dataclasses.replace(
        system,
        graph=graph,
        states=tuple(states),
        derivatives=tuple(derivatives),
        initials=tuple(initials),
        dose_scale=scales,
        inputs=inputs,
    )


def balanced(table: DoseTable, inputs: Collection[int], states: Floats) -> DoseTable:
    """Doses with rates of infusion that are exactly 0 where no infusion runs.

    table: all starts and ends to come, of running infusions too.   inputs: states that are rates of infusion.
    states: (n, states) present values. Overlapping infusions would leave a rest of rounding for ever.
    """
    rows = np.flatnonzero(np.isin(table.state, list(inputs))) if inputs else np.zeros(0, dtype=np.int64)
    if not rows.size:
        return table
    who, state = table.patient[rows], table.state[rows]
    rows = rows[np.lexsort((table.rank[rows], table.time[rows], state, who))]
    who, state = table.patient[rows], table.state[rows]
    first = np.flatnonzero((np.diff(who, prepend=-1) != 0) | (np.diff(state, prepend=-1) != 0))
    last = np.append(first[1:], rows.size)
    sign = np.sign(table.amount[rows])
    changes = np.add.reduceat(sign, first)
    # Every infusion ends in the table, so this many ran before a group's first row.
    running = -changes
    earlier = np.cumsum(changes) - changes
    count = np.cumsum(sign) + np.repeat(running - earlier, last - first)
    amount = table.amount.copy()
    for number in np.flatnonzero((np.maximum.reduceat(count, first) > 1) | (running > 0)):
        level = states[who[first[number]], state[first[number]]]
        for place in range(first[number], last[number]):
            if count[place] == 0:
                amount[rows[place]] = -level
            level += amount[rows[place]]
    return DoseTable(table.patient, table.time, table.state, amount, table.rank)
