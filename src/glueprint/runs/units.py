"""Units of work on disk: a folder with tables and a receipt, there as a whole or not at all.

A worker writes a unit under a temporary name, flushes every file to the disk, and renames the folder:
whatever is killed, and whenever, a unit is done or it is not. The receipts are the manifest: one file a
unit, so no process ever writes into a file that another one writes, and nothing is torn.
"""

from __future__ import annotations

import errno
import json
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from glueprint.boundary import files
from glueprint.runs import provenance
from glueprint.runs.ledger import seal
from glueprint.runs.store import disk_errors, file_hash, read_table, sync_folder, write_file, write_tables

__all__ = [
    "RECEIPT",
    "Receipt",
    "damage",
    "discard",
    "folders",
    "is_whole",
    "keep",
    "read",
    "receipt_of",
    "survey",
    "sweep",
]

RECEIPT = "receipt.json"
KIND, VERSION = "glueprint-unit", 1
PARTIAL = ".partial"
MOST_BYTES = 1024 * 1024  # of a receipt


@dataclass(frozen=True)
class Receipt:
    """What a unit holds.

    unit: "job/number".   files: table -> SHA-256 of its Parquet file.   facts: counts, such as patients and
    failed.   made_with: versions of everything that decides the numbers.
    """

    unit: str
    files: Mapping[str, str]
    facts: Mapping[str, int]
    made_with: Mapping[str, str]


def keep(root: Path, unit: str, tables: Mapping[str, pl.DataFrame], facts: Mapping[str, int]) -> Receipt:
    """Put a computed unit on disk, whole or not at all.

    root: folder of all units; it exists.   unit: "job/number", its folder below the root.
    A unit that another worker has put there meanwhile stays: equal work gives equal bytes.
    Returns the receipt of what is there.   Raises as `store.write_tables`.
    """
    target = root / unit
    with disk_errors(target):
        # Never the root: a run that was given up and removed must not come back by a late worker.
        target.parent.mkdir(exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".", suffix=PARTIAL, dir=target.parent))
        try:
            staging.chmod(0o755)
            # Nor the staging folder, which the owner of the run may have swept: half a unit would come back.
            files = write_tables(staging, tables, make=False)
            receipt = Receipt(unit, files, dict(facts), provenance.versions())
            write_file(staging / RECEIPT, _text(receipt), make=False)
            sync_folder(staging)
            _become(staging, target)
            sync_folder(target.parent)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return receipt_of(target) or receipt


def _become(staging: Path, target: Path) -> None:
    try:
        staging.rename(target)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.EACCES} or not target.is_dir():
            raise
        if damage(target):
            discard(target)
            staging.rename(target)


def receipt_of(folder: Path) -> Receipt | None:
    """The receipt of a unit's folder, or None if it has none that can be trusted."""
    try:
        content = json.loads(files.read_plain(folder / RECEIPT, MOST_BYTES))
        sealed = content.pop("hash")
        if seal(content) != sealed or content.pop("kind") != KIND or content.pop("version") > VERSION:
            return None
        receipt = Receipt(**content)
        whole = is_whole(receipt)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return receipt if whole else None


def is_whole(receipt: Receipt) -> bool:
    """Whether every part of a receipt has the shape that `keep` gives it, and no name leads elsewhere."""
    maps = (receipt.files, receipt.facts, receipt.made_with)
    return (
        all(isinstance(part, dict) for part in maps)
        and all(map(files.is_name_inside, (receipt.unit, *receipt.files)))
        and all(isinstance(count, int) for count in receipt.facts.values())
    )


def damage(folder: Path) -> list[str]:
    """Names of the files of a unit that are missing or not what its receipt says; empty if it is whole."""
    receipt = receipt_of(folder)
    if receipt is None:
        return [RECEIPT]
    return [
        f"{name}.parquet"
        for name, digest in receipt.files.items()
        if not (folder / f"{name}.parquet").is_file() or file_hash(folder / f"{name}.parquet") != digest
    ]


def read(root: Path, unit: str, table: str) -> pl.DataFrame:
    """One table of a unit. Raises InputError GP-R003 as `store.read_table`."""
    return read_table(root / unit / f"{table}.parquet", table)


def survey(root: Path) -> tuple[dict[str, Receipt], dict[str, list[str]]]:
    """What is there: receipts of the whole units, and for each damaged one the files that are wrong.

    A unit made with other versions than ours counts as damaged: its numbers may be others.
    """
    whole, damaged, ours = {}, {}, provenance.versions()
    for folder in folders(root):
        unit = folder.relative_to(root).as_posix()
        wrong, receipt = damage(folder), receipt_of(folder)
        if receipt is not None and receipt.made_with != ours:
            wrong = [f"{RECEIPT}: other versions"]
        if receipt is not None and not wrong:
            whole[unit] = receipt
        else:
            damaged[unit] = wrong
    return whole, damaged


def sweep(root: Path, damaged: Mapping[str, list[str]]) -> None:
    """Remove damaged units and what killed workers left under temporary names.

    A worker that still writes under such a name loses its unit as a whole.   Raises as `store.disk_errors`.
    """
    with disk_errors(root):
        for unit in damaged:
            discard(root / unit)
        for leftover in list(root.glob(f"*/.*{PARTIAL}")):
            with suppress(OSError):  # nobody takes it for a unit
                discard(leftover)


def discard(folder: Path) -> None:
    """Remove a folder that a late worker may be writing into, if it is there.

    It loses its name at once: nothing is added while it is emptied, and nothing of it is renamed to a unit.
    """
    away = folder.with_name(f".{secrets.token_hex(8)}{PARTIAL}")
    with suppress(FileNotFoundError):
        folder.rename(away)
        shutil.rmtree(away, ignore_errors=True)


def folders(root: Path) -> list[Path]:
    """The folders of all units, by job and number; half-written ones have no name yet."""
    jobs = sorted(root.iterdir()) if root.is_dir() else []
    return [entry for job in jobs for entry in sorted(job.iterdir()) if not entry.name.startswith(".")]


def _text(receipt: Receipt) -> str:
    content = {"kind": KIND, "version": VERSION, **asdict(receipt)}
    return json.dumps({**content, "hash": seal(content)}, indent=1, ensure_ascii=False) + "\n"
