"""A model's SBML as Antimony text."""

from __future__ import annotations

from functools import cache

from glueprint.boundary import Ended, Helper, Limits
from glueprint.errors import InputError

__all__ = ["antimony"]

LIMITS = Limits(seconds=120, memory_mb=2048)


def antimony(sbml: str, name: str) -> str:
    """The Antimony text of a model.   sbml: its text.   name: for messages.

    Raises InputError GP-W034 where the antimony library cannot write it.
    """
    try:
        wrong, content = _helper().ask(sbml.encode(), {})
    except Ended as ended:
        wrong, content = {"antimony": str(ended)}, b""
    if wrong:
        raise InputError(
            "GP-W034",
            f"it cannot be written as Antimony: {wrong['antimony']}",
            where=name,
            expected="a model that the antimony library reads",
            next_step="export it as SBML",
        )
    return content.decode()


@cache
def _helper() -> Helper:
    return Helper("glueprint.boundary.model_text:to_antimony", LIMITS)
