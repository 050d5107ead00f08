"""Drugs that are given beside a glue or alone, each followed by a module of its own: rows of one file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from glueprint.documents import Document, read, validate
from glueprint.mechanism.quantities import CODES

__all__ = ["Partner", "rows"]


class Partner(Document):
    """One partner drug: the module that follows it, and the species that takes its doses, in mg."""

    kind: Literal["partner"] = "partner"
    name: str
    module: str
    dose_target: str


class _Rows(Document):
    kind: Literal["partners"]
    version: Literal[1]
    rows: dict[str, Partner]

    @model_validator(mode="before")
    @classmethod
    def _names(cls, data: Any) -> Any:
        named = {name: {"name": name, **row} for name, row in data["rows"].items()}
        return {**data, "rows": named}


@lru_cache(maxsize=1)
def rows() -> Mapping[str, Partner]:
    """The partner drugs that the trial model follows, by name."""
    path = Path(str(files("glueprint.mechanism") / "data" / "partners.toml"))
    return dict(validate(_Rows, read(path, CODES), CODES, where=str(path)).rows)
