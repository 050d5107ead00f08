"""The whole line for one glue: raw files, analyses, dossier, fit, compound, virtual trials, answers.

Every part is a step that is kept by the content of what it was made of. A run that was killed goes on from
the steps that are whole; a changed file makes its own steps new and leaves the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from glueprint import evidence
from glueprint.assays.findings import Finding, findings_table
from glueprint.calibration import clinical
from glueprint.calibration import compound as dossiers
from glueprint.errors import GlueprintError, InputError
from glueprint.mechanism import Compound, Outside, compounds
from glueprint.runs import executor, ledger, provenance, signatures, workspace
from glueprint.runs.progress import Counter, Listener, silent
from glueprint.runs.provenance import Record
from glueprint.runs.verify import Finding as Doubt
from glueprint.runs.verify import Trusted
from glueprint.runs.workspace import Workspace
from glueprint.study.glue import fitting, measuring, patients, pk, result, tables
from glueprint.study.glue.inputs import Survey, survey
from glueprint.study.glue.patients import Case
from glueprint.study.glue.project import FILE, Project, check_place, load
from glueprint.study.glue.result import ASKED, RESULT, STEPS, GlueResult, file_of, read_back
from glueprint.study.glue.steps import Steps, digest_of
from glueprint.trials import outside

__all__ = ["record_of", "run"]

PREPARED, VIRTUAL = "prepared", "trials"  # folders of steps


@dataclass
class _Log:
    """What a run did: steps that it computed, those that it needs, and what is to be said."""

    computed: list[str] = field(default_factory=list)
    wanted: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class _Run:
    """A run on its way: what was asked, what lies there, where it is kept, and who is told."""

    project: Project
    files: Survey
    space: Workspace
    record: Record
    choice: executor.Choice
    count: Counter
    log: _Log = field(default_factory=_Log)

    @property
    def quick(self) -> bool:
        """Whether the fit is a short one."""
        return bool(self.record.settings["quick"])

    @property
    def prepared(self) -> Steps:
        """Steps of a table or a few."""
        return Steps(self.project.folder / STEPS / PREPARED)

    @property
    def virtual(self) -> Steps:
        """Virtual trials."""
        return Steps(self.project.folder / STEPS / VIRTUAL)

    def step(
        self, job: str, key: str, compute: Callable[[], Mapping[str, pl.DataFrame]]
    ) -> dict[str, pl.DataFrame]:
        """Tables of a step, from the disk or computed; the ledger says which."""
        begun = time.perf_counter()
        self.count.tell(job.replace("-", " ", 1))
        found, there = self.prepared.table_set(job, key, compute)
        self.note(job, key, found=there, begun=begun)
        self.log.wanted.add(self.prepared.unit(job, key))
        return found

    def note(self, step: str, key: str, *, found: bool, begun: float) -> None:
        """Record a step in the ledger."""
        seconds = round(time.perf_counter() - begun, 3)
        facts = {"step": step, "key": key, "found": found, "seconds": seconds}
        ledger.append(self.space.folder, "step", facts)
        if not found:
            self.log.computed.append(step)


def run(
    folder: str | Path,
    *,
    workers: int = 1,
    quick: bool = False,
    fresh: bool = False,
    trusted: Trusted = None,
    progress: Listener | None = None,
) -> GlueResult:
    """Run the project in a folder, or go on with a run that was stopped there.

    workers: processes; the result does not depend on it.   quick: a shorter fit, to look.
    fresh: compute everything again, whatever is there.   progress: called with a `runs.progress.Step`.
    trusted: keys (`runs.keys.trusted`) of which one must have signed what is there already.
    A project whose files are what they were when it was finished is read back.
    Raises InputError GP-S020 to GP-S024 (the project file, or a link), GP-S026 (files that are missing),
    GP-S007 (the result was changed), GP-R017 (a link in it), and what the rooms below raise; what was
    computed until then is kept.

    >>> from glueprint.study import glue
    >>> _ = glue.new(Path("mine"), compound="GLX-1", smiles="O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1")
    >>> run("mine")  # no assay yet
    Traceback (most recent call last):
    ...
    glueprint.errors.InputError: ...
    """
    project = load(folder)
    files = survey(project)
    _refuse_missing(project, files)
    for name in (RESULT, STEPS):  # what is written and removed there stays there
        check_place(project.folder, name)
        workspace.refuse_links(project.folder / name)
    record = record_of(project, files, quick=quick)
    choice = executor.Choice("processes" if workers > 1 else "serial", workers)
    with workspace.claim(project.folder / RESULT) as space:
        doubts = result.doubts(project, trusted)
        sealed = trusted is not None or signatures.are_in(project.folder)
        if doubts and not fresh and (sealed or not space.begun):
            raise result.changed(project.folder, list(map(str, doubts)))
        same = space.finished is not None and not record.differs_from(space.finished)
        if same and space.finished and not space.begun and not fresh:
            return read_back(space.folder, project, space.finished)
        count = Counter(progress or silent, len(files.assays) + 1 + _trials_of(project))
        return _kept(_Run(project, files, space, record, choice, count), fresh=fresh, found=doubts)


def _trials_of(project: Project) -> int:
    """How many virtual trials a project asks for."""
    if project.trial is None or project.pk is None:
        return 0
    others = [d for d in project.sweep.doses_mg if d != project.trial.dose_mg] if project.sweep else []
    return project.trial.replicates * (2 + len(others))


def _refuse_missing(project: Project, files: Survey) -> None:
    if files.missing:
        raise InputError(
            "GP-S026",
            f"files that the project names are not there: {', '.join(files.missing)}",
            where=str(project.folder / FILE),
            expected="every file that an entry names, in its place",
            next_step="put them there, or take the entries out; `glueprint glue status` lists them",
        )


def record_of(project: Project, files: Survey, *, quick: bool) -> Record:
    """Provenance of what decides the numbers: project, raw files, evidence, posteriors."""
    made_of = {"project": digest_of(_asked(project)), **files.digests}
    made_of["evidence"] = digest_of(evidence.load().frame.write_csv())
    structure = project.trial.structure if project.trial else clinical.STRUCTURES[0]
    made_of["posterior"] = digest_of(clinical.posterior(structure).draws.write_json())
    if project.trial:
        made_of["protocol"] = digest_of(patients.protocol_of(project).model_dump_json())
    if beside := project.load_reference():
        made_of["reference"] = beside.digest
    return provenance.new("glueprint-glue", {"seed": project.seed, "quick": quick}, made_of)


def _asked(project: Project) -> str:
    return project.model_dump_json(indent=2, exclude_none=True) + "\n"


def _kept(one: _Run, *, fresh: bool, found: Sequence[Doubt]) -> GlueResult:
    """The project computed; where that ends early, the ledger says how."""
    try:
        return _computed(one, fresh=fresh, found=found)
    except KeyboardInterrupt:
        one.space.stop("interrupted", {})
        raise
    except GlueprintError as error:
        one.space.stop("failed", error.as_dict())
        raise


def _computed(one: _Run, *, fresh: bool, found: Sequence[Doubt]) -> GlueResult:
    start = time.perf_counter()
    goes_on = one.space.begun is not None and not one.record.differs_from(one.space.begun)
    how: dict[str, object] = {}
    if found:  # the history begins with what it cannot vouch for
        how["found"] = list(map(str, found))
    if given_up := signatures.give_up(one.project.folder):
        how["project_signatures_given_up"] = given_up
    if goes_on and not fresh and not found:
        one.space.resume(how)
    else:
        one.space.begin(one.record, how)
    if fresh:
        one.prepared.forget_all_but(set())
        one.virtual.forget_all_but(set())
    measured = measuring.measure(one.project, one.files, one.step, lambda: one.count.tell("analyses", 1))
    posterior, dossier = fitting.fitted(one.project, measured.rows, one.step, quick=one.quick)
    one.count.tell("fit", 1)
    known = pk.known(one.project, compounds.load(posterior.reference))
    glue = fitting.compound(one.project, posterior, known)
    one.log.findings += [*fitting.doubts(posterior), *one.files.findings, *measured.findings]
    one.log.findings += [*posterior.findings, *known.findings]
    made = dict(measured.tables) | tables.of_fit(dossier, posterior) | _trial(one, glue, posterior)
    made["findings"] = findings_table(dict.fromkeys(one.log.findings))
    made["about"] = tables.about(one.project, known.source, posterior)
    gone = one.prepared.forget_all_but(one.log.wanted)
    ledger.append(one.space.folder, "swept", {"steps": gone})
    record = replace(one.record, seconds=round(time.perf_counter() - start, 3))
    texts = {ASKED: _asked(one.project), file_of(one.project): dossiers.compound_text(glue)}
    record = one.space.publish(made, texts, record)
    one.count.tell("done")
    return GlueResult(one.project, one.space.folder, made, glue, record, tuple(one.log.computed))


def _trial(one: _Run, glue: Compound, posterior: dossiers.CompoundPosterior) -> dict[str, pl.DataFrame]:
    """The tables of the virtual trials; empty where there can be none, with a finding that says why."""
    if one.project.trial is None:
        one.log.findings.append(_no_trial(one.project))
        return {}
    if glue.pk is None:
        return {}
    given = patients.cases(one.project, glue, fitting.draws(one.project, posterior, glue))
    one.log.findings += [_outside(case, found) for case in given for found in outside(case.protocol)]
    begun = time.perf_counter()
    ran = patients.run(one.virtual, given, one.choice, one.count.tell)
    for case in given:
        one.note(f"trials {case.arm}", case.key, found=case.job not in ran, begun=begun)
    one.virtual.forget_jobs({case.job for case in given})
    return tables.of_trials(one.project, glue, posterior, one.virtual, given)


# What may bring a trial back inside, by the code of the finding.
INSIDE = {
    "GP-T080": "read its numbers as such; a lower dose may lie inside",
    "GP-T107": "read its numbers as such; docs/mechanism.md, Substrates, says how a module reads a substrate",
}


def _outside(case: Case, found: Outside) -> Finding:
    return Finding(
        found.code,
        "warning",
        f"beyond what {found.basis} cover, so extrapolated: {found.asked}",
        where=f"{case.arm}: {found.field}",
        expected=found.covered,
        next_step=INSIDE.get(found.code, "read its numbers as such"),
    )


def _no_trial(project: Project) -> Finding:
    return Finding(
        "GP-S034",
        "warning",
        f"no trial was asked for, so that nothing is said of {project.compound} in patients",
        where="glue.toml, [trial]",
        expected="a protocol and a dose",
        next_step="add [trial] with protocol and dose_mg",
    )
