"""Tables kept as Parquet: whole or not at all, with kind and version, the same bytes each time."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from glueprint import forks
from glueprint.boundary import journal
from glueprint.errors import EnvironmentProblemError, InputError

if TYPE_CHECKING:  # who writes files alone needs no tables
    import polars as pl

__all__ = [
    "FORMAT_VERSION",
    "disk_errors",
    "file_hash",
    "read_table",
    "sync_folder",
    "write_file",
    "write_tables",
]

FORMAT_VERSION = 1
KIND_KEY = "glueprint.kind"
VERSION_KEY = "glueprint.version"


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_tables(folder: Path, tables: Mapping[str, pl.DataFrame], *, make: bool = True) -> dict[str, str]:
    """Write each table to `folder/NAME.parquet`, each atomically.

    tables: name -> frame; the name is stored as the table's kind.   make: the folder, if it is absent.
    Returns name -> SHA-256 of the file; equal frames give equal bytes.
    Raises EnvironmentProblemError GP-R001 if the folder cannot be written, GP-R002 if the disk is full.
    """
    forks.refuse()
    hashes = {}
    with disk_errors(folder):
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            path = folder / f"{name}.parquet"
            # Through memory: polars reports a full disk as an error in the data.
            content = io.BytesIO()
            table.write_parquet(
                content, compression="zstd", metadata={KIND_KEY: name, VERSION_KEY: str(FORMAT_VERSION)}
            )
            hashes[name] = write_file(path, content.getvalue(), make=make)
    return hashes


def read_table(
    path: Path, kind: str, *, otherwise: str = "check the folder, or run the command that writes it again"
) -> pl.DataFrame:
    """Read a table that `write_tables` wrote, checking that it is what it should be.

    otherwise: the next step for one that cannot be read.
    Raises InputError GP-R003 if the file is missing, unreadable, of another kind or of a newer version.
    """
    forks.refuse()
    import polars as pl

    try:
        metadata = pl.read_parquet_metadata(path)
        # A path is no pattern: brackets and stars in it are names.
        table = pl.read_parquet(path, glob=False)
        journal.note_file(path)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise InputError(
            "GP-R003",
            f"cannot be read as a Glueprint table: {error}",
            where=str(path),
            expected=f'a Parquet file of kind "{kind}"',
            next_step=otherwise,
        ) from error
    found, version = metadata.get(KIND_KEY), metadata.get(VERSION_KEY, "0")
    if found != kind or not version.isdigit() or not 1 <= int(version) <= FORMAT_VERSION:
        raise InputError(
            "GP-R003",
            f'holds kind "{found}", version {version}',
            where=str(path),
            expected=f'kind "{kind}", version 1 to {FORMAT_VERSION}',
            next_step="check the file's name, or update Glueprint if the file is newer",
        )
    return table


def write_file(path: Path, content: bytes | str, *, make: bool = True) -> str:
    """Write a file atomically, text as UTF-8.

    make: its folder, if it is absent.   Returns its SHA-256.   Raises as `write_tables`.
    """
    data = content.encode() if isinstance(content, str) else content
    with disk_errors(path):
        if make:
            path.parent.mkdir(parents=True, exist_ok=True)
        with _temporary_beside(path) as temporary:
            _write_new(temporary, data)
    digest = hashlib.sha256(data).hexdigest()
    journal.note_written(path, digest, len(data))
    return digest


def _write_new(path: Path, data: bytes) -> None:
    """A file that was not there: a link under its name is neither followed nor written through."""
    path.unlink(missing_ok=True)
    with path.open("xb") as stream:
        stream.write(data)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut, where the system can open folders (not on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    """A name in the same folder; renamed to `path` after an fsync, removed on failure."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def disk_errors(place: Path, *, reading: bool = False) -> Iterator[None]:
    """Turn the operating system's refusals into errors that say what to do.

    reading: nothing was to be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise EnvironmentProblemError(
                "GP-R002",
                "the disk is full; nothing half-written is left",
                where=str(place),
                next_step="free some space or choose another folder with --out",
            ) from error
        raise EnvironmentProblemError(
            "GP-R001",
            f"cannot be {'read' if reading else 'written'}: {error.strerror or error}",
            where=str(place),
            expected=f"a folder that you may {'read' if reading else 'write to'}",
            next_step="change its permissions" + ("" if reading else " or choose another folder with --out"),
        ) from error
