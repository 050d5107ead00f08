"""The shape of a reader: a name, a title, a cheap look at the head of a file, and the reading itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from glueprint.assays.plate import Plate

__all__ = ["HEAD_BYTES", "FunctionReader", "Reader"]

# A reader decides on this much of a file.
HEAD_BYTES = 8192


@runtime_checkable
class Reader(Protocol):
    """What an entry point of the group `glueprint.readers` gives."""

    @property
    def name(self) -> str:
        """Short name, as in `glueprint assay plate --reader NAME`."""

    @property
    def title(self) -> str:
        """What it reads, for people."""

    def recognises(self, head: bytes, name: str) -> bool:
        """Whether a file that begins with `head` (at most `HEAD_BYTES`) and is called `name` is its own."""

    def parse(self, content: bytes, source: str) -> Plate:
        """The plate in the bytes of a file; `source` names it in messages. Raises GlueprintError only."""


@dataclass(frozen=True)
class FunctionReader:
    """A `Reader` made of two functions."""

    name: str
    title: str
    looks: Callable[[bytes, str], bool]
    reads: Callable[[bytes, str], Plate]

    def recognises(self, head: bytes, name: str) -> bool:
        """Whether the file is its own."""
        return self.looks(head, name)

    def parse(self, content: bytes, source: str) -> Plate:
        """The plate in the bytes of a file."""
        return self.reads(content, source)
