"""SQL over a run's folder: DuckDB views of its Parquet files, for reading only.

The catalogue lives in the memory of the process that asks, so nothing is written and any number may ask at
once, also while a run is in progress.
"""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import duckdb

from glueprint.errors import InputError, nearest
from glueprint.runs import ledger, provenance, units, verify, workspace
from glueprint.runs.store import disk_errors

__all__ = ["Answer", "Limits", "query", "tables"]

CARET = re.compile(r"LINE (\d+): (.*)\n( *)\^")
UNKNOWN = re.compile(r"Table with name \"?([\w.]+)\"? does not exist")
PATTERN = re.compile(r"[\[*?]")
MOST_NAMED = 5  # findings in one message
EXPLAINING = re.compile(r"\s*explain\b(\s*\([^()]*\)|\s+analyze\b)?", re.IGNORECASE)


@dataclass(frozen=True)
class Limits:
    """What a query may cost."""

    seconds: float = 300.0
    memory_mb: int = 4096
    rows: int = 1_000_000


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
    with disk_errors(folder, reading=True):
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


def query(folder: Path, sql: str, *, limits: Limits | None = None, trusted: verify.Trusted = None) -> Answer:
    """Ask the tables of a folder, once every byte of them is what its ledger or its receipts say.

    sql: one statement that reads, in DuckDB's SQL.   limits: what it may cost; the usual if None.
    trusted: keys of which one must have signed the folder, see `verify.verify`.
    Raises InputError GP-R011, GP-R017 and GP-R018 (the folder is not as a run left it), GP-R014 (not SQL, or
    a name that is not there), GP-R015 (not one statement that reads), GP-R019 (it costs more than `limits`),
    and what `tables` raises.
    """
    most = limits or Limits()
    named = tables(folder)
    _refuse_changed(folder, trusted)
    with _literal(named) as listed, duckdb.connect(":memory:") as connection:
        # These files and nothing else of the machine, before any name is used; no statement lifts the limits.
        every = ", ".join(_quoted(path) for paths in listed.values() for path in paths)
        for setting in (
            f"allowed_paths = [{every}]",
            "enable_external_access = false",
            f"memory_limit = '{most.memory_mb}MB'",
            "lock_configuration = true",
        ):
            connection.execute(f"set {setting}")
        try:
            for name, paths in listed.items():
                files = ", ".join(map(_quoted, paths))
                connection.execute(
                    f"create view {_identifier(name)} as select * from read_parquet([{files}])"
                )
            _refuse_other_than_reading(connection, sql)
            with _interrupting(connection, most):
                done = connection.execute(sql)
                described = done.description or []
                rows = tuple(done.fetchmany(most.rows + 1))
        except (duckdb.InterruptException, duckdb.OutOfMemoryException) as error:
            raise _too_costly(str(error).split("\n", maxsplit=1)[0], most) from error
        except duckdb.Error as error:
            raise _refused(str(error), sql, named) from error
    if len(rows) > most.rows:
        raise _too_costly(f"more than {most.rows} rows", most)
    return Answer(tuple(c[0] for c in described), tuple(str(c[1]) for c in described), rows)


def _refuse_changed(folder: Path, trusted: verify.Trusted) -> None:
    """What a run did not leave so is not read: a number out of it could be anybody's."""
    findings = list(map(str, verify.doubts(folder, trusted)))
    root = workspace.units_root(folder)
    with disk_errors(folder, reading=True):
        for unit in units.folders(root):
            findings += [
                f"{unit.relative_to(folder).as_posix()}/{name} was changed" for name in units.damage(unit)
            ]
    if findings:
        raise InputError(
            "GP-R018",
            f"is not as a run left it: {'; '.join(findings[:MOST_NAMED])}",
            where=str(folder),
            expected="a folder that `glueprint study verify` has nothing to say about",
            next_step="restore the files, or run the study again into a new folder",
        )


@contextmanager
def _literal(named: Mapping[str, list[Path]]) -> Iterator[dict[str, list[str]]]:
    """The files under names that DuckDB takes as they are: brackets and stars in a path make a pattern."""
    with disk_errors(Path()):
        paths = {name: [str(path.resolve()) for path in files] for name, files in named.items()}
    if not any(PATTERN.search(path) for files in paths.values() for path in files):
        yield paths
        return
    with tempfile.TemporaryDirectory(prefix="glueprint-") as place:
        yield _linked(Path(place), paths)


def _linked(place: Path, paths: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The same files by links in a folder of our own, whose names no pattern can be."""
    number = count()
    plain: dict[str, list[str]] = {}
    with disk_errors(place):
        for name, files in paths.items():
            for path in files:
                link = place.resolve() / f"{next(number)}.parquet"
                link.symlink_to(path)
                plain.setdefault(name, []).append(str(link))
    return plain


@contextmanager
def _interrupting(connection: duckdb.DuckDBPyConnection, most: Limits) -> Iterator[None]:
    timer = threading.Timer(most.seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _too_costly(what: str, most: Limits) -> InputError:
    return InputError(
        "GP-R019",
        f"the query was stopped: {what}",
        where="query",
        expected=f"an answer within {most.seconds:g} s, {most.memory_mb} MB and {most.rows} rows",
        next_step="ask for less, such as sums instead of rows, or read the files with a program of your own",
    )


def _refuse_other_than_reading(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        sql.encode()
    except UnicodeEncodeError as error:  # an argument of the shell may hold any bytes
        raise InputError(
            "GP-R014",
            f"holds bytes that are no text: {error.reason}",
            where="query",
            expected="SQL in UTF-8",
            next_step="type the statement anew",
        ) from error
    kinds = [statement.type.name for statement in connection.extract_statements(sql)]
    # `explain analyze` runs what it explains, and the one thing a query may touch is the folder's own tables.
    if kinds == ["EXPLAIN"] and (explaining := EXPLAINING.match(sql)):
        kinds = [statement.type.name for statement in connection.extract_statements(sql[explaining.end() :])]
    if kinds != ["SELECT"]:
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
    # `error('LINE 9: ...')` says what it likes.
    if place and 0 < int(place[1]) <= len(sql.splitlines()):
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


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
