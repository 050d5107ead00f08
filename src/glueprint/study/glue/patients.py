"""The virtual trials of a project: the glue at its dose, the reference as written, the glue at other doses.

All enrol the same patients with the same chance and the same draw of what is not known of patients; a trial
is a unit on disk, and one that is there is not run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from glueprint import trials
from glueprint.mechanism import Compound, Scenario, models
from glueprint.runs import executor, units
from glueprint.runs.store import disk_errors
from glueprint.runs.units import Receipt
from glueprint.study.glue.project import Project, check_place
from glueprint.study.glue.steps import Steps, digest_of
from glueprint.trials import ParameterDraws, Protocol, TrialResult, Unit

__all__ = ["PLANNED", "REFERENCE", "SWEPT", "Case", "cases", "endpoints", "protocol_of", "result", "run"]

TABLE = "endpoints"
PLANNED, REFERENCE, SWEPT = "planned", "reference", "swept"


@dataclass(frozen=True)
class Case:
    """One design: which part it plays, its protocol of one arm, and the draws that its trials are run with.

    whole: whether all tables of its trials are kept, or their endpoints alone.
    """

    part: str
    protocol: Protocol
    draws: ParameterDraws
    dose_mg: float
    seed: int
    replicates: int

    @property
    def whole(self) -> bool:
        """Whether its patients are kept."""
        return self.part != SWEPT

    @property
    def arm(self) -> str:
        """The name of its arm."""
        return self.protocol.arms[0].name

    @property
    def key(self) -> str:
        """SHA-256 of all that decides its trials."""
        glue = self.draws.compound
        return digest_of(
            trials.content_of(self.protocol),
            self.protocol.name,
            self.arm,
            self.draws.names,
            self.draws.values.tolist(),
            self.draws.structure,
            glue.digest,
            models.source(models.TRIALS[self.draws.structure], Scenario(glue, self.draws.structure)),
            self.seed,
            self.whole,
        )

    @property
    def job(self) -> str:
        """The folder of its trials."""
        return f"{self.part}-{self.key[:24]}"

    def units(self) -> Iterator[Unit]:
        """Its virtual trials."""
        return trials.units_of(self.protocol, self.replicates, self.seed, draws=self.draws)


def protocol_of(project: Project) -> Protocol:
    """The protocol of the project's trial, by name or by path inside its folder.

    Raises InputError GP-S024, and what `trials.load_protocol` raises.
    """
    assert project.trial is not None
    name = project.trial.protocol
    if name in trials.available():
        return trials.load_protocol(name)
    return trials.load_protocol(check_place(project.folder, name))


def cases(project: Project, glue: Compound, draws: tuple[ParameterDraws, ParameterDraws]) -> tuple[Case, ...]:
    """Every design of the project: planned, reference, then the other doses of the sweep, rising.

    draws: of the glue, and of the reference.   Raises what `trials.with_glue` raises.
    """
    asked, protocol = project.trial, protocol_of(project)
    assert asked is not None
    own, beside = draws
    rules = asked.rules
    if rules is not None and rules.endswith(".toml"):
        rules = str(check_place(project.folder, rules))

    def at(dose_mg: float) -> Protocol:
        return trials.with_glue(
            protocol,
            glue,
            dose_mg=dose_mg,
            days=asked.days,
            rules=rules,
            arm=asked.arm,
            patients=asked.patients,
        )

    written = trials.alone(protocol, asked.arm, patients=asked.patients)
    _, drug = trials.glue_of(protocol, asked.arm)
    doses = project.sweep.doses_mg if project.sweep else ()
    plan = (project.seed, asked.replicates)
    return (
        Case(PLANNED, at(asked.dose_mg), own, asked.dose_mg, *plan),
        Case(REFERENCE, written, beside, drug.dose_mg, *plan),
        *(Case(SWEPT, at(dose), own, dose, *plan) for dose in doses if dose != asked.dose_mg),
    )


@dataclass(frozen=True)
class _Work:
    """Trials to run at once, below which folder, and the tables to keep, all if None."""

    folder: Path
    group: trials.Group
    tables: tuple[str, ...] | None


def run(
    steps: Steps, given: Sequence[Case], choice: executor.Choice, told: Callable[[str, int, int], None]
) -> set[str]:
    """Run every virtual trial that is not there yet.

    told: called with what is being done, how many trials are done more, and how many patients failed.
    Returns the jobs of which some trial was run.
    """
    todo = []
    for case in given:
        folder = steps.root / case.job
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        whole, damaged = units.survey(folder)
        units.sweep(folder, damaged)
        facts = [whole[unit.name].facts for unit in case.units() if unit.name in whole]
        told(case.arm, len(facts), sum(fact.get("failed", 0) for fact in facts))
        if missing := [unit for unit in case.units() if unit.name not in whole]:
            todo.append((folder, missing, None if case.whole else (TABLE,)))
    if not todo:
        return set()
    with executor.start(choice) as crew:
        work = [
            _Work(folder, group, tables)
            for folder, missing, tables in todo
            for group in trials.groups_of(missing, crew.hands)
        ]
        with closing(crew.run(_keep, work)) as done:
            for place, receipts in done:
                arm = work[place].group[0].protocol.arms[0].name
                for receipt in receipts:
                    told(f"virtual trials: {arm}", 1, receipt.facts.get("failed", 0))
    return {folder.name for folder, _, _ in todo}


def _keep(work: _Work) -> list[Receipt]:
    """Some virtual trials on the disk."""
    return trials.keep_group(work.folder, work.group, work.tables)


def result(steps: Steps, case: Case) -> TrialResult:
    """The trials of a case that keeps its patients, as `trials.run` gives them."""
    return trials.read_units(
        steps.root / case.job, case.protocol, case.replicates, case.seed, draws=case.draws
    )


def endpoints(steps: Steps, case: Case) -> pl.DataFrame:
    """The endpoints of all trials of a case."""
    names = [unit.name for unit in case.units()]
    return pl.concat(units.read(steps.root / case.job, name, TABLE) for name in names)
