"""A compound's posterior on disk: draws and tables as Parquet, the rest as TOML beside them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from glueprint.assays.findings import SCHEMA, Finding, findings_table
from glueprint.boundary import read_text
from glueprint.calibration.compound.posterior import CompoundPosterior
from glueprint.calibration.in_vitro import posterior as in_vitro_posterior
from glueprint.errors import InputError
from glueprint.runs import store

__all__ = ["load", "save"]

KIND, VERSION = "compound posterior", 1
ABOUT = "compound_posterior.toml"
TABLES = ("draws", "parameters", "comparison", "next_runs")
FINDINGS = "findings"
STALE = "the in-vitro posterior has changed since; fit again"


def save(found: CompoundPosterior, folder: Path) -> tuple[Path, ...]:
    """Write a posterior to a folder; returns the paths. The same posterior gives the same bytes.

    Raises EnvironmentProblemError GP-R001 or GP-R002 if it cannot be written.
    """
    tables = {f"compound_{name}": getattr(found, name) for name in TABLES}
    tables[f"compound_{FINDINGS}"] = findings_table(found.findings)
    store.write_tables(folder, tables)
    about = {
        "kind": KIND,
        "version": VERSION,
        "compound": found.compound,
        "reference": found.reference,
        "status": found.status,
        "reason": found.reason,
        "digest": found.digest,
        "in_vitro": in_vitro_posterior().digest,
    }
    lines = ["# A fit of one compound; its draws and measurements lie beside it."]
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in about.items()]
    lines += ["", "[settings]", *(f"{key} = {value}" for key, value in found.settings.items())]
    store.write_file(folder / ABOUT, "\n".join(lines) + "\n")
    return (*(folder / f"{name}.parquet" for name in tables), folder / ABOUT)


def load(folder: Path) -> CompoundPosterior:
    """A posterior that `save` wrote; "stale" where the in-vitro posterior has changed since.

    Raises InputError GP-K033 for a folder without one or of another version, GP-R003 for its tables.
    """
    path = folder / ABOUT
    try:
        about = tomllib.loads(read_text(path))
    except (OSError, ValueError, RecursionError) as problem:
        raise _no_posterior(path, str(problem)) from problem
    if (about.get("kind"), about.get("version")) != (KIND, VERSION):
        raise _no_posterior(path, f"kind {about.get('kind')!r}, version {about.get('version')!r}")
    tables = {
        name: store.read_table(folder / f"compound_{name}.parquet", f"compound_{name}")
        for name in (*TABLES, FINDINGS)
    }
    fresh = about["in_vitro"] == in_vitro_posterior().digest
    rows = tables.pop(FINDINGS).select(list(SCHEMA)).to_dicts()
    return CompoundPosterior(
        compound=about["compound"],
        reference=about["reference"],
        findings=tuple(Finding(**row) for row in rows),
        status=about["status"] if fresh else "stale",
        reason=about["reason"] if fresh else STALE,
        settings=about["settings"],
        digest=about["digest"],
        **tables,
    )


def _no_posterior(path: Path, what: str) -> InputError:
    return InputError(
        "GP-K033",
        f"no posterior of a compound can be read: {what}",
        where=str(path),
        expected=f'a folder with {ABOUT} of kind "{KIND}", version {VERSION}, and its tables',
        next_step="write one with `save` of calibration.compound",
    )
