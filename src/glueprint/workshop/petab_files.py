"""What problems in PEtab 1 and 2 have in common: a YAML file, tables beside it, and their cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from glueprint.boundary import files as plain_files
from glueprint.boundary import read_text
from glueprint.errors import InputError, NotSupportedError, nearest, optional_package
from glueprint.workshop.cells import Row, number, read_rows
from glueprint.workshop.problem import Fill, Observable, Rows

__all__ = [
    "content_of",
    "one_of",
    "paths",
    "refused",
    "require_known",
    "rows_of",
    "tables",
    "value",
    "version_of",
]


def content_of(path: Path) -> dict[str, Any]:
    """What a YAML file says.

    Raises InputError GP-W001, EnvironmentProblemError GP-W023 (the extra `petab` is not installed).
    """
    yaml = optional_package(
        "yaml",
        "GP-W023",
        where=str(path),
        expected="PyYAML, which reads YAML files",
        next_step='python -m pip install "glueprint[petab]"',
    )
    try:
        content = yaml.safe_load(read_text(path))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(
            "GP-W001",
            f"cannot be read: {reason}",
            where=str(path),
            expected="a YAML file of PEtab",
            next_step="check the path and the file",
        ) from error
    return content if isinstance(content, dict) else {}


def version_of(content: dict[str, Any]) -> str:
    """The version that a problem states, "none" where it states none."""
    return str(content.get("format_version", "none"))


def paths(path: Path, given: Any, kind: str, *, optional: bool = False) -> list[Path]:
    """Files that a problem names, in its own folder. Raises InputError GP-W003."""
    if optional and not given:
        return []
    names = [given] if isinstance(given, str) else given
    if (
        not isinstance(names, list)
        or not names
        or not all(plain_files.is_name_inside(name) for name in names)
    ):
        raise InputError(
            "GP-W003",
            f"{kind} is {given!r}",
            where=f"{path}, {kind}",
            expected="names of files in the folder of the YAML file",
            next_step="put the files there and name them",
        )
    return [path.parent / name for name in names]


def refused(what: str, where: str, next_step: str) -> NotSupportedError:
    """Of what has a meaning that is not offered."""
    return NotSupportedError("GP-W020", what, where=where, next_step=next_step)


def tables(files: Sequence[Path], needs: tuple[str, ...]) -> Iterable[Row]:
    """The rows of several tables. Raises as `cells.read_rows`."""
    for path in files:
        yield from read_rows(path, needs=needs, delimiter="\t")


def one_of(row: Row, column: str, known: Iterable[str], default: str) -> str:
    """A cell that must be one of some words. Raises InputError GP-W004."""
    found = row.text(column, default)
    if found not in known:
        raise InputError(
            "GP-W004",
            f'"{found}" is not known{nearest(found, known)}',
            where=row.where(column),
            expected=f"one of {', '.join(known)}",
            next_step="correct the cell",
        )
    return found


def value(text: str) -> Fill:
    """A number, or the name of a parameter."""
    found = number(text)
    return text if found is None else found


def require_known(name: str, known: Iterable[str], row: Row, column: str, kind: str) -> None:
    """A name in a column must stand in the table of its kind: observable, condition or experiment.

    Raises InputError GP-W008 for an observable, GP-W009 for the others.
    """
    if name not in known:
        raise InputError(
            "GP-W008" if kind == "observable" else "GP-W009",
            f'there is no {kind} "{name}"{nearest(name, known)}',
            where=row.where(column),
            expected=f"{'a' if kind == 'condition' else 'an'} {kind}Id of the table of {kind}s",
            next_step=f"add the {kind} or correct the name",
        )


def rows_of(measured: Sequence[Row], observables: Sequence[Observable], experiments: Sequence[int]) -> Rows:
    """What was measured.   experiments: of each row, its place among those of the problem.

    Raises InputError GP-W008, and as `Row.number`.
    """
    names = {one.name: place for place, one in enumerate(observables)}
    for row in measured:
        require_known(row.name("observableId"), names, row, "observableId", "observable")
    return Rows(
        experiment=np.array(experiments, dtype=np.int64),
        observable=np.array([names[row.name("observableId")] for row in measured], dtype=np.int64),
        time=np.array([row.number("time") for row in measured], dtype=np.float64),
        value=np.array([row.number("measurement") for row in measured], dtype=np.float64),
        observable_fill=tuple(tuple(map(value, row.items("observableParameters"))) for row in measured),
        noise_fill=tuple(tuple(map(value, row.items("noiseParameters"))) for row in measured),
        where=tuple(row.where() for row in measured),
    )
