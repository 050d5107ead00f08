"""How finely a state can be known: what rounding alone does to it in one step.

Where gains and losses cancel, a state near 0 is the difference of large numbers, and no step is short enough
to know it to a fraction of itself. The part of a rate that is not in proportion to the state itself says how
large those numbers are.
"""

from __future__ import annotations

from collections.abc import Sequence

from glueprint.formulas.expressions import Graph

__all__ = ["ROUNDING", "gains", "sizes"]

# Of a step's gains and foreign losses: rounding of doubles, 1.1e-16, through the largest weights of the
# method (`tableau.C`, about 112) and a few sums.
ROUNDING = 5e-14


def gains(graph: Graph, derivatives: Sequence[int]) -> dict[int, int]:
    """For each state whose rate has terms that are not in proportion to it: the sum of their sizes."""
    sizes: dict[int, int] = {}
    found = {}
    for state, root in enumerate(derivatives):
        total = _Foreign(graph, state, sizes)(root)
        if graph.constant(total) != 0.0:
            found[state] = total
    return found


def sizes(graph: Graph, root: int) -> int:
    """What a node adds up, all signs taken as plus."""
    known: dict[int, int] = {}
    for number in graph.reachable([root]):
        known[number] = _combined(graph, number, [known[arg] for arg in graph.nodes[number].args])
    return known[root]


class _Foreign:
    """Sizes of what a rate adds up, signs dropped, without the terms that have the state as a factor."""

    def __init__(self, graph: Graph, state: int, sizes: dict[int, int]) -> None:
        self.graph, self.sizes = graph, sizes
        self.foreign: dict[int, int] = {}
        self.own = {graph.state(state)}

    def __call__(self, root: int) -> int:
        for number in self.graph.reachable([root]):
            self._add(number)
        return self.foreign[root]

    def _add(self, number: int) -> None:
        graph = self.graph
        op, args, _ = graph.nodes[number]
        is_product = op == "mul" or op in ("div", "neg")
        if is_product and any(arg in self.own for arg in (args if op == "mul" else args[:1])):
            self.own.add(number)
        if number not in self.sizes:
            self.sizes[number] = _combined(graph, number, [self.sizes[arg] for arg in args])
        if number in self.own:
            self.foreign[number] = graph.const(0.0)
            return
        # Of a product, one factor may be a sum that the state is a term of.
        parts = [self.sizes[arg] for arg in args]
        if op in ("add", "sub", "neg", "select"):
            parts = [self.foreign[arg] for arg in args]
        elif op in ("mul", "div"):
            for place in (0, 1) if op == "mul" else (0,):
                if self.foreign[args[place]] != self.sizes[args[place]]:
                    parts[place] = self.foreign[args[place]]
                    break
        self.foreign[number] = _combined(graph, number, parts)


def _combined(graph: Graph, number: int, sizes: Sequence[int]) -> int:
    """The size of a node from those of its arguments, all signs taken as plus."""
    op, args, _ = graph.nodes[number]
    if graph.is_boolean(number):
        return number
    if op in ("add", "sub"):
        return graph.apply("add", *sizes)
    if op == "mul":
        return graph.apply("mul", *sizes)
    if op == "div":
        return graph.apply("div", sizes[0], graph.apply("abs", args[1]))
    if op == "select":
        return graph.apply("select", args[0], *sizes[1:])
    return sizes[0] if op == "neg" else graph.apply("abs", number)
