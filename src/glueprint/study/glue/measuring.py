"""From raw files to measured quantities: each assay a step, its rows under the names of the project."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from glueprint.assays.findings import SCHEMA, Finding, findings_table
from glueprint.calibration import compound as dossiers
from glueprint.study.glue.analysing import analyse
from glueprint.study.glue.inputs import Survey
from glueprint.study.glue.project import Assay, Project, check_place
from glueprint.study.glue.steps import digest_of

__all__ = ["ASSAYS", "Measured", "Step", "measure"]

ROWS, NOTICED, FIGURE = "measurements", "noticed", "figure_"
SIMULATED = "GP-A054"  # the finding that says that a file was simulated
ASSAYS = pl.Schema(
    {
        "name": pl.String(),
        "kind": pl.String(),
        "files": pl.List(pl.String()),
        "cells": pl.String(),
        "samples": pl.List(pl.String()),
        "simulated": pl.String(),
        "findings": pl.Int64(),
    }
)


class Step(Protocol):
    """Tables of a step, from the disk or computed."""

    def __call__(
        self, job: str, key: str, compute: Callable[[], Mapping[str, pl.DataFrame]]
    ) -> dict[str, pl.DataFrame]:
        """job: its name.   key: digest of all that decides it.   compute: gives its tables."""
        ...


@dataclass(frozen=True)
class Measured:
    """The rows of measured quantities of each assay, the tables of the report, and what the analyses
    noticed."""

    rows: tuple[pl.DataFrame, ...]
    tables: Mapping[str, pl.DataFrame]
    findings: tuple[Finding, ...]


def measure(project: Project, files: Survey, step: Step, told: Callable[[], None]) -> Measured:
    """Read and analyse every assay of a project.

    step: computes or finds.   told: called after each assay.
    Returns rows of `dossiers.MEASUREMENTS`, and tables: `assays` (one row each) and
    `plates_ASSAY_TABLE` for the figures.   Raises what the analyses raise.
    """
    rows, about, shown = [], [], dict[str, pl.DataFrame]()
    findings = list[Finding]()
    for assay in files.assays:
        # What is not said is no part of the key, which stays what it was before it could be said.
        unsaid = {name for name in ("exclude", "sheet", "dose_unit") if not getattr(assay, name)}
        asked = assay.model_dump(exclude=unsaid)
        key = digest_of(asked, [files.digests[name] for name in assay.all_files])
        found = step(f"assay-{assay.name}", key, lambda assay=assay: _tables(project, assay, files))  # type: ignore[misc]
        noticed = [Finding(**row) for row in found[NOTICED].to_dicts()]
        rows.append(found[ROWS])
        findings += [_of(assay, finding) for finding in noticed]
        about.append(_about(assay, found, noticed))
        shown |= {
            f"plates_{assay.name}_{name.removeprefix(FIGURE)}": table
            for name, table in found.items()
            if name.startswith(FIGURE)
        }
        told()
    every = pl.concat(rows) if rows else pl.DataFrame(schema=dossiers.MEASUREMENTS)
    shown |= {"assays": pl.DataFrame(about, schema=ASSAYS), ROWS: every}
    return Measured(tuple(rows), shown, tuple(findings))


def _tables(project: Project, assay: Assay, files: Survey) -> dict[str, pl.DataFrame]:
    """What is kept of one assay: rows, findings, the tables of its figure."""
    if assay.kind == "table":
        rows = dossiers.measured_table(check_place(project.folder, assay.files[0]))
        # A table that names no experiments is one: the assay, and not the name of its file.
        stem = Path(assay.files[0]).stem
        rows = rows.with_columns(
            pl.col("experiment").replace({stem: assay.name}), file=pl.lit(assay.files[0])
        )
        return {ROWS: _called(rows, assay), NOTICED: pl.DataFrame(schema=SCHEMA)}
    found = analyse(project.folder, assay)
    digest = (
        files.digests[assay.files[0]]
        if len(assay.files) == 1
        else digest_of([files.digests[name] for name in assay.files])
    )
    source = dossiers.Source("; ".join(assay.files), digest, assay.name, assay.cells)
    rows = dossiers.measurements(found.kind, found.result, source)
    figure = {f"{FIGURE}{name}": table for name, table in found.tables.items()}
    return {ROWS: _called(rows, assay), NOTICED: _named_inside(found.findings, project), **figure}


def _named_inside(findings: tuple[Finding, ...], project: Project) -> pl.DataFrame:
    """The findings with files named from the project's folder, wherever that lies."""
    prefix = f"{project.folder}{os.sep}"
    return findings_table(findings).with_columns(pl.all().str.replace_all(prefix, "", literal=True))


def _called(rows: pl.DataFrame, assay: Assay) -> pl.DataFrame:
    """The rows with the names that the project gives to the samples of the files."""
    return rows.with_columns(pl.col("compound").replace(assay.called)) if assay.called else rows


def _of(assay: Assay, finding: Finding) -> Finding:
    """A finding of an analysis, with the assay in its place."""
    place = f"{assay.name}: {finding.where}" if finding.where else assay.name
    return Finding(
        finding.code, finding.severity, finding.message, place, finding.expected, finding.next_step
    )


def _about(assay: Assay, found: Mapping[str, pl.DataFrame], noticed: list[Finding]) -> dict[str, object]:
    marks = [finding.message for finding in noticed if finding.code == SIMULATED]
    samples = found[ROWS].get_column("compound").unique(maintain_order=True).to_list()
    return {
        "name": assay.name,
        "kind": assay.kind,
        "files": list(assay.files),
        "cells": assay.cells,
        "samples": samples,
        "simulated": marks[0] if marks else "",
        "findings": len(noticed),
    }
