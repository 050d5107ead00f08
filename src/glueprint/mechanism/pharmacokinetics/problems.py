"""Findings about a section of a compound file, raised all at once, each at its own field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

__all__ = ["Problem", "raise_all"]


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field.

    field: as people write it below the section, such as "central_l".   message: quotes the offending text.
    """

    code: str
    field: str
    message: str
    expected: str
    next_step: str


def raise_all(title: str, problems: Sequence[Problem]) -> None:
    """Raise pydantic's ValidationError with every problem at its field; nothing where there are none."""
    if not problems:
        return
    details = [
        InitErrorDetails(
            type=PydanticCustomError(
                problem.code,
                "{message}",
                {"message": problem.message, "expected": problem.expected, "next_step": problem.next_step},
            ),
            loc=tuple(int(part) if part.isdigit() else part for part in problem.field.split(".")),
            input=problem.field,
        )
        for problem in problems
    ]
    raise ValidationError.from_exception_data(title, details)
