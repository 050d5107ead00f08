"""What a person may choose in an analysis of degradation, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass

from glueprint.errors import InputError, nearest

__all__ = ["ERRORS", "HOOKS", "METHODS", "Settings"]

METHODS = ("auto", "joint", "per-time")
ERRORS = ("auto", "proportional", "constant")
HOOKS = ("test", "never")


@dataclass(frozen=True)
class Settings:
    """The choices of an analysis.

    method: "joint" fits dose and time together, "per-time" a logistic at each time; "auto": joint where it
    can be.
    error: of a reading, "proportional" (logarithms are fitted) or "constant"; "auto": the likelier one.
    hook: "test" whether high doses lose less (F test at hook_alpha), or "never".   confidence: of all
    intervals.   exclude: lanes to leave out, each "3=reason", "membrane:3=reason" or "row 7=reason".
    """

    method: str = "auto"
    error: str = "auto"
    hook: str = "test"
    hook_alpha: float = 0.01
    confidence: float = 0.95
    exclude: tuple[str, ...] = ()

    def checked(self) -> Settings:
        """Itself.

        Raises InputError GP-A141 for a choice that is not one.
        """
        for name, allowed in (("method", METHODS), ("error", ERRORS), ("hook", HOOKS)):
            chosen = str(getattr(self, name))
            if chosen not in allowed:
                raise _refusal(name, f'"{chosen}"{nearest(chosen, allowed)}', "one of " + ", ".join(allowed))
        for name in ("hook_alpha", "confidence"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise _refusal(name, f"{getattr(self, name):g}", "a number between 0 and 1")
        return self


def _refusal(where: str, message: str, expected: str) -> InputError:
    return InputError(
        "GP-A141", message, where=f"setting {where}", expected=expected, next_step="correct the setting"
    )
