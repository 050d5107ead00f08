"""The whole line: evidence, parameters, patients, trials, comparison with the guide; kept in one folder."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from glueprint import documents, evidence
from glueprint.chemistry import structures
from glueprint.errors import InputError
from glueprint.mechanism import models, parameters
from glueprint.runs import ledger
from glueprint.runs.store import replace_folder, write_file, write_tables
from glueprint.study import definition, in_vitro, profiles
from glueprint.study.comparison import compare
from glueprint.study.definition import Study
from glueprint.trials import TrialResult, load_protocol
from glueprint.trials import run as run_trial
from glueprint.trials.protocol import Protocol

__all__ = ["StudyResult", "run"]

Progress = Callable[[str, float], None]
TABLES = "tables"


@dataclass(frozen=True)
class StudyResult:
    """What a study gave: its folder, its tables by name, each trial's result, and its provenance."""

    study: Study
    folder: Path
    tables: Mapping[str, pl.DataFrame]
    trials: Mapping[str, TrialResult]
    record: ledger.Record

    @property
    def failed(self) -> int:
        """Virtual patients that could not be computed, over all trials."""
        return sum(result.failed for result in self.trials.values())


def run(
    study: str | Path,
    out: str | Path | None = None,
    *,
    seed: int | None = None,
    fresh: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> StudyResult:
    """Run a study and keep it in a folder: Parquet tables and a provenance record.

    study: a name out of `study.available()`, or the path of a TOML file.
    out: folder; NAME-study if left out.   seed: instead of the file's.
    fresh: replace a folder made from other inputs.   workers: processes; the numbers do not depend on it.
    progress: called with what is being done and its share, 0 to 1.
    Raises InputError GP-S001 to GP-S006 and what the rooms below raise. Nothing half-written is left behind.
    """
    plan = definition.load(study)
    if seed is not None:
        plan = plan.model_copy(update={"seed": seed})
    folder = Path(out) if out is not None else Path(f"{plan.name}-study")
    protocols = {p.name: p for p in (load_protocol(request.protocol) for request in plan.trials)}
    record = _new_record(plan, protocols)
    _refuse_other_inputs(folder, record, fresh)
    report = progress or _silent
    with replace_folder(folder, ledger.FILE_NAME) as staging, _timed() as seconds:
        results = _trials(plan, protocols, workers, report)
        tables = _tables(plan, protocols, results, report)
        outputs = write_tables(staging / TABLES, tables)
        outputs["study.json"] = write_file(staging / "study.json", plan.model_dump_json(indent=2) + "\n")
        record = replace(record, outputs=outputs, seconds=seconds())
        ledger.write(staging, record)
    return StudyResult(plan, folder, tables, results, record)


def _silent(_what: str, _share: float) -> None:
    """No progress wanted."""


@contextmanager
def _timed() -> Iterator[Callable[[], float]]:
    start = time.perf_counter()
    yield lambda: round(time.perf_counter() - start, 3)


def _new_record(plan: Study, protocols: Mapping[str, Protocol]) -> ledger.Record:
    """Provenance of what decides the numbers: study, protocols, evidence, model."""

    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    inputs = {"study": digest(plan.model_dump_json()), "evidence": digest(evidence.load().frame.write_csv())}
    inputs["model"] = digest(models.source("trial", plan.compound))
    inputs["parameters"] = digest(parameters.table(plan.compound).write_json())
    for name, protocol in protocols.items():
        inputs[f"protocol {name}"] = digest(protocol.model_dump_json())
    return ledger.new("glueprint-study", {"study": plan.name, "seed": plan.seed}, inputs)


def _refuse_other_inputs(folder: Path, record: ledger.Record, fresh: bool) -> None:
    """A finished study is replaced only by itself, unless the user says so."""
    if fresh or not documents.is_file(str(folder / ledger.FILE_NAME)):
        return
    differences = record.differs_from(ledger.read(folder))
    if differences:
        raise InputError(
            "GP-S006",
            "holds a study made from something else: " + "; ".join(differences),
            where=str(folder),
            expected="a new folder, or the same study, seed and version",
            next_step="choose another folder with --out, or replace this one with --fresh",
        )


def _trials(
    plan: Study, protocols: Mapping[str, Protocol], workers: int, report: Progress
) -> dict[str, TrialResult]:
    results = {}
    for request, (name, protocol) in zip(plan.trials, protocols.items(), strict=True):
        what = f"{name}: {request.replicates} virtual trial(s) of {protocol.patients} patients"
        results[name] = run_trial(protocol, request.replicates, plan.seed, partial(report, what), workers)
    return results


def _tables(
    plan: Study, protocols: Mapping[str, Protocol], results: Mapping[str, TrialResult], report: Progress
) -> dict[str, pl.DataFrame]:
    claims = evidence.load()
    tables = {
        f"{name}_{table}": frame
        for name, result in results.items()
        for table, frame in result.tables().items()
    }
    report("profiles of virtual patients", 0.0)
    tables["profiles"] = profiles.compute(next(iter(protocols.values())), plan.profiles, plan.seed)
    report("in-vitro numbers", 0.0)
    tables["comparison"] = compare(claims, results, in_vitro.compute(claims, plan.compound))
    tables["findings"] = in_vitro.findings(claims)
    tables["parameters"] = parameters.table(plan.compound)
    tables["compounds"] = structures.table()
    report("done", 1.0)
    return tables
