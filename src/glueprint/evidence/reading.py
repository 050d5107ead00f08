"""Reads claims from CSV files of the one schema, and says which cell is wrong when one is."""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files
from io import StringIO
from pathlib import Path

from glueprint import units
from glueprint.boundary import read_text
from glueprint.errors import EnvironmentProblemError, InputError, nearest
from glueprint.evidence.claim import COLUMNS, GRADES, INTERVAL_KINDS, NUMBER_COLUMNS, ROLES, Claim

__all__ = ["read_builtin", "read_file", "require_unique"]

# A user's file needs these; the other columns of the schema may be left out.
REQUIRED = ("id", "quantity", "value", "unit", "source", "grade", "role")
VOCABULARIES = {"interval_kind": INTERVAL_KINDS, "grade": GRADES, "role": ROLES}
KIND, VERSION = "glueprint-evidence", 1


def read_builtin() -> tuple[Claim, ...]:
    """The claims that come with Glueprint."""
    folder = files("glueprint.evidence") / "data"
    schema = tomllib.loads((folder / "schema.toml").read_text(encoding="utf-8"))
    if (schema["kind"], schema["version"]) != (KIND, VERSION):
        raise InputError(
            "GP-E009",
            f'evidence of kind "{schema["kind"]}", version {schema["version"]}',
            where="schema.toml",
            expected=f'"{KIND}", version {VERSION}',
            next_step="install Glueprint again, or read the data with the release that wrote them",
        )
    claims: list[Claim] = []
    for name in schema["files"]:
        claims += _parse((folder / name).read_text(encoding="utf-8"), name)
    return tuple(claims)


def read_file(path: str | Path) -> tuple[Claim, ...]:
    """The claims of a CSV file of the evidence schema.

    Raises EnvironmentProblemError GP-E008 if the file cannot be read; InputError GP-E003 (column missing or
    not known), GP-E004 (not a number), GP-E006 (unit not known), GP-E007 (not one of the column's words).
    """
    path = Path(path)
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise EnvironmentProblemError(
            "GP-E008",
            f"cannot read the file: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}",
            where=str(path),
            expected="a readable CSV file in UTF-8",
            next_step="check the path and the permissions",
        ) from error
    return tuple(_parse(text, str(path)))


def require_unique(claims: Iterable[Claim]) -> None:
    """Refuse two claims with one id: InputError GP-E005."""
    seen: dict[str, Claim] = {}
    for claim in claims:
        first = seen.setdefault(claim.id, claim)
        if first is not claim:
            raise InputError(
                "GP-E005",
                f'id "{claim.id}" is used twice; first in {first.where}',
                where=f'{claim.where}, column "id"',
                expected="one id for one claim",
                next_step="give your claim an id of its own, for example with a prefix",
            )


def _parse(text: str, name: str) -> list[Claim]:
    reader = csv.DictReader(StringIO(text))
    header = tuple(reader.fieldnames or ())
    _require_columns(header, name)
    claims = []
    for row in _rows(reader, name):
        where = f"{name} row {reader.line_num}"
        if None in row or None in row.values():
            raise InputError(
                "GP-E003",
                "the row has not as many cells as the header",
                where=where,
                expected=f"{len(header)} cells",
                next_step="put double quotes round cells that hold a comma",
            )
        claims.append(_claim({key: cell.strip() for key, cell in row.items()}, where))
    return claims


def _require_columns(header: tuple[str, ...], name: str) -> None:
    for column in REQUIRED:
        if column not in header:
            raise InputError(
                "GP-E003",
                f'column "{column}" is missing',
                where=f"{name} row 1",
                expected="at least the columns " + ", ".join(REQUIRED),
                next_step=f'add a column "{column}"',
            )
    for column in header:
        if column not in COLUMNS:
            raise InputError(
                "GP-E003",
                f'column "{column}" is not known{nearest(column, COLUMNS)}',
                where=f"{name} row 1",
                expected="only columns of the schema: " + ", ".join(COLUMNS),
                next_step="rename or remove the column, so that nothing is left unread",
            )


def _rows(reader: csv.DictReader[str], name: str) -> Iterator[dict[str, str]]:
    """The rows; a cell beyond what the csv module takes is refused as any other."""
    try:
        yield from reader
    except csv.Error as error:
        raise InputError(
            "GP-E003",
            f"cannot be read as CSV: {error}",
            where=f"{name} row {reader.line_num + 1}",
            expected="cells of at most 131072 characters, quoted where they hold a comma or a line break",
            next_step="look for a quote that is not closed, or shorten the cell",
        ) from error


def _claim(row: dict[str, str], where: str) -> Claim:
    cells: dict[str, object] = {column: row.get(column, "") for column in COLUMNS}
    if not row["id"]:
        raise InputError(
            "GP-E007",
            "the claim has no id",
            where=f'{where}, column "id"',
            expected="a name for the claim",
            next_step='write one, for example "MY-001"',
        )
    for column in NUMBER_COLUMNS:
        cells[column] = _number(row.get(column, ""), where, column)
    count = _number(row.get("n", ""), where, "n")
    cells["n"] = None if count is None else int(count)
    for column, words in VOCABULARIES.items():
        word = row.get(column, "")
        if word not in words:
            raise InputError(
                "GP-E007",
                f'"{word}" is not one of the words of this column{nearest(word, words)}',
                where=f'{where}, column "{column}"',
                expected=", ".join(f'"{known}"' for known in words),
                next_step="use one of these words; docs/evidence.md explains them",
            )
    _require_unit(row["unit"], where)
    return Claim(**cells, where=where)  # type: ignore[arg-type]


def _number(cell: str, where: str, column: str) -> float | None:
    if not cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (column == "n" and value != int(value)):
        raise InputError(
            "GP-E004",
            f'"{cell}" is not a number',
            where=f'{where}, column "{column}"',
            expected="a whole number" if column == "n" else "one number, with a point as decimal sign",
            next_step='several numbers need several claims; words belong in the column "text"',
        )
    return value


@lru_cache(maxsize=256)
def _known(unit: str) -> bool:
    return units.is_known(unit)


def _require_unit(unit: str, where: str) -> None:
    if unit and not _known(unit):
        raise InputError(
            "GP-E006",
            f'the unit "{unit}" is not known',
            where=f'{where}, column "unit"',
            expected='a unit such as nM, ng/mL, L/h, 1e9/L, month, %, or "1" for a plain number',
            next_step="write the unit in one of these ways; leave it empty where the claim is text only",
        )
