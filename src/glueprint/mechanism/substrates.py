"""Neosubstrates of cereblon: rows of one file, and what a compound's own file adds to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from glueprint.documents import Document, read, validate
from glueprint.errors import nearest
from glueprint.mechanism.quantities import CODES, Quantity, need_priors

__all__ = [
    "BY_SUBSTRATE",
    "CELLS",
    "NAME",
    "CellOfBody",
    "Substrate",
    "all_rows",
    "check_names",
    "check_own",
    "pair_of",
    "pairs",
    "rows",
]

# Types of cells in the body whose substrates a module may read, in the order in which a model follows them.
CELLS = ("myeloma", "tcell", "progenitor")
# Fields of [pharmacology] that speak of substrates by name; those of `rho` are pairs of substrate and cell.
BY_SUBSTRATE = ("degrades", "efficacy", "cooperativity", "intrinsic_kd_nm")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
UNITS = {"capacity": "dimensionless", "kdeg_per_h": "1/h", "intrinsic_kd_nm": "nM"}


class _Section(Document):
    @field_validator("*", mode="after")
    @classmethod
    def _has_prior_unit_and_sign(cls, value: object, info: ValidationInfo) -> object:
        name = info.field_name or ""
        if isinstance(value, Quantity) and name in UNITS:
            need_priors({name: value})
            if value.unit != UNITS[name]:
                raise ValueError(
                    f'unit "{value.unit}" does not fit the name; give the value in {UNITS[name]}'
                )
            if value.typical < 0 or (value.typical == 0 and name != "capacity"):
                raise ValueError(f"{value.typical} is not a positive number")
        return value


class CellOfBody(_Section):
    """One substrate in one type of cell: rho at efficacy 1 (capacity), and its natural loss."""

    capacity: Quantity
    kdeg_per_h: Quantity


class Substrate(_Section):
    """One neosubstrate.

    where_not_listed: what a compound's file that does not speak of it means, "unknown" or "not degraded".
    cells: of the body, by CELLS, in which a module may read it.
    """

    where_not_listed: Literal["unknown", "not degraded"] = "not degraded"
    intrinsic_kd_nm: Quantity | None = None
    cells: dict[Literal["myeloma", "tcell", "progenitor"], CellOfBody] = {}  # noqa: RUF012 (pydantic copies)


class _Rows(Document):
    kind: Literal["substrates"]
    version: Literal[1]
    rows: dict[str, Substrate]


@lru_cache(maxsize=1)
def rows() -> Mapping[str, Substrate]:
    """The neosubstrates that come with Glueprint, by name."""
    path = Path(str(files("glueprint.mechanism") / "data" / "substrates.toml"))
    return dict(validate(_Rows, read(path, CODES), CODES, where=str(path)).rows)


def all_rows(own: Mapping[str, Substrate]) -> dict[str, Substrate]:
    """The rows that come with Glueprint and those of a compound's own file."""
    return {**rows(), **own}


def pair_of(substrate: str, cell: str) -> str:
    """The name in a model of a substrate in a type of cell."""
    return f"{substrate.lower()}_{cell}"


def pairs(known: Mapping[str, Substrate]) -> dict[str, tuple[str, str]]:
    """Pairs of substrate and cell by their names in a model, cell by cell."""
    return {
        pair_of(name, cell): (name, cell)
        for cell in CELLS
        for name, row in known.items()
        if cell in row.cells
    }


def check_names(given: Mapping[str, Iterable[str]], known: Mapping[str, Substrate]) -> None:
    """Refuse names that are no substrates, all in one message.   Raises PydanticCustomError GP-M014.

    given: names by field of [pharmacology]; those of "rho" are pairs of substrate and cell.
    """
    strange = []
    for field, names in given.items():
        allowed = list(pairs(known) if field == "rho" else known)
        strange += [
            f'{field}: "{name}"{nearest(name, allowed)}'
            for name in dict.fromkeys(names)
            if name not in allowed
        ]
    if strange:
        raise PydanticCustomError(
            "GP-M014",
            "no substrate that is known: {told}",
            {
                "told": "; ".join(strange),
                "expected": f"one of {', '.join(known)}, with the cell in small letters for rho "
                f"({', '.join(pairs(known))}), or a row of the file's own, [substrates.NAME]",
                "next_step": "correct the name, or add the row; docs/compounds.md shows one",
            },
        )


def check_own(own: Mapping[str, Substrate]) -> None:
    """Refuse rows of a file that cannot be told from others.   Raises PydanticCustomError GP-M014."""
    taken = {name.lower(): name for name in rows()}
    for name in own:
        clash = taken.get(name.lower())
        if clash is not None or not NAME.fullmatch(name):
            raise PydanticCustomError(
                "GP-M014",
                "substrates.{name}: {why}",
                {
                    "name": name,
                    "why": f"{clash} is a row already" if clash else "letters and digits make a name",
                    "expected": "a substrate that does not come with Glueprint, such as ZNF692",
                    "next_step": "give the row another name, or leave it out and speak of its efficacy alone",
                },
            )
        taken[name.lower()] = name
