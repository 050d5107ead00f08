"""What the workbench refuses: an error with its code, and the status of the answer that carries it."""

from __future__ import annotations

from collections.abc import Mapping

from glueprint.errors import EnvironmentProblemError, GlueprintError, InputError, InternalError

__all__ = ["STATUS", "RefusedError", "refused", "require_reason", "status_of"]

# Code -> status of the answer; any other code of unusable input is 422, an error of ours 500.
STATUS: Mapping[str, int] = {
    "GP-B002": 401,
    "GP-B003": 421,
    "GP-B004": 403,
    "GP-B005": 403,
    "GP-B006": 413,
    "GP-B007": 404,
    "GP-B008": 405,
    "GP-B010": 404,
    "GP-B011": 409,
    "GP-B012": 409,
    "GP-B014": 409,
    "GP-B020": 415,
    "GP-B021": 413,
    "GP-B030": 404,
    "GP-B031": 409,
    "GP-R006": 409,
    "GP-S025": 409,
    "GP-S072": 404,
}


class RefusedError(InputError):
    """A request that the workbench does not answer."""


def refused(code: str, message: str, expected: str, next_step: str, *, where: str = "") -> RefusedError:
    """A refusal, all of whose parts are said."""
    return RefusedError(code, message, where=where, expected=expected, next_step=next_step)


def require_reason(reason: str) -> None:
    """Refuse what is done by hand without a reason that can be read.   Raises RefusedError GP-B025."""
    if not reason or not reason.isprintable():
        raise refused(
            "GP-B025",
            "no reason is said",
            "a word or two",
            "say why; it is kept with the result",
            where="reason",
        )


def status_of(error: GlueprintError) -> int:
    """The status of the answer that says the error."""
    if isinstance(error, InternalError):
        return 500
    if isinstance(error, EnvironmentProblemError):
        return STATUS.get(error.code, 503)
    return STATUS.get(error.code, 422)
