"""What a request asks for beyond that for which something speaks: the record that every room says it with."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["Outside"]


@dataclass(frozen=True)
class Outside:
    """One thing in which a protocol or an experiment goes beyond what its numbers rest on.

    field: of the request.   asked: what it says.   covered: what speaks for the numbers.   code: of the
    finding.   basis: who covers it.
    """

    field: str
    asked: str
    covered: str
    code: str
    basis: str

    def __str__(self) -> str:
        return f"{self.field}: {self.asked}; {self.basis} cover {self.covered} ({self.code})"

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)
