"""A compound's posterior as tables, and in a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from glueprint.assays.findings import SCHEMA, Finding, findings_table
from glueprint.calibration.compound.posterior import CompoundPosterior
from glueprint.calibration.in_vitro import posterior as in_vitro_posterior
from glueprint.calibration.stored import Form, standing

__all__ = ["from_tables", "load", "save", "tables_of"]

FORM = Form("compound posterior", "compound_posterior.toml", "GP-K033", "`save` of calibration.compound")
TABLES = ("draws", "parameters", "comparison", "next_runs")
FINDINGS, FACTS, SETTINGS = "findings", "facts", "settings"
NAMES = ("compound", "reference", "status", "reason", "digest")
STALE = "the in-vitro posterior has changed since; fit again"


def save(found: CompoundPosterior, folder: Path) -> tuple[Path, ...]:
    """Write a posterior to a folder; returns the paths. The same posterior gives the same bytes.

    Raises EnvironmentProblemError GP-R001 or GP-R002 if it cannot be written.
    """
    tables = {f"compound_{name}": table for name, table in _tables(found).items()}
    return FORM.save(folder, tables, _facts(found), found.settings)


def load(folder: Path) -> CompoundPosterior:
    """A posterior that `save` wrote; "stale" where the in-vitro posterior has changed since.

    Raises InputError GP-K033 for a folder without one or of another version, GP-R003 for its tables.
    """
    about, tables = FORM.load(folder, [f"compound_{name}" for name in (*TABLES, FINDINGS)])
    return _posterior(about, {name.removeprefix("compound_"): table for name, table in tables.items()})


def tables_of(found: CompoundPosterior) -> dict[str, pl.DataFrame]:
    """A posterior as tables alone, for those who keep tables."""
    facts = _facts(found) | {SETTINGS: json.dumps(dict(found.settings))}
    return {**_tables(found), FACTS: pl.DataFrame([facts])}


def from_tables(tables: Mapping[str, pl.DataFrame]) -> CompoundPosterior:
    """The posterior of `tables_of`; "stale" as in `load`.

    Raises InputError GP-K033 where a table is missing.
    """
    missing = [name for name in (*TABLES, FINDINGS, FACTS) if name not in tables]
    if missing:
        raise FORM.refused(Path(), f"there is no table {', '.join(missing)}")
    facts = tables[FACTS].to_dicts()[0]
    return _posterior(facts | {SETTINGS: json.loads(facts[SETTINGS])}, tables)


def _tables(found: CompoundPosterior) -> dict[str, pl.DataFrame]:
    return {name: getattr(found, name) for name in TABLES} | {FINDINGS: findings_table(found.findings)}


def _facts(found: CompoundPosterior) -> dict[str, str]:
    return {name: getattr(found, name) for name in NAMES} | {"in_vitro": in_vitro_posterior().digest}


def _posterior(about: Mapping[str, Any], tables: Mapping[str, pl.DataFrame]) -> CompoundPosterior:
    rows = tables[FINDINGS].select(list(SCHEMA)).to_dicts()
    fresh = about["in_vitro"] == in_vitro_posterior().digest
    status, reason = standing(about, fresh=fresh, stale=STALE)
    return CompoundPosterior(
        compound=about["compound"],
        reference=about["reference"],
        findings=tuple(Finding(**row) for row in rows),
        settings=about[SETTINGS],
        digest=about["digest"],
        draws=tables["draws"],
        parameters=tables["parameters"],
        comparison=tables["comparison"],
        next_runs=tables["next_runs"],
        status=status,
        reason=reason,
    )
