"""Findings that somebody looked at and let stand, each with the reason: what is left is new."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import Field

from glueprint import documents
from glueprint.documents import Codes, Document, quoted
from glueprint.errors import InputError
from glueprint.evidence.checks import Finding

__all__ = ["Accepted", "builtin_accepted", "not_accepted", "read_accepted", "write_accepted"]

CODES = Codes(
    unreadable="GP-E012",
    syntax="GP-E012",
    header="GP-E012",
    field="GP-E012",
    help="`glueprint evidence check --accept FILE` writes one",
)
KIND, VERSION = "accepted findings", 1
NO_REASON = "say here why it stands"


class Accepted(Document):
    """One finding that stands: its code, claims and words, and why.

    A finding whose words are others (another number, another claim) is not this one.
    """

    code: str = Field(min_length=1)
    claims: tuple[str, ...]
    what: str = Field(min_length=1)
    why: str = Field(min_length=1)


class _File(Document):
    kind: Literal["accepted findings"]
    version: Literal[1]
    accepted: tuple[Accepted, ...] = ()


@lru_cache(maxsize=1)
def builtin_accepted() -> tuple[Accepted, ...]:
    """The findings on Glueprint's own claims that stand."""
    path = files("glueprint.evidence") / "data" / "accepted.toml"
    return documents.validate(_File, documents.read(path, CODES), CODES, where="accepted.toml").accepted


def read_accepted(path: str | Path) -> tuple[Accepted, ...]:
    """The findings that a file of yours lets stand.

    Raises InputError GP-E012 if it is no such file, or an entry has no reason yet.
    """
    found = documents.validate(_File, documents.read(Path(path), CODES), CODES, where=str(path)).accepted
    for number, entry in enumerate(found):
        if entry.why == NO_REASON:
            raise InputError(
                CODES.field,
                "no reason yet",
                where=f"{path}, accepted[{number}].why",
                expected="why this finding may stand",
                next_step=f'write it in place of "{NO_REASON}"',
            )
    return found


def not_accepted(findings: Sequence[Finding], accepted: Sequence[Accepted]) -> tuple[Finding, ...]:
    """The findings that nobody has let stand, in their order."""
    known = {(entry.code, entry.claims, entry.what) for entry in accepted}
    return tuple(one for one in findings if (one.code, one.claim_ids, one.what) not in known)


def write_accepted(path: str | Path, findings: Sequence[Finding]) -> None:
    """Write a new file that lets these findings stand, once a reason stands beside each.

    Raises InputError GP-E013 if there is a file, EnvironmentProblemError GP-E012 if it cannot be written.
    """
    lines = [f'kind = "{KIND}"', f"version = {VERSION}"]
    for finding in findings:
        lines += [
            "",
            "[[accepted]]",
            f"code = {quoted(finding.code)}",
            f"claims = [{', '.join(map(quoted, finding.claim_ids))}]",
            f"what = {quoted(finding.what)}",
            f"why = {quoted(NO_REASON)}",
        ]
    documents.write_new(Path(path), "\n".join(lines) + "\n", exists="GP-E013", unwritable="GP-E012")
