"""Recursion without the interpreter's stack."""

from __future__ import annotations

import sys

import pytest

from glueprint.formulas.steps import run


def total(tree):
    found = 0
    for part in tree:
        found += (yield total(part)) if isinstance(part, list) else part
    return found


def test_it_gives_what_calls_give():
    assert run(total([1, [2, [3], []], 4])) == 10


def test_it_goes_deeper_than_the_interpreter():
    deep = [1]
    for _ in range(50 * sys.getrecursionlimit()):
        deep = [deep, 1]
    assert run(total(deep)) == 50 * sys.getrecursionlimit() + 1
    while deep:  # nor does taking it apart go deep
        deep = deep[0] if isinstance(deep[0], list) else []


def test_an_error_passes_through_and_can_be_caught_on_the_way():
    def broken():
        raise KeyError("x")
        yield

    def caught():
        try:
            return (yield broken())
        except KeyError:
            return 7

    assert run(caught()) == 7
    with pytest.raises(KeyError, match="x"):
        run(broken())
