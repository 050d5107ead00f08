"""The simulated raw files of a study, laid out beside its tables: a folder a protocol, as an instrument
writes them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from glueprint.assays import twins
from glueprint.boundary import files
from glueprint.runs import ledger, workspace
from glueprint.runs.store import disk_errors, write_file

__all__ = ["FOLDER", "lay_out"]

FOLDER = "plates"


def lay_out(folder: Path, made: pl.DataFrame | None, seed: int) -> None:
    """Write the raw files that are not there yet, and let the ledger vouch for them.

    made: the table `plates` of the study, None where it asks for none; files that an earlier study left
    here and this one does not have are removed.   seed: of the study.
    The caller holds the folder's lock. Killed on the way, the next call goes on: same seed, same bytes.
    Raises as `runs.store.write_file` and `runs.ledger.append`.
    """
    listed = {} if made is None else dict(made.select("protocol", "files").iter_rows())
    wanted = {f"{FOLDER}/{protocol}/{name}" for protocol, names in listed.items() for name in names}
    entries = ledger.read(folder / ledger.FILE_NAME)
    ever = {name for entry in entries if entry.event == "added" for name in entry.facts["files"]}
    with disk_errors(folder / FOLDER):
        for name in sorted(ever - wanted):
            if name.startswith(f"{FOLDER}/"):
                files.remove_inside(folder, name)
    known = workspace.recorded(entries)
    missing = {name for name in wanted if name not in known or not (folder / name).is_file()}
    if not missing:
        return
    hashes = {}
    for protocol in listed:
        for name, content in twins.simulate(protocol, seed=seed).files.items():
            hashes[f"{FOLDER}/{protocol}/{name}"] = write_file(folder / FOLDER / protocol / name, content)
    ledger.append(folder, "added", {"files": hashes})
