"""Findings: what a reader or an analysis noticed and did not hide, each with a code, a place and a remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import polars as pl

__all__ = ["SCHEMA", "Finding", "Severity", "findings_table", "how_many"]

# "note" is for the record, "warning" weakens a result, "refusal" means that something was not computed.
Severity = Literal["note", "warning", "refusal"]
SCHEMA = dict.fromkeys(("code", "severity", "message", "where", "expected", "next_step"), pl.String)


@dataclass(frozen=True)
class Finding:
    """One thing that a reader or an analysis noticed.

    code: stable, as in docs/errors/.   message: what it is, quoting the offending text.
    where: file, plate, well, column or sample.   expected: what would have been right.
    next_step: what to do.
    """

    code: str
    severity: Severity
    message: str
    where: str = ""
    expected: str = ""
    next_step: str = ""

    def text(self) -> str:
        """The finding in one line for people."""
        place = f" {self.where}" if self.where else ""
        remedy = f"; {self.next_step}" if self.next_step else ""
        return f"{self.code} {self.severity}{place}: {self.message}{remedy}"

    def as_dict(self) -> dict[str, str]:
        """The fields by name, for `--json`."""
        return asdict(self)


def how_many(count: int, what: str) -> str:
    """Subject and verb of a message: "1 well is", "3 wells are".   what: in the plural."""
    return f"1 {what.removesuffix('s')} is" if count == 1 else f"{count} {what} are"


def findings_table(findings: Iterable[Finding]) -> pl.DataFrame:
    """The findings as a table with the columns of `SCHEMA`, in their order."""
    return pl.DataFrame([finding.as_dict() for finding in findings], schema=SCHEMA)
