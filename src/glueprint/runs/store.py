"""Tables kept as Parquet: whole or not at all, with kind and version, the same bytes each time."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from glueprint.errors import EnvironmentProblemError, GlueprintError, InputError

__all__ = ["FORMAT_VERSION", "file_hash", "read_table", "replace_folder", "write_file", "write_tables"]

FORMAT_VERSION = 1
KIND_KEY = "glueprint.kind"
VERSION_KEY = "glueprint.version"


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_tables(folder: Path, tables: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    """Write each table to `folder/NAME.parquet`, each atomically.

    folder: made if absent.   tables: name -> frame; the name is stored as the table's kind.
    Returns name -> SHA-256 of the file; equal frames give equal bytes.
    Raises EnvironmentProblemError GP-R001 if the folder cannot be written, GP-R002 if the disk is full.
    """
    hashes = {}
    with _disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            path = folder / f"{name}.parquet"
            with _temporary_beside(path) as temporary:
                table.write_parquet(
                    temporary,
                    compression="zstd",
                    metadata={KIND_KEY: name, VERSION_KEY: str(FORMAT_VERSION)},
                )
            hashes[name] = file_hash(path)
    return hashes


def read_table(path: Path, kind: str) -> pl.DataFrame:
    """Read a table that `write_tables` wrote, checking that it is what it should be.

    Raises InputError GP-R003 if the file is missing, unreadable, of another kind or of a newer version.
    """
    try:
        metadata = pl.read_parquet_metadata(path)
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            "GP-R003",
            f"cannot be read as a Glueprint table: {error}",
            where=str(path),
            expected=f'a Parquet file of kind "{kind}"',
            next_step="run the study or trial again to write it anew",
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


def write_file(path: Path, content: bytes | str) -> str:
    """Write a file atomically, text as UTF-8; its folder is made if absent.

    Returns its SHA-256.   Raises as `write_tables`.
    """
    data = content.encode() if isinstance(content, str) else content
    with _disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _temporary_beside(path) as temporary:
            temporary.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


@contextmanager
def replace_folder(target: Path, marker: str) -> Iterator[Path]:
    """A temporary folder that becomes `target` when the block ends well, and vanishes when it does not.

    target: must be absent, empty, or hold `marker` (then it is one of ours and is replaced).
    Raises InputError GP-R004 if `target` holds something else; EnvironmentProblemError as `write_tables`.
    """
    with _disk_errors(target):
        there = target.exists()
        ours = target.is_dir() and ((target / marker).is_file() or not any(target.iterdir()))
    if there and not ours:
        raise InputError(
            "GP-R004",
            "exists and was not written by Glueprint, so it is left alone",
            where=str(target),
            expected=f'a new or empty folder, or one that holds "{marker}"',
            next_step="choose another folder with --out",
        )
    with _disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
        staging.chmod(0o755)
    try:
        yield staging
        with _disk_errors(target):
            if target.exists():
                old = staging.with_suffix(".old")
                target.replace(old)
                staging.replace(target)
                shutil.rmtree(old)
            else:
                staging.replace(target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


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
def _disk_errors(place: Path) -> Iterator[None]:
    """Turn the operating system's refusals into errors that say what to do."""
    try:
        yield
    except GlueprintError:
        raise
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
            f"cannot be written: {error.strerror or error}",
            where=str(place),
            expected="a folder that you may write to",
            next_step="change its permissions or choose another folder with --out",
        ) from error
