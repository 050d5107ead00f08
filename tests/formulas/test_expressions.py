"""The graph shares and folds without changing a value; its derivatives are the slopes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.evaluate import Leaves, evaluate
from glueprint.formulas.expressions import Graph
from glueprint.formulas.lowering import Lowering


def value(graph, node, x=0.7, p=1.3, t=0.4):
    leaves = Leaves(np.array([[x, 0.2]]), np.array([[p]]), np.array([t]))
    return float(np.ravel(evaluate(graph, [node], leaves)[0])[0])


def test_equal_expressions_are_one_node():
    graph = Graph()
    x, p = graph.state(0), graph.param(0)
    assert graph.apply("mul", x, p) == graph.apply("mul", p, x)
    assert graph.apply("sub", graph.apply("add", x, p), graph.const(0.0)) == graph.apply("add", p, x)


def test_constants_fold_and_identities_vanish():
    graph = Graph()
    x = graph.state(0)
    assert graph.constant(graph.apply("exp", graph.const(0.0))) == 1.0
    assert graph.apply("pow", x, graph.const(1.0)) == x
    assert graph.apply("mul", x, graph.const(1.0)) == x
    assert graph.apply("neg", graph.apply("neg", x)) == x


UNARY = ["neg", "exp", "sin", "cos", "tanh", "atan", "sqrt", "log", "asinh", "cosh"]
BINARY = ["add", "sub", "mul", "div", "pow", "min", "max"]


@st.composite
def expressions(draw, depth=3):
    """A nested recipe over a state, a parameter, time and positive numbers."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["x", "p", "t", 0.5, 2.0, 3.0]))
    if draw(st.booleans()):
        return (draw(st.sampled_from(UNARY)), draw(expressions(depth=depth - 1)))
    return (draw(st.sampled_from(BINARY)), *(draw(expressions(depth=depth - 1)) for _ in range(2)))


def build(graph, recipe):
    if isinstance(recipe, float):
        return graph.const(recipe)
    if isinstance(recipe, str):
        return {"x": graph.state(0), "p": graph.param(0), "t": graph.time()}[recipe]
    return graph.apply(recipe[0], *(build(graph, part) for part in recipe[1:]))


@given(expressions())
def test_derivatives_are_slopes(recipe):
    graph = Graph()
    node = build(graph, recipe)
    slope = Differentiator(graph, graph.state(0))(node)
    step = 1e-6
    low, high = (value(graph, node, x=0.7 + s) for s in (-step, step))
    numeric = (high - low) / (2 * step)
    middle = value(graph, node)
    curvature = (high - 2 * middle + low) / step**2
    if not all(map(math.isfinite, (numeric, middle, curvature))) or abs(curvature) > 1e3 or abs(middle) > 1e6:
        return  # near a kink, a pole or the edge of a domain
    assert value(graph, slope) == pytest.approx(numeric, rel=1e-3, abs=2e-4 * (1 + abs(middle)))


@given(expressions())
def test_lowering_keeps_the_value(recipe):
    graph = Graph()
    node = build(graph, recipe)
    before = value(graph, node)
    if math.isfinite(before) and abs(before) < 1e12:
        assert value(graph, Lowering(graph)(node)) == pytest.approx(before, rel=1e-9, abs=1e-12)
