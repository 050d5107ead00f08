"""The logistic curve and its derivatives as a graph of expressions, for machine code.

The same formulas as `logistic.curve`, in the form that costs least: one exponential a point, and for an
asymmetry of 1 no logarithm. A logarithmic distance from the EC50 stops at LEAST and MOST, where the curve
equals its plateaus to the last bit, so that a dose of zero needs no case of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from glueprint.curves.logistic import BACK, FRONT, LN2, LN10, LN_ASYMMETRY, LN_SLOPE, LOG10_DOSE
from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.expressions import Graph

__all__ = ["LEVEL", "PARAMETERS", "Formula", "Variant", "share", "write"]

PARAMETERS = 5
LEVEL = PARAMETERS  # the state after the parameters
LEAST, MOST = -1000.0, 650.0


@dataclass(frozen=True)
class Variant:
    """What decides the machine code of a fit.

    free: the parameters that move.   symmetric: asymmetry is held at 1.   level: the third parameter is the
    log10 dose at a response level instead of the EC50.
    """

    free: tuple[int, ...]
    symmetric: bool = True
    level: bool = False


@dataclass(frozen=True)
class Formula:
    """Nodes of the response and of its derivatives with respect to the free parameters.

    States: the parameters in the order of `logistic.NAMES`, then the level.   Parameter 0: log10 dose.
    """

    graph: Graph
    response: int
    slopes: tuple[int, ...]


def write(variant: Variant) -> Formula:
    """The curve of a variant.   Source: own derivation, docs/curves.md."""
    graph = Graph()
    apply, const = graph.apply, graph.const
    front, back, dose, ln_slope, ln_asymmetry, level = (graph.state(i) for i in range(PARAMETERS + 1))
    height = apply("sub", front, back)
    slope = apply("mul", const(LN10), apply("exp", ln_slope))
    asymmetry = const(1.0) if variant.symmetric else apply("exp", ln_asymmetry)
    stretch = _stretch(graph, asymmetry)
    half = dose
    if variant.level:
        above, below = apply("sub", front, level), apply("sub", level, back)
        odds = apply("div", above, below)
        if not variant.symmetric:
            ratio = apply("div", height, below)
            root = apply("exp", apply("div", apply("log", ratio), asymmetry))
            odds = apply("div", apply("sub", root, const(1.0)), stretch)
        half = apply("sub", dose, apply("div", apply("log", odds), slope))
    t = _between(graph, apply("mul", slope, apply("sub", graph.param(0), half)))
    shares = share(graph, apply("exp", t), asymmetry, stretch)
    in_front, in_back, beyond, log_share = shares
    tall = apply("mul", height, apply("mul", asymmetry, in_front))
    bend = apply("mul", tall, beyond)
    by_half = apply("mul", bend, slope)
    slopes = {FRONT: in_front, BACK: in_back, LOG10_DOSE: by_half}
    slopes[LN_SLOPE] = apply("neg", apply("mul", bend, t))
    if not variant.symmetric:
        by_log = apply("div", const(LN2), asymmetry)
        pull = apply("div", by_log, apply("sub", const(1.0), apply("exp", apply("neg", by_log))))
        slopes[LN_ASYMMETRY] = apply("mul", tall, apply("add", log_share, apply("mul", beyond, pull)))
    if variant.level:
        for i in slopes.keys() - {LOG10_DOSE}:
            moved = apply("mul", by_half, Differentiator(graph, graph.state(i))(half))
            slopes[i] = apply("add", slopes[i], moved)
    response = apply("add", back, apply("mul", height, in_front))
    return Formula(graph, response, tuple(slopes[i] for i in variant.free))


def share(graph: Graph, power: int, asymmetry: int, stretch: int) -> tuple[int, int, int, int]:
    """From (x / EC50)^slope: how much of a point lies in front and in back, and for the derivatives the
    share beyond and the logarithm of the share before it.
    """
    apply, one = graph.apply, graph.const(1.0)
    stretched = apply("mul", stretch, power)
    grown = apply("add", one, stretched)
    before = apply("div", one, grown)
    beyond = apply("mul", stretched, before)
    if graph.constant(asymmetry) == 1.0:
        return before, beyond, beyond, graph.const(0.0)
    log_share = apply("neg", apply("log", grown))
    in_front = apply("exp", apply("mul", asymmetry, log_share))
    return in_front, apply("sub", one, in_front), beyond, log_share


def _stretch(graph: Graph, asymmetry: int) -> int:
    """2^(1/f) - 1, which keeps the half-way dose at the EC50."""
    if graph.constant(asymmetry) == 1.0:
        return graph.const(1.0)
    by_log = graph.apply("div", graph.const(LN2), asymmetry)
    return graph.apply("sub", graph.apply("exp", by_log), graph.const(1.0))


def _between(graph: Graph, t: int) -> int:
    """`t` within LEAST and MOST; what is no number stays so."""
    apply = graph.apply
    low, high = graph.const(LEAST), graph.const(MOST)
    raised = apply("select", apply("lt", t, low), low, t)
    return apply("select", apply("gt", raised, high), high, raised)
