"""Cell lines and cell types: one TOML file each, with what a cell brings to any compound."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import ValidationInfo, field_validator

from glueprint.boundary import read_text
from glueprint.documents import Codes, Document, parse, read, validate
from glueprint.errors import InputError, nearest
from glueprint.mechanism import substrates, systems
from glueprint.mechanism.quantities import Quantity, need_priors

__all__ = ["Line", "Neosubstrate", "load", "names"]

CODES = Codes(
    unreadable="GP-M032",
    syntax="GP-M033",
    header="GP-M034",
    field="GP-M035",
    help="docs/mechanism.md shows a whole cell-line file",
)
# Names that people use for a line that has another here.
ALIASES = {"pbmc": "monocyte", "MM.1S": "MM1S", "NCI-H929": "H929", "OPM-2": "OPM2", "RPMI-8226": "RPMI8226"}
# Names of substrates as alike as this (difflib) are taken for slips of each other: one letter in five.
ALIKE = 0.8
UNITS = {
    "crbn_nm": "nM",
    "abundance_nm": "nM",
    "capacity": "dimensionless",
    "kdeg_per_h": "1/h",
    "doubling_h": "h",
    "assay_days": "d",
}


class _Section(Document):
    @field_validator("*", mode="after")
    @classmethod
    def _has_prior_unit_and_sign(cls, value: object, info: ValidationInfo) -> object:
        unit = UNITS.get(info.field_name or "")
        if isinstance(value, Quantity) and unit is not None:
            need_priors({info.field_name or "": value})
            if value.unit != unit:
                raise ValueError(f'unit "{value.unit}" does not fit the name; give the value in {unit}')
            if value.typical < 0 or (value.typical == 0 and info.field_name != "capacity"):
                raise ValueError(f"{value.typical} is not a positive number")
        return value


class Neosubstrate(_Section):
    """One substrate in one cell: rho of pomalidomide (capacity), untreated level, natural loss."""

    capacity: Quantity
    abundance_nm: Quantity
    kdeg_per_h: Quantity


class Line(_Section):
    """A cell line or cell type; `downstream` gives parameters of its module anew, by name."""

    kind: Literal["cell line"]
    version: Literal[1]
    name: str
    type: Literal["myeloma", "monocyte", "t_cell", "progenitor"]
    crbn_nm: Quantity
    substrates: dict[str, Neosubstrate]
    doubling_h: Quantity | None = None
    assay_days: Quantity | None = None
    downstream: dict[str, Quantity] = {}  # noqa: RUF012 (pydantic copies defaults)

    @field_validator("substrates", mode="after")
    @classmethod
    def _substrates_have_names(cls, value: dict[str, Neosubstrate]) -> dict[str, Neosubstrate]:
        hints = {name: _slip(name) for name in value if name not in substrates.rows()}
        strange = [name for name, hint in hints.items() if hint or not substrates.NAME.fullmatch(name)]
        if strange:
            told = ", ".join(f'"{name}"{hints[name]}' for name in strange)
            raise ValueError(f"{told} is no substrate that is known")
        return value

    @field_validator("downstream", mode="after")
    @classmethod
    def _downstream_has_priors(cls, value: dict[str, Quantity]) -> dict[str, Quantity]:
        need_priors(value)
        return value

    def quantities(self) -> dict[str, Quantity]:
        """The line's own parameters of a culture model, by engine name, without rho."""
        found = {"crbn_nm": self.crbn_nm} | dict(self.downstream)
        if self.doubling_h is not None:
            found["doubling_h"] = self.doubling_h
        for substrate, own in self.substrates.items():
            prefix = str(substrate).lower()
            found[f"{prefix}_abundance_nm"] = own.abundance_nm
            found[f"{prefix}_kdeg_per_h"] = own.kdeg_per_h
        return found


def _slip(name: str) -> str:
    """A hint where a name is all but known; "" where it may be the row of a compound's own file.

    Names of one family, such as IKZF2 beside IKZF1, differ in numbers alone and are no slips.
    """
    known = {row.lower(): row for row in substrates.rows()}
    if re.sub(r"\d", "", name) in {re.sub(r"\d", "", row) for row in known.values()}:
        return ""
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=ALIKE)
    return f' (did you mean "{known[near[0]]}"?)' if near else ""


def names() -> tuple[str, ...]:
    """Names of the cell lines and cell types that come with Glueprint."""
    return tuple(
        sorted(p.name.removesuffix(".toml") for p in _folder().iterdir() if p.name.endswith(".toml"))
    )


def load(line: str | Path) -> Line:
    """A cell line by name, or from a TOML file of your own by path.

    Raises InputError GP-M031 (unknown name), GP-M032 (unreadable), GP-M033 (not TOML), GP-M034 (another kind
    or version), GP-M035 (a bad field).
    """
    text = ALIASES.get(str(line), str(line))
    if isinstance(line, Path) or text.endswith(".toml"):
        path = Path(line)
    elif text in names():
        path = _folder() / f"{text}.toml"
    else:
        raise InputError(
            "GP-M031",
            f'unknown cell line "{text}"{nearest(text, (*names(), *ALIASES))}',
            expected=f"one of {', '.join(names())}, or the path of a .toml file",
            next_step="correct the name, or write a cell-line file as docs/mechanism.md shows",
        )
    try:
        return _parsed(read_text(path), str(path))
    except (OSError, ValueError):
        return validate(Line, read(path, CODES), CODES, where=str(path))  # says what is wrong


@lru_cache(maxsize=32)
def _parsed(text: str, where: str) -> Line:
    """The line written in `text`, checked once however often its file is loaded."""
    found = validate(Line, parse(text, CODES, where=where), CODES, where=where)
    _check_downstream(found, where)
    return found


def _check_downstream(line: Line, where: str) -> None:
    """Every name of [downstream] is a parameter of cells in culture, in its unit."""
    known = systems.culture()
    for name, quantity in line.downstream.items():
        unit = known[name][1].unit if name in known else ""
        if unit != quantity.unit:
            what = f'unit "{quantity.unit}"' if unit else f"is no parameter of a cell{nearest(name, known)}"
            raise InputError(
                "GP-M035",
                what,
                where=f"{where}, downstream.{name}",
                expected=f'unit "{unit}"' if unit else "a name of models.table(...) of a culture model",
                next_step=f"correct it; {CODES.help}",
            )


def _folder() -> Path:
    return Path(str(files("glueprint.mechanism") / "data" / "lines"))
