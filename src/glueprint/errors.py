"""Errors that let the user go on: a stable code, the place, what was expected, the next step.

Four families: `InputError` (what you gave cannot be used), `NotSupportedError` (valid, but beyond
what Glueprint does), `EnvironmentProblemError` (disk, permissions, missing tools) and `InternalError`
(our bug). One patient's failure is never an exception: it is a status in the patient's row.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import Any, ClassVar

__all__ = [
    "EnvironmentProblemError",
    "GlueprintError",
    "InputError",
    "InternalError",
    "NotSupportedError",
    "from_dict",
    "nearest",
    "optional_package",
    "part_of",
    "together",
]


class GlueprintError(Exception):
    """Base of all Glueprint errors.

    code: stable, e.g. "GP-T014"; its letter names the room (docs/errors/).
    message: what is wrong, quoting the offending text.
    where: file, row, column or field.   expected: what would have been right.   next_step: what to do now.
    """

    family: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3

    def __init__(
        self, code: str, message: str, *, where: str = "", expected: str = "", next_step: str = ""
    ) -> None:
        self.code = code
        self.message = message
        self.where = where
        self.expected = expected
        self.next_step = next_step
        super().__init__(self.render())

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is rebuilt from its positional arguments, which would be the rendered text alone.
        parts = {"where": self.where, "expected": self.expected, "next_step": self.next_step}
        return partial(type(self), **parts), (self.code, self.message), self.__dict__

    def render(self) -> str:
        """The whole message as plain text, one line a part."""
        head = f"{self.code} {self.where}: {self.message}" if self.where else f"{self.code} {self.message}"
        lines = [head]
        if self.expected:
            lines.append(f"Expected {self.expected}")
        if self.next_step:
            lines.append(f"Next: {self.next_step}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, str]:
        """The parts by name, for `--json`."""
        return {
            "code": self.code,
            "family": self.family,
            "message": self.message,
            "where": self.where,
            "expected": self.expected,
            "next_step": self.next_step,
        }


def from_dict(parts: Mapping[str, Any]) -> GlueprintError:
    """The error that `as_dict` described, on its way from another process.

    Raises KeyError or TypeError for anything else.
    """
    family = {kind.family: kind for kind in GlueprintError.__subclasses__()}[parts["family"]]
    given = {name: str(parts[name]) for name in ("where", "expected", "next_step")}
    return family(str(parts["code"]), str(parts["message"]), **given)


class InputError(GlueprintError):
    """What the user gave cannot be used as it is."""

    family = "input"
    exit_code = 2


class NotSupportedError(GlueprintError):
    """The request is meaningful, but Glueprint cannot do it exactly, so it refuses."""

    family = "not supported"
    exit_code = 2


class EnvironmentProblemError(GlueprintError):
    """Disk, permissions or a missing tool stand in the way."""

    family = "environment"
    exit_code = 2


class InternalError(GlueprintError):
    """Our bug."""

    family = "internal"
    exit_code = 3


def nearest(word: str, known: Iterable[str]) -> str:
    """A ' (did you mean "x"?)' hint for the known name nearest to `word`; empty where it is known itself."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f' (did you mean "{found[0]}"?)' if found and found[0] != word else ""


def optional_package(module: str, code: str, *, where: str, expected: str = "", next_step: str = "") -> Any:
    """A module of a package that Glueprint can do without.

    expected, next_step: of the refusal; if left out, that the package is needed beside Glueprint, and pip.
    Raises EnvironmentProblemError with `code` where it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise EnvironmentProblemError(
            code,
            f"{package} is not installed",
            where=where,
            expected=expected or f"{package} beside Glueprint; it is not among what Glueprint needs itself",
            next_step=next_step or f"python -m pip install {package}",
        ) from error


def part_of(room: str, name: str, parts: Sequence[str]) -> ModuleType:
    """A module of a room, imported when it is first asked for: one part needs no library of another.

    room: as `__name__` has it.   parts: the names of its modules.
    Raises AttributeError for another name, with the nearest one.
    """
    if name in parts:
        return importlib.import_module(f"{room}.{name}")
    raise AttributeError(f"module {room!r} has no attribute {name!r}{nearest(name, parts)}")


def _brief(error: GlueprintError) -> str:
    place = f"{error.where}: " if error.where else ""
    return f"{place}{error.message} ({error.code})"


def together(findings: Sequence[GlueprintError]) -> GlueprintError:
    """The first of several findings, of which there is one at least; its message names the others."""
    first = findings[0]
    others = dict.fromkeys(_brief(other) for other in findings[1:])
    if not others:
        return first
    return type(first)(
        first.code,
        f"{first.message}. Also: {'; '.join(others)}",
        where=first.where,
        expected=first.expected,
        next_step=first.next_step,
    )
