"""Files of parameters that belong to no compound: read, checked field by field, by section."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import field_validator

from glueprint.documents import Document, read, validate
from glueprint.mechanism import substrates
from glueprint.mechanism.quantities import CODES, Covariance, Quantity, need_priors
from glueprint.mechanism.substrates import Substrate

__all__ = ["CAPACITIES", "Group", "System", "culture", "groups", "of_pairs", "read_system", "system"]


# Sections of the table that come from the rows of substrates.
CAPACITIES, DEGRADATION = "capacities", "degradation"


class Group(Document):
    """One section of the parameter file."""

    quantities: dict[str, Quantity]
    covariance: tuple[Covariance, ...] = ()

    @field_validator("quantities", mode="after")
    @classmethod
    def _have_priors(cls, value: dict[str, Quantity]) -> dict[str, Quantity]:
        need_priors(value)
        return value


class System(Document):
    """All parameters that do not belong to a compound, by section."""

    kind: Literal["parameters"]
    version: Literal[1]
    groups: dict[str, Group]


@lru_cache(maxsize=2)
def _read(file: str) -> System:
    return read_system(Path(str(files("glueprint.mechanism") / "data" / file)))


def read_system(path: Path) -> System:
    """A file of parameters. Raises InputError GP-M002 to GP-M004 (a bad field, a missing prior), GP-M010."""
    content = read(path, CODES)
    head = {key: content.pop(key) for key in ("kind", "version")}
    sections = {
        section: {
            "quantities": {name: value for name, value in body.items() if name != "covariance"},
            "covariance": body.get("covariance", []),
        }
        for section, body in content.items()
    }
    return validate(System, head | {"groups": sections}, CODES, where=str(path))


def groups() -> dict[str, Group]:
    """The sections of the file for body and disease, by name."""
    return dict(_read("parameters.toml").groups)


def system() -> dict[str, tuple[str, Quantity]]:
    """Parameters of body and disease: name -> (section, quantity); capacities are read by compounds alone."""
    return _flat(_read("parameters.toml")) | of_pairs(substrates.rows())


def of_pairs(known: Mapping[str, Substrate]) -> dict[str, tuple[str, Quantity]]:
    """Capacity and natural loss of every pair of substrate and cell, as `system` gives them; known: rows."""
    cells = {pair: known[name].cells[cell] for pair, (name, cell) in substrates.pairs(known).items()}  # type: ignore[index]
    return {f"{pair}_capacity": (CAPACITIES, cell.capacity) for pair, cell in cells.items()} | {
        f"{pair}_kdeg_per_h": (DEGRADATION, cell.kdeg_per_h) for pair, cell in cells.items()
    }


def culture() -> dict[str, tuple[str, Quantity]]:
    """Parameters of cells in culture: name -> (section, quantity); they count before those of `system`."""
    return system() | _flat(_read("parameters_culture.toml"))


def _flat(content: System) -> dict[str, tuple[str, Quantity]]:
    return {
        name: (section, quantity)
        for section, group in content.groups.items()
        for name, quantity in group.quantities.items()
    }
