"""Where time alone switches something: windows, periodic infusions, kinks. Steps end there exactly.

A condition on time alone (`time >= t0`, `rem(time, 24) < 1`, `floor`, `abs`, `min`, `max`) is constant
between the times at which it changes. Those times become stops, and inside a step the condition is read at
its middle (`steady`), so neither end of a step sees what lies beyond it. States that stand still between
events count as constants here: an event that moves them moves the switch. So does a clock, a quantity that
a rate rule moves at a constant rate: a comparison of straight lines in it switches at a known time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from glueprint.engine.system import System
from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.expressions import Graph

__all__ = ["BENDING", "COMPARE", "ROUNDING", "STATE", "Kinds", "Switches", "steady", "switches"]

COMPARE = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
ROUNDING = frozenset({"floor", "ceil"})
JUMPING = COMPARE | ROUNDING | {"abs", "min", "max"}  # read at the middle of a step, so every zero is a stop
# Operations that make a narrow feature of a straight line: a pulse such as exp(-(time - t0)^2) is met at t0.
BENDING = frozenset({"mul", "div", "pow", "exp", "tanh", "sinh", "cosh", "atan"})
# Those that make one of a curve, where it is flat or passes 0: exp(1e6*(cos(w*time) - 1)) at every peak.
SHARPENING = BENDING - {"mul"}
STRAIGHT = frozenset({"add", "sub", "neg", "mul", "div", "select", "abs", "min", "max", *ROUNDING, *COMPARE})
STATE, TIME, CLOCK = 1, 2, 4


@dataclass(frozen=True)
class Switches:
    """times: nodes of times at which something switches, known before a run.   between: the same, but moved
    by events.   general: in order of evaluation, nodes whose value switches something as it goes through 0,
    or through a whole number (`rounded`); they read the time looked at as `middle`, and the present as
    `time`.   curved: those that are not lines piece by piece.   moved: states that `general` reads, which
    only events move: clocks and thresholds.   read: those that `between` reads, too.
    """

    times: tuple[int, ...] = ()
    between: tuple[int, ...] = ()
    general: tuple[int, ...] = ()
    rounded: frozenset[int] = frozenset()
    curved: frozenset[int] = frozenset()
    moved: tuple[int, ...] = ()
    read: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.times or self.between or self.general)


def clocks(system: System) -> dict[int, int]:
    """Rates of the quantities that a rate rule moves steadily, by state; species are none, since doses may
    move them.
    """
    graph, zero = system.graph, system.graph.const(0.0)
    found: dict[int, int] = {}
    for state, root in enumerate(system.derivatives):
        if root == zero or system.states[state] in system.compartment:
            continue
        if not (graph.leaves([root], "state") or graph.leaves([root], "time")):
            found[state] = root
    return found


@lru_cache(maxsize=32)
def switches(system: System) -> Switches:
    """The switches that rates and triggers of a system hold, found once for all its ensembles."""
    graph = system.graph
    roots = [*system.derivatives, *(event.trigger for event in system.events)]
    kinds = Kinds(system, roots)
    lines = _Lines(graph, kinds)
    times: list[int] = []
    between: list[int] = []
    general: list[int] = []
    rounded, curved = set(), set()
    ahead = _Steady(graph, kinds).at_middle
    for number in graph.reachable(roots):
        op = graph.nodes[number].op
        for node in _switching(graph, number, kinds, lines):
            zero = lines.zero(node) if op not in ROUNDING else None
            if zero is not None:
                (between if graph.leaves([zero], "state") else times).append(zero)
            elif op in JUMPING or op in SHARPENING or lines.is_broken_line(node):
                general.append(ahead(node))
                if not lines.is_broken_line(node):
                    curved.add(general[-1])
                if op in ROUNDING:
                    rounded.add(general[-1])
    moved = tuple(graph.leaves(general, "state"))
    read = tuple(graph.leaves([*between, *general], "state"))
    return Switches(
        times=_once(times),
        between=_once(between),
        general=_once(general),
        rounded=frozenset(rounded),
        curved=frozenset(curved),
        moved=moved,
        read=read,
    )


def _once(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(numbers))


def _switching(graph: Graph, number: int, kinds: Kinds, lines: _Lines) -> list[int]:
    """Nodes on time and clocks alone whose zeros (or whole numbers) make node `number` switch or bend."""
    op, args, _ = graph.nodes[number]
    moving = [arg for arg in args if kinds.is_timed(arg)]
    if op in COMPARE or op in ("min", "max"):
        if not kinds.is_timed(number):
            return []
        return (lines.of_clock(number) if op in COMPARE else []) or [graph.apply("sub", *args)]
    if op in ROUNDING or op == "abs":
        return moving
    if op not in BENDING:
        return []
    if op == "mul":
        return moving if len(moving) == 2 else []
    bent = moving[-1:] if op != "pow" else moving[:1]
    slopes = [Differentiator(graph, graph.time())(node) for node in bent if not lines.is_broken_line(node)]
    return [*bent, *(slope for slope in slopes if kinds.is_timed(slope))]


class Kinds:
    """What nodes read: TIME, CLOCK, STATE (one that moves), or nothing that changes inside a step."""

    def __init__(self, system: System, roots: Iterable[int]) -> None:
        self.graph = system.graph
        zero = self.graph.const(0.0)
        self.resting = {i for i, node in enumerate(system.derivatives) if node == zero}
        self.clocks = clocks(system)
        self.known: dict[int, int] = {}
        for number in self.graph.reachable(roots):
            self._add(number)

    def of(self, number: int) -> int:
        """The kinds of a node."""
        if number not in self.known:
            for inner in self.graph.reachable([number]):
                self._add(inner)
        return self.known[number]

    def is_timed(self, number: int) -> bool:
        """Whether a node moves between events, with time and clocks alone."""
        kind = self.of(number)
        return kind != 0 and not kind & STATE

    def _add(self, number: int) -> None:
        op, args, value = self.graph.nodes[number]
        kind = TIME if op == "time" else 0
        if op == "state" and int(value) not in self.resting:
            kind = CLOCK if int(value) in self.clocks else STATE
        for arg in args:
            kind |= self.known[arg] if arg in self.known else self.of(arg)
        self.known[number] = kind


class _Lines:
    """Nodes that are straight lines in time, as slope and value at time 0."""

    def __init__(self, graph: Graph, kinds: Kinds) -> None:
        self.graph, self.kinds = graph, kinds
        self.known: dict[int, tuple[int, int] | None] = {}

    def zero(self, number: int) -> int | None:
        """The node of the time at which a line crosses 0; None where it is no line."""
        line = self._line(number)
        graph = self.graph
        return None if line is None else graph.apply("div", graph.apply("neg", line[1]), line[0])

    def of_clock(self, comparison: int) -> list[int]:
        """Straight lines in clocks, and time, at whose zeros a comparison switches; none where it is another.

        Of abs(line) against something that stands still there are two.
        """
        graph = self.graph
        left, right = graph.nodes[comparison].args
        if not (self.kinds.of(left) | self.kinds.of(right)) & CLOCK:
            return []
        lines = [graph.apply("sub", left, right)]
        for one, other in ((left, right), (right, left)):
            op, args, _ = graph.nodes[one]
            if op == "abs" and not self.kinds.of(other):
                lines = [graph.apply("sub", args[0], other), graph.apply("add", args[0], other)]
        kinds = [self.kinds.of(line) for line in lines]
        moving = all(kind & CLOCK and not kind & STATE for kind in kinds)
        return lines if moving and all(self.zero(line) is not None for line in lines) else []

    def is_broken_line(self, number: int) -> bool:
        """Whether a node is a line piece by piece."""
        return all(
            self.graph.nodes[inner].op in STRAIGHT
            for inner in self.graph.reachable([number])
            if self.kinds.is_timed(inner) and self.graph.nodes[inner].args
        )

    def _line(self, root: int) -> tuple[int, int] | None:
        for number in self.graph.reachable([root]):
            if number not in self.known:
                self.known[number] = self._step(number)
        return self.known[root]

    def _step(self, number: int) -> tuple[int, int] | None:
        graph = self.graph
        op, args, value = graph.nodes[number]
        if not self.kinds.of(number) & (TIME | CLOCK):
            return graph.const(0.0), number
        if op == "state":
            rate = self.kinds.clocks[int(value)]
            return rate, graph.apply("sub", number, graph.apply("mul", rate, graph.time()))
        if op == "time":
            return graph.const(1.0), graph.const(0.0)
        parts = [self.known[arg] for arg in args]
        if op not in ("add", "sub", "neg", "mul", "div") or any(part is None for part in parts):
            return None
        if op in ("mul", "div"):
            moves = TIME | CLOCK
            other = next((arg for arg in reversed(args) if not self.kinds.of(arg) & moves), None)
            if other is None or (op == "div" and other != args[1]):
                return None
            line = self.known[args[0] if other == args[1] else args[1]]
            assert line is not None
            return graph.apply(op, line[0], other), graph.apply(op, line[1], other)
        slopes, starts = zip(*(part for part in parts if part is not None), strict=True)
        return graph.apply(op, *slopes), graph.apply(op, *starts)


def steady(system: System) -> tuple[int, ...]:
    """The derivatives with every switch on time alone read at the middle of the step."""
    kinds = Kinds(system, system.derivatives)
    rewrite = _Steady(system.graph, kinds)
    return tuple(rewrite(root) for root in system.derivatives)


class _Steady:
    def __init__(self, graph: Graph, kinds: Kinds) -> None:
        self.graph, self.kinds = graph, kinds
        self.known: dict[int, int] = {}
        self.middle: dict[int, int] = {}

    def __call__(self, root: int) -> int:
        for number in self.graph.reachable([root]):
            if number not in self.known:
                self.known[number] = self._rewrite(number)
        return self.known[root]

    def _rewrite(self, number: int) -> int:
        graph = self.graph
        op, args, _ = graph.nodes[number]
        if not args or not self.kinds.is_timed(number):
            return graph.apply(op, *(self.known[arg] for arg in args)) if args else number
        inner = [self.known[arg] for arg in args]
        if op in COMPARE or op in ROUNDING:
            return graph.apply(op, *(self.at_middle(arg) for arg in args))
        if op == "abs":
            below = graph.apply("lt", self.at_middle(args[0]), graph.const(0.0))
            return graph.apply("select", below, graph.apply("neg", inner[0]), inner[0])
        if op in ("min", "max"):
            first = graph.apply("lt" if op == "min" else "gt", *(self.at_middle(arg) for arg in args))
            return graph.apply("select", first, *inner)
        return graph.apply(op, *inner)

    def at_middle(self, root: int) -> int:
        """A node with the step's middle in place of time, and clocks as they will be then."""
        graph = self.graph
        for number in graph.reachable([root]):
            if number not in self.middle:
                op, args, value = graph.nodes[number]
                moved = graph.middle() if op == "time" else number
                if op == "state" and int(value) in self.kinds.clocks:
                    ahead = graph.apply("sub", graph.middle(), graph.time())
                    moved = graph.apply(
                        "add", number, graph.apply("mul", self.kinds.clocks[int(value)], ahead)
                    )
                self.middle[number] = graph.apply(op, *(self.middle[arg] for arg in args)) if args else moved
        return self.middle[root]
