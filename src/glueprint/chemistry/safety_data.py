"""Hazard statements and solvents as data, each with its source; what is not listed says so."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

__all__ = ["NOT_LISTED", "Hazard", "Solvent", "hazard", "recommended", "solvent"]

NOT_LISTED = "no classification is listed here: look at the supplier's safety data sheet"


@dataclass(frozen=True)
class Hazard:
    """One material: GHS hazard statements as (code, words), and their source; empty with `NOT_LISTED`."""

    name: str
    statements: tuple[tuple[str, str], ...]
    source: str


@dataclass(frozen=True)
class Solvent:
    """One solvent: density in g/mL near 20 C, and its rank in the CHEM21 guide."""

    name: str
    density_g_per_ml: float
    rank: str
    source: str


def hazard(name: str) -> Hazard:
    """The hazard statements of a material, or none with `NOT_LISTED` as the source."""
    data = _data("hazards.toml")
    row = next((one for one in data["hazard"] if one["name"] == name), None)
    if row is None:
        return Hazard(name, (), NOT_LISTED)
    return Hazard(name, tuple((code, data["statements"][code]) for code in row["h"]), row["source"])


def solvent(name: str) -> Solvent | None:
    """A solvent of the table by the name a step gives it ("acetic acid, glacial" too), or None."""
    data = _data("solvents.toml")
    row = next(
        (one for one in data["solvent"] if one["name"] in (name, name.removesuffix(", glacial"))), None
    )
    return Solvent(**row, source=data["source"]) if row is not None else None


def recommended() -> tuple[str, ...]:
    """Solvents of the guide's first rank, to try first."""
    return tuple(_data("solvents.toml")["try_first"])


@lru_cache(maxsize=4)
def _data(name: str) -> Mapping[str, Any]:
    text = (files("glueprint.chemistry") / "data" / name).read_text(encoding="utf-8")
    return tomllib.loads(text)
