"""SQL over a run's folder: DuckDB views of its Parquet files, for reading only.

The catalogue lives in the memory of the process that asks, so nothing is written and any number may ask at
once, also while a run is in progress.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from glueprint.errors import InputError, nearest
from glueprint.runs import ledger, provenance, units, workspace
from glueprint.runs.store import disk_errors

__all__ = ["Answer", "query", "tables"]

CARET = re.compile(r"LINE (\d+): (.*)\n( *)\^")
UNKNOWN = re.compile(r"Table with name \"?([\w.]+)\"? does not exist")
READING = ("SELECT", "EXPLAIN")


@dataclass(frozen=True)
class Answer:
    """Rows as DuckDB gives them, under the names and types of their columns."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def tables(folder: Path) -> dict[str, list[Path]]:
    """Name -> Parquet files: the tables of a finished run, else those of the units that are there so far.

    Raises InputError GP-R013 if no run wrote this folder.
    """
    with disk_errors(folder):
        finished = {path.stem: [path] for path in sorted((folder / workspace.TABLES).glob("*.parquet"))}
        found: dict[str, list[Path]] = {}
        if not finished:
            for unit in units.folders(workspace.units_root(folder)):
                for path in sorted(unit.glob("*.parquet")):
                    found.setdefault(f"{unit.parent.name}_{path.stem}", []).append(path)
        if not (
            finished or found or any((folder / n).is_file() for n in (ledger.FILE_NAME, provenance.FILE_NAME))
        ):
            raise InputError(
                "GP-R013",
                "holds no run",
                where=str(folder),
                expected=f'a folder with "{ledger.FILE_NAME}", as a run leaves it',
                next_step="check the path",
            )
    return finished or found


def query(folder: Path, sql: str) -> Answer:
    """Ask the tables of a folder.

    sql: one statement that reads, in DuckDB's SQL.
    Raises InputError GP-R014 (not SQL, or a name that is not there), GP-R015 (not one statement that reads),
    and what `tables` raises.
    """
    named = tables(folder)
    with duckdb.connect(":memory:") as connection:
        for name, paths in named.items():
            listed = ", ".join(_quoted(str(path)) for path in paths)
            connection.execute(f'create view "{name}" as select * from read_parquet([{listed}])')
        # Views of these files, and nothing else of the machine; a statement cannot lift the limit again.
        files = ", ".join(_quoted(str(path)) for paths in named.values() for path in paths)
        connection.execute(f"set allowed_paths = [{files}]")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        try:
            _refuse_other_than_reading(connection, sql)
            done = connection.execute(sql)
            described = done.description or []
            rows = tuple(done.fetchall())
        except duckdb.Error as error:
            raise _refused(str(error), sql, named) from error
    return Answer(tuple(c[0] for c in described), tuple(str(c[1]) for c in described), rows)


def _refuse_other_than_reading(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    kinds = [statement.type.name for statement in connection.extract_statements(sql)]
    if len(kinds) != 1 or kinds[0] not in READING:
        said = f"{len(kinds)} statements" if len(kinds) != 1 else f"a statement of kind {kinds[0]}"
        raise InputError(
            "GP-R015",
            f"{said} where one is read from",
            where="query",
            expected="one statement that reads, such as select ... from ...",
            next_step="write results elsewhere with the program that asks, for example from --json",
        )


def _refused(told: str, sql: str, named: Mapping[str, list[Path]]) -> InputError:
    """DuckDB's complaint with its place in the statement and the names that there are."""
    place = CARET.search(told)
    where = "query"
    if place:
        line = int(place[1])
        # The complaint shows a part of a long line; its text before the caret is found again in the line.
        shown = place[2].removeprefix("...").removesuffix("...")
        skipped = len(place[2]) - len(place[2].removeprefix("..."))
        column = len(place[3]) - len(f"LINE {line}: ") - skipped
        start = max(sql.splitlines()[line - 1].find(shown), 0)
        where = f"query, line {line}, column {start + column + 1}"
    said = told.split("\n", maxsplit=1)[0]
    unknown = UNKNOWN.search(told)
    hint = nearest(unknown[1], named) if unknown else ""
    return InputError(
        "GP-R014",
        f"{said}{hint}",
        where=where,
        expected=f"SQL over the tables {', '.join(named) or 'of the run, which has none yet'}",
        next_step='see the columns of a table with "describe select * from TABLE"'
        if named
        else "wait for units",
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
