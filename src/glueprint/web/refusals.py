"""What the workbench refuses: an error with its code, and the status of the answer that carries it."""

from __future__ import annotations

from collections.abc import Mapping

from glueprint.errors import EnvironmentProblemError, GlueprintError, InputError, InternalError

__all__ = ["STATUS", "RefusedError", "refused", "status_of"]

# Code -> status of the answer; any other code of unusable input is 422, an error of ours 500.
STATUS: Mapping[str, int] = {
    "GP-W002": 401,
    "GP-W003": 421,
    "GP-W004": 403,
    "GP-W005": 403,
    "GP-W006": 413,
    "GP-W007": 404,
    "GP-W008": 405,
    "GP-W010": 404,
    "GP-W011": 409,
    "GP-W012": 409,
    "GP-W020": 415,
    "GP-W021": 413,
    "GP-W030": 404,
    "GP-W031": 409,
    "GP-R006": 409,
    "GP-S025": 409,
}


class RefusedError(InputError):
    """A request that the workbench does not answer."""


def refused(code: str, message: str, expected: str, next_step: str, *, where: str = "") -> RefusedError:
    """A refusal, all of whose parts are said."""
    return RefusedError(code, message, where=where, expected=expected, next_step=next_step)


def status_of(error: GlueprintError) -> int:
    """The status of the answer that says the error."""
    if isinstance(error, InternalError):
        return 500
    if isinstance(error, EnvironmentProblemError):
        return STATUS.get(error.code, 503)
    return STATUS.get(error.code, 422)
