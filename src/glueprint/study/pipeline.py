"""The whole line: evidence, parameters, patients, trials, comparison with the guide; kept in one folder.

The virtual trials are the long part. They are computed in units, several at once, and each is kept by
itself: a run that was stopped goes on from them; the rest takes seconds and is computed at the end.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from glueprint import evidence, trials
from glueprint.calibration import clinical
from glueprint.chemistry import structures
from glueprint.errors import EnvironmentProblemError, GlueprintError, InputError
from glueprint.mechanism import Compound, Scenario, models
from glueprint.runs import executor as executors
from glueprint.runs import ledger, provenance, signatures, verify, workspace
from glueprint.runs.progress import Counter, Listener, silent
from glueprint.runs.provenance import Record
from glueprint.runs.units import Receipt
from glueprint.runs.verify import Finding, Trusted
from glueprint.runs.workspace import Workspace
from glueprint.study import definition, in_vitro, inputs, left_out, plate_files, plates, profiles
from glueprint.study.comparison import compare, reference_of
from glueprint.study.definition import Study
from glueprint.study.result import StudyResult, read_back
from glueprint.trials import (
    ParameterDraws,
    Protocol,
    TrialResult,
    Unit,
    check_size,
    groups_of,
    keep_group,
    read_units,
    units_of,
)

__all__ = ["run"]


@dataclass(frozen=True)
class Request:
    """All that decides the numbers of a run, and where it is computed, which does not."""

    plan: Study
    compound: Compound
    protocols: Mapping[str, Protocol]
    record: Record
    executor: executors.Choice
    draws: Mapping[str, ParameterDraws]

    def units(self) -> list[Unit]:
        """Every virtual trial of the study, in the order of its file."""
        pairs = zip(self.plan.trials, self.protocols.values(), strict=True)
        return [
            unit
            for asked, protocol in pairs
            for unit in units_of(
                protocol,
                asked.replicates,
                self.plan.seed,
                draws=self.draws[protocol.name],
                counterfactual=asked.counterfactual,
            )
        ]


def run(
    study: str | Path,
    out: str | Path | None = None,
    *,
    seed: int | None = None,
    fresh: bool = False,
    workers: int | None = None,
    executor: executors.Kind | None = None,
    address: str | None = None,
    trust_scheduler: bool = False,
    trusted: Trusted = None,
    progress: Listener | None = None,
) -> StudyResult:
    """Run a study and keep it in a folder, or go on with a run that was stopped there.

    study: a name out of `study.available()`, or the path of a TOML file.
    out: folder; NAME-study if left out.   seed: instead of the file's.
    fresh: begin anew, and replace a folder made from other inputs.
    executor, workers, address: instead of the file's, see docs/runs.md; the numbers do not depend on them.
    trust_scheduler: let the file's own address be used; whoever runs it can run code as you.
    trusted: keys (`runs.keys.trusted`) of which one must have signed what is there already.
    progress: called with a `runs.progress.Step` when something began or ended.
    A folder that holds this very study, finished, is read back and not computed again.
    Raises InputError GP-S001 to GP-S007 and GP-S009 to GP-S013, EnvironmentProblemError GP-S008, and what
    the rooms below raise; what was computed until then is kept.

    >>> head = 'kind = "glueprint-study"\\nversion = 1\\nname = "small"\\ntitle = "Small"\\n'
    >>> text = head + 'compound = "pomalidomide"\\n[[trials]]\\nprotocol = "mm003"\\nreplicates = 1\\n'
    >>> _ = Path("small.toml").write_text(text, encoding="utf-8")
    >>> run("small.toml", "small-study").folder.name
    'small-study'
    """
    plan = definition.load(study)
    if seed is not None:
        plan = plan.model_copy(update={"seed": seed})
    folder = Path(out) if out is not None else Path(f"{plan.name}-study")
    compound, protocols = plan.load_compound(), _protocols(plan)
    _refuse_other_compounds(plan, compound, protocols)
    _refuse_plates_of_another(plan, compound)
    for asked, protocol in zip(plan.trials, protocols.values(), strict=True):
        check_size(protocol, asked.replicates)
    choice = definition.executor_of(plan, executor, workers, address, trust_scheduler=trust_scheduler)
    draws = _draws(plan, protocols)
    record = _new_record(plan, compound, protocols, draws)
    request = Request(plan, compound, protocols, record, choice, draws)
    with workspace.claim(folder) as space:
        if not fresh:
            _refuse_other_inputs(space, request.record)
        doubts = verify.doubts(folder, trusted)
        sealed = trusted is not None or signatures.are_in(folder)
        if not fresh and (sealed or not space.begun):
            _refuse_changed(folder, [doubt for doubt in doubts if sealed or not _comes_back(doubt)])
        if space.finished and not space.begun and not fresh:
            result = read_back(folder, plan, protocols, space.finished)
        else:
            result = _kept(space, request, (fresh, doubts), progress or silent)
        plate_files.lay_out(folder, result.tables.get("plates"), plan.seed)
        return result


def _protocols(plan: Study) -> dict[str, Protocol]:
    """The protocols of the study by name; two of one name could not be told apart in its folder."""
    found: dict[str, Protocol] = {}
    for request in plan.trials:
        protocol = plan.load_protocol(request)
        if protocol.name in found:
            raise InputError(
                "GP-S009",
                f'two trials with the protocol name "{protocol.name}"',
                where=f"{plan.name}, trials",
                expected="every protocol once, each with a name of its own",
                next_step="take one out, or copy the protocol and give the copy another name",
            )
        found[protocol.name] = protocol
    return found


def _refuse_other_compounds(plan: Study, compound: Compound, protocols: Mapping[str, Protocol]) -> None:
    """What a study is about is what each of its trials doses."""
    for name, protocol in protocols.items():
        if compound in protocol.glues:
            continue
        namesakes = [glue for glue in protocol.glues if glue.name == compound.name]
        dosed = ", ".join(glue.name for glue in protocol.glues) or "no glue"
        other = " of another content" if namesakes else ""
        raise InputError(
            "GP-S011",
            f'the study is about {compound.name}, but its trial "{name}" doses {dosed}{other}',
            where=f"{plan.name}, compound",
            expected=f"trials with an arm that gives {compound.name}, from the same file",
            next_step=f'{_copy_of(name)}write compound = "{plan.compound}" '
            "in its drugs, as a path from the protocol's folder, and name that protocol in the study",
        )


def _copy_of(name: str) -> str:
    """How a user comes to a protocol of his own, where this one comes with Glueprint."""
    shipped = name in trials.available()
    return f"copy the protocol with `glueprint trial file {name} > my-{name}.toml`, " if shipped else ""


def _refuse_plates_of_another(plan: Study, compound: Compound) -> None:
    """The twins' truths are settings for one compound; beside another they would pass for its numbers."""
    if plan.plates and not plates.is_of(compound, plan.plates.protocols):
        raise InputError(
            "GP-S012",
            f"the simulated plates have settings for another compound than {compound.name}",
            where=f"{plan.name}, plates",
            expected="plates only where the study is about the compound that the twins simulate, unchanged",
            next_step=f"leave [plates] out; `glueprint assay twin PROTOCOL --truth FILE` simulates plates "
            f"of {compound.name} from a truth that you write",
        )


def _draws(plan: Study, protocols: Mapping[str, Protocol]) -> dict[str, ParameterDraws]:
    """What each trial's parameters are drawn from: the posterior that the study names, or its one most
    probable draw where the study asks for no posterior."""
    if plan.posterior is None:
        return {name: clinical.posterior().central(protocol) for name, protocol in protocols.items()}
    found = clinical.posterior(plan.posterior)
    return {
        name: found.for_trial(protocol, count=asked.replicates, seed=plan.seed)
        for asked, (name, protocol) in zip(plan.trials, protocols.items(), strict=True)
    }


def _refuse_changed(folder: Path, doubts: Sequence[Finding]) -> None:
    """What the ledger does not vouch for is not read, and no later entry vouches for what is made of it."""
    if doubts:
        raise InputError(
            "GP-S007",
            "was changed after the study was finished: " + "; ".join(map(str, doubts)),
            where=str(folder),
            expected="the files as they were written, and a ledger that vouches for them",
            next_step="see `glueprint study verify`; --fresh computes everything again",
        )


def _comes_back(doubt: Finding) -> bool:
    """Raw files and reports that are gone are made again, from tables that are as they were."""
    beside = "/" not in doubt.file and doubt.file not in (
        definition.REQUEST,
        provenance.FILE_NAME,
        ledger.FILE_NAME,
    )
    return doubt.what == verify.MISSING and (beside or doubt.file.startswith(f"{plate_files.FOLDER}/"))


def _kept(
    space: Workspace, request: Request, state: tuple[bool, Sequence[Finding]], listener: Listener
) -> StudyResult:
    """The study computed; where that ends early, the ledger says how."""
    try:
        return _computed(space, request, state, listener)
    except KeyboardInterrupt:
        space.stop("interrupted", {})
        raise
    except GlueprintError as error:
        space.stop("failed", error.as_dict())
        raise


def _new_record(
    plan: Study, compound: Compound, protocols: Mapping[str, Protocol], draws: Mapping[str, ParameterDraws]
) -> Record:
    """Provenance of what decides the numbers: study, protocols, evidence, model."""

    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    made_of = {"study": digest(_asked(plan)), "evidence": digest(evidence.load().frame.write_csv())}
    if reference := reference_of(plan):
        made_of["reference"] = digest(reference.model_dump_json())
    lead = next(iter(draws.values()))
    scenario = Scenario(compound, lead.structure)
    made_of["model"] = digest(models.source(models.TRIALS[lead.structure], scenario))
    made_of["parameters"] = digest(inputs.parameter_table(compound, lead).write_json())
    made_of["posterior"] = digest(clinical.posterior(lead.structure).draws.write_json())
    if plan.plates:
        made_of["plates"] = digest(plates.truths(plan.plates.protocols))
    for name, protocol in protocols.items():
        made_of[f"protocol {name}"] = digest(protocol.model_dump_json())
    return provenance.new("glueprint-study", {"study": plan.name, "seed": plan.seed}, made_of)


def _asked(plan: Study) -> str:
    """What was asked for, without where it is computed."""
    # What a study does not ask for leaves no trace, so that older folders can still be told to be the same.
    optional = ("plates", "posterior", "reference")
    left_out = {"executor"} | {name for name in optional if getattr(plan, name) is None}
    return plan.model_dump_json(indent=2, exclude=left_out) + "\n"


def _refuse_other_inputs(space: Workspace, record: Record) -> None:
    """A study is continued or replaced only by itself, unless the user says so."""
    earlier = space.begun or space.finished
    differences = record.differs_from(earlier) if earlier else []
    if differences:
        state = "an unfinished study" if space.begun else "a study"
        raise InputError(
            "GP-S006",
            f"holds {state} made from something else: " + "; ".join(differences),
            where=str(space.folder),
            expected="a new folder, or the same study, seed and version",
            next_step="choose another folder with --out, or replace this one with --fresh",
        )


def _computed(
    space: Workspace, request: Request, state: tuple[bool, Sequence[Finding]], listener: Listener
) -> StudyResult:
    start = time.perf_counter()
    whole: Mapping[str, Receipt] = {}
    fresh, doubts = state
    how: dict[str, object] = {"executor": asdict(request.executor)}
    if doubts:  # the history begins with what it cannot vouch for
        how["found"] = list(map(str, doubts))
    if space.begun and not fresh and not doubts:
        whole = space.resume(how).whole
    else:
        space.begin(request.record, how)
    failed = sum(receipt.facts.get("failed", 0) for receipt in whole.values())
    count = Counter(listener, len(request.units()), found=len(whole), failed_patients=failed)
    _compute_units(space, request, count, whole)
    results = {
        protocol.name: read_units(
            space.units,
            protocol,
            asked.replicates,
            request.plan.seed,
            draws=request.draws[protocol.name],
        )
        for asked, protocol in zip(request.plan.trials, request.protocols.values(), strict=True)
    }
    tables = _tables(request, results, count)
    record = replace(request.record, seconds=round(time.perf_counter() - start, 3))
    record = space.publish(tables, {definition.REQUEST: _asked(request.plan)}, record)
    count.tell("done")
    return StudyResult(request.plan, space.folder, tables, results, record)


def _compute_units(space: Workspace, request: Request, count: Counter, whole: Mapping[str, Receipt]) -> None:
    """Every unit that is not there yet, in groups, wherever the executor computes them."""
    todo = [unit for unit in request.units() if unit.name not in whole]
    count.tell("virtual trials")
    if not todo:
        return
    root, versions = space.units.resolve(), provenance.versions()
    with executors.start(request.executor) as crew:
        groups = groups_of(todo, crew.hands)
        with closing(crew.run(partial(keep_group, root), groups)) as done:
            for place, receipts in done:
                protocol = groups[place][0].protocol
                what = f"{protocol.name}: virtual trials of {protocol.patients} patients"
                for receipt in receipts:
                    _refuse_other_worker(root, receipt, versions)
                    count.tell(what, 1, receipt.facts.get("failed", 0))


def _refuse_other_worker(root: Path, receipt: Receipt, versions: Mapping[str, str]) -> None:
    """A worker elsewhere must have our versions and our folder, or the numbers may be others."""
    there = receipt.made_with
    other = [
        f"{name} {version} here, {there.get(name)} there"
        for name, version in versions.items()
        if there.get(name) != version
    ]
    if not (root / receipt.unit).is_dir():
        other = [f"unit {receipt.unit} was written where this process cannot see it"]
    if other:
        raise EnvironmentProblemError(
            "GP-S008",
            f"a worker does not share our versions or our folder: {'; '.join(other)}",
            where=str(root),
            expected="workers with the same packages that see the same folder",
            next_step="install the same versions on all workers, and choose a shared folder with --out",
        )


def _tables(request: Request, results: Mapping[str, TrialResult], count: Counter) -> dict[str, pl.DataFrame]:
    claims = evidence.load()
    plan = request.plan
    tables = {
        f"{name}_{table}": frame
        for name, result in results.items()
        for table, frame in result.tables().items()
    }
    count.tell("profiles of virtual patients")
    lead = next(iter(request.protocols.values()))
    # One truth for all of its patients: that of the trials without a posterior.
    truth = clinical.posterior(plan.posterior or clinical.STRUCTURES[0]).central(lead).truth(1)
    tables["profiles"] = profiles.compute(lead, request.compound, plan.profiles, plan.seed, truth=truth)
    if plan.plates:
        count.tell("simulated plates")
        tables |= plates.compute(plan.plates.protocols, plan.seed)
    count.tell("in-vitro numbers")
    reference = reference_of(plan)
    if reference:
        compared = compare(claims, reference, results, in_vitro.compute(claims, reference))
        names = tuple(reference.trials.values())
        others = left_out.predictions(plan.posterior, names) if plan.posterior else {}
        assays = in_vitro.left_out(reference)
        tables["comparison"] = left_out.with_left_out(compared, reference, others, assays)
    tables["findings"] = in_vitro.findings(claims)
    if reference and plan.posterior and (plan.posterior, "arms") in clinical.SHIPPED:
        checked = clinical.posterior(plan.posterior, "arms").held_out
        tables |= {} if checked is None else {"held_out": checked}
    tables["parameters"] = inputs.parameter_table(request.compound, request.draws[lead.name])
    tables["compounds"] = structures.table()
    return tables
