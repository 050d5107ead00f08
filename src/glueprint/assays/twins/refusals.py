"""What a twin cannot be asked for, in the words of the house."""

from __future__ import annotations

from collections.abc import Iterable

from glueprint.errors import InputError, nearest

__all__ = ["no_protocol", "not_among", "too_many"]


def too_many(wanted: int, most: int, what: str, protocol: str) -> None:
    """Nothing where a design fits.

    Raises InputError GP-A185 where it does not.
    """
    if wanted > most:
        raise InputError(
            "GP-A185",
            f"{wanted} {what}",
            where=f"twin {protocol}",
            expected=f"at most {most}",
            next_step="fewer replicates, doses or compounds; or several twins with different seeds",
        )


def not_among(names: Iterable[str], known: Iterable[str], where: str) -> None:
    """Nothing where every name is known.

    Raises InputError GP-A183 for the first that is not.
    """
    have = list(known)
    for name in names:
        if name not in have:
            raise InputError(
                "GP-A183",
                f'no "{name[:40]}"{nearest(name, have)}',
                where=where,
                expected=f"one of {', '.join(have)}",
                next_step="correct the name, or add it",
            )


def no_protocol(name: str, known: Iterable[str]) -> InputError:
    """The error GP-A186 for a protocol that has no twin."""
    have = list(known)
    return InputError(
        "GP-A186",
        f'no twin "{name[:40]}"{nearest(name, have)}',
        where="glueprint assay twin",
        expected=f"one of {', '.join(have)}",
        next_step="name the protocol first: `glueprint assay twin fp --out demo`",
    )
