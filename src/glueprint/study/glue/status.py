"""What a project has, what it lacks, and what would help most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.errors import InputError
from glueprint.mechanism import compounds
from glueprint.runs import provenance, workspace
from glueprint.runs.store import read_table
from glueprint.runs.verify import Trusted
from glueprint.study.glue import pk
from glueprint.study.glue.inputs import Survey, survey
from glueprint.study.glue.pipeline import record_of
from glueprint.study.glue.project import Project, load
from glueprint.study.glue.result import RESULT, changed, doubts

__all__ = ["Status", "status"]

State = Literal["none", "unfinished", "out of date", "finished"]
# What each kind of assay tells, and the kinds that tell it.
TELLS = (
    (("fp",), "affinity to cereblon", "a fluorescence polarisation plate (fp)"),
    (
        ("blot", "degradation"),
        "how far and how fast IKZF1 and IKZF3 are degraded",
        "fractions remaining over dose and time (blot, degradation)",
    ),
    (
        ("elisa", "growth"),
        "that cells answer as degradation says",
        "an ELISA of TNF-alpha, or a growth assay",
    ),
)


@dataclass(frozen=True)
class Status:
    """A project at a glance.

    assays: name, kind, files, whether all of them are there.   pk, trial: in words, empty where there is
    none.   missing: files that are named and not there.   findings: what a run would say of the files.
    result: none, unfinished, out of date (a file changed since) or finished.   helps: what would help most,
    first things first.
    """

    folder: str
    compound: str
    reference: str
    simulated: bool
    assays: tuple[dict[str, Any], ...]
    pk: str
    trial: str
    missing: tuple[str, ...]
    findings: tuple[Finding, ...]
    result: State
    helps: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Everything by name, for `--json`."""
        return asdict(self)


def status(folder: str | Path, *, trusted: Trusted = None) -> Status:
    """Look at the project in a folder; nothing is computed and nothing is written.

    trusted: keys (`runs.keys.trusted`) of which one must have signed what is there.
    Raises InputError GP-S020 to GP-S024 for a project that cannot be read, GP-S007, GP-R011 or GP-R017 for a
    result that is not as it was left.
    """
    project = load(folder)
    files = survey(project)
    known = (
        pk.known(project, project.load_reference() or compounds.load(compounds.REFERENCE))
        if (not files.missing)
        else None
    )
    place = project.folder / RESULT
    if found := doubts(project, trusted):
        raise changed(project.folder, list(map(str, found)))
    state = _state(project, files, place)
    asked = project.trial
    return Status(
        folder=str(project.folder),
        compound=project.compound,
        reference=project.reference or "",
        simulated=project.simulated,
        assays=tuple(
            {
                "name": one.name,
                "kind": one.kind,
                "files": list(one.files),
                "cells": one.cells,
                "there": all(name in files.digests for name in one.all_files),
            }
            for one in project.assay
        ),
        pk=project.pk.source if project.pk else "",
        trial=f"{asked.protocol}, {asked.dose_mg:g} mg" if asked else "",
        missing=files.missing,
        findings=(*files.findings, *(known.findings if known else ())),
        result=state,
        helps=tuple(_helps(project, files, _learnt(place) if state == "finished" else None)),
    )


def _state(project: Project, files: Survey, place: Path) -> State:
    if (place / workspace.UNFINISHED / workspace.REQUEST).is_file():
        return "unfinished"
    if not (place / provenance.FILE_NAME).is_file():
        return "none"
    finished = provenance.read(place / provenance.FILE_NAME)
    if files.missing:
        return "out of date"
    now = record_of(project, files, quick=bool(finished.settings.get("quick")))
    return "out of date" if now.differs_from(finished) else "finished"


def _learnt(place: Path) -> pl.DataFrame | None:
    """What the last fit learnt; None where it cannot be read."""
    try:
        return read_table(place / workspace.TABLES / "learnt.parquet", "learnt")
    except InputError:
        return None


def _helps(project: Project, files: Survey, learnt: pl.DataFrame | None) -> Iterator[str]:
    """What would help, first things first."""
    if files.missing:
        yield f"put these files in their place: {', '.join(files.missing)}"
    if not project.assay:
        yield "name your first raw file in an [[assay]]: the prior alone says nothing of a compound"
    if project.pk is None:
        yield 'pharmacokinetics: without them there is no trial ([pk], your own file or "borrowed")'
    elif project.pk.source == "borrowed":
        yield "pharmacokinetics of its own: those of the reference stand in, and may be fourfold off"
    if project.trial is None:
        yield "a trial to predict: [trial] with protocol and dose_mg"
    if project.reference is None and project.assay:
        yield (
            "a reference well on each plate: it takes the assay's own error away, which otherwise "
            "dominates, and narrows the interval several-fold"
        )
    kinds = {one.kind for one in project.assay}
    if project.assay and "table" not in kinds:
        for wanted, what, how in TELLS:
            if not kinds & set(wanted):
                yield f"{how}: nothing here tells {what}"
    if learnt is not None:
        for row in learnt.sort("contraction").filter(pl.col("verdict") != "identified").to_dicts():
            yield (
                f"more of {row['name']}: {row['low_95']:.3g} to {row['high_95']:.3g} is what is known of it "
                f"({row['verdict']})"
            )
