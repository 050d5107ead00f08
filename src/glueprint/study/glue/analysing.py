"""Raw files of one assay to its result: read, laid out and analysed as the assay commands do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from glueprint.assays import blot, degradation, elisa, growth, polarization
from glueprint.assays.contract import Observations
from glueprint.assays.findings import Finding
from glueprint.assays.intake import door
from glueprint.assays.wells import Wells
from glueprint.errors import InputError
from glueprint.study.glue.project import Assay, check_place

__all__ = ["Analysed", "analyse"]


@dataclass(frozen=True)
class Analysed:
    """What one assay gives: the result of its analysis, the tables of its figure, and what was noticed.

    kind: "fp", "elisa", "degradation" or "growth", whose result it is.   samples: names in the files.
    """

    kind: str
    result: Any
    tables: Mapping[str, pl.DataFrame]
    findings: tuple[Finding, ...]
    samples: tuple[str, ...]


def analyse(folder: Path, assay: Assay, settings: Mapping[str, Any] | None = None) -> Analysed:
    """Read and analyse the files of one assay.

    folder: of the project.   assay: of any kind but "table", which is analysed already.   settings: of the
    analysis, by field; a run takes the usual ones.
    Raises what the readers and the analysis of that assay raise, with the assay named in a note.
    """
    try:
        return ANALYSES[assay.kind](folder, assay, dict(settings or {}))
    except InputError as error:
        error.add_note(f"It is the assay {assay.name} of the project in {folder}.")
        raise


def _layout(folder: Path, assay: Assay) -> Path | None:
    return check_place(folder, assay.layout) if assay.layout else None


def _wells(folder: Path, assay: Assay) -> Wells:
    path = check_place(folder, assay.files[0])
    return door.wells(path, layout=_layout(folder, assay), sheet=assay.sheet)


def _fp(folder: Path, assay: Assay, chosen: Mapping[str, Any]) -> Analysed:
    settings = polarization.Settings(exclude=assay.exclude or (), **chosen)
    result = polarization.analyse(_wells(folder, assay), settings)
    shown = ("wells", "curves", "potencies")
    return _analysed("fp", result, shown, "fits", "sample")


def _elisa(folder: Path, assay: Assay, chosen: Mapping[str, Any]) -> Analysed:
    result = elisa.analyse(_wells(folder, assay), elisa.Settings(exclude=assay.exclude or (), **chosen))
    shown = ("standards", "dilutions", "precision", "ranges", "inhibition", "donors")
    return _analysed("elisa", result, shown, "inhibition", "sample")


def _blot(folder: Path, assay: Assay, chosen: Mapping[str, Any]) -> Analysed:
    bands, findings = [], list[Finding]()
    for image, boxes in zip(assay.files, assay.boxes, strict=True):
        found = blot.analyse(blot.read(check_place(folder, image), boxes=[check_place(folder, boxes)]))
        bands.append(found.lanes)
        findings += found.findings
    return _degradation(Observations(pl.concat(bands), tuple(findings)), assay, chosen)


def _lanes(folder: Path, assay: Assay, chosen: Mapping[str, Any]) -> Analysed:
    paths = [check_place(folder, name) for name in assay.files]
    return _degradation(degradation.read(*paths, sheet=assay.sheet), assay, chosen)


def _degradation(lanes: Observations, assay: Assay, chosen: Mapping[str, Any]) -> Analysed:
    result = degradation.analyse(lanes, degradation.Settings(exclude=assay.exclude or (), **chosen))
    shown = ("readings", "curves", "points", "rates")
    return _analysed("degradation", result, shown, "readings", "compound")


def _growth(folder: Path, assay: Assay, chosen: Mapping[str, Any]) -> Analysed:
    path = check_place(folder, assay.files[0])
    given = growth.read(path, layout=_layout(folder, assay), sheet=assay.sheet)
    settings = growth.Settings(exclude=assay.exclude or (), dose_unit=assay.dose_unit, **chosen)
    result = growth.analyse(given, settings)
    shown = ("wells", "fitted", "potencies")
    return _analysed("growth", result, shown, "potencies", "compound")


def _analysed(kind: str, result: Any, shown: tuple[str, ...], named: str, column: str) -> Analysed:
    """shown: tables of the figure.   named, column: table and column with the names of the samples."""
    samples = result.tables[named].get_column(column).drop_nulls().cast(pl.String).unique(maintain_order=True)
    tables = {name: result.tables[name] for name in shown}
    return Analysed(kind, result, tables, result.findings, tuple(name for name in samples.to_list() if name))


ANALYSES: Mapping[str, Callable[[Path, Assay, Mapping[str, Any]], Analysed]] = {
    "fp": _fp,
    "elisa": _elisa,
    "blot": _blot,
    "degradation": _lanes,
    "growth": _growth,
}
