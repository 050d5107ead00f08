"""What the engine refuses, by code: nothing that it could only run approximately passes silently."""

from __future__ import annotations

from typing import Any

from glueprint.engine.events import MOST_EVENTS
from glueprint.errors import NotSupportedError

__all__ = ["check"]

# Packages that change no number of a time course (the extended mathematics is part of Level 3 Version 2).
WITHOUT_EFFECT = frozenset({"l3v2extendedmath", "layout", "render", "groups", "annot"})


def check(document: Any, where: str) -> None:
    """Raise NotSupportedError where a document uses what the engine cannot run exactly.

    GP-N020 packages (fbc, qual, ...), GP-N021 algebraic rules, GP-N025 fast reactions, GP-N026 more than 64
    events. Mathematics is refused where it is met: GP-N022 delay(), GP-N023 rateOf() of assigned, GP-N024
    unknown operations.
    """
    for i in range(document.getNumPlugins()):
        plugin = document.getPlugin(i)
        package, prefix = plugin.getPackageName(), plugin.getPrefix()
        if package not in WITHOUT_EFFECT and document.getPackageRequired(prefix or package):
            raise _refuse("GP-N020", f'the SBML package "{package}"', where)
    for i in range(document.getNumUnknownPackages()):
        if document.getUnknownPackageRequired(i):
            raise _refuse("GP-N020", f'the SBML package "{document.getUnknownPackagePrefix(i)}"', where)
    model = document.getModel()
    for i in range(model.getNumRules()):
        if model.getRule(i).isAlgebraic():
            raise _refuse("GP-N021", "an algebraic rule (an equation to be solved at all times)", where)
    if model.getNumEvents() > MOST_EVENTS:
        raise _refuse(
            "GP-N026", f"a model of {model.getNumEvents()} events (the limit is {MOST_EVENTS})", where
        )
    for i in range(model.getNumReactions()):
        reaction = model.getReaction(i)
        if reaction.isSetFast() and reaction.getFast():
            raise _refuse("GP-N025", f'the fast reaction "{reaction.getId()}"', where)


def _refuse(code: str, what: str, where: str) -> NotSupportedError:
    return NotSupportedError(
        code,
        f"{what} cannot be run exactly",
        where=where,
        next_step="rewrite the model without it; docs/engine.md lists what the engine runs",
    )
