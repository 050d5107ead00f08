"""Every model and experiment of ours as COMBINE archives, beside libroadrunner's course of the SBML in them.

    python -m benchmarks.workshop_exchange

Differences are of each column's largest value; columns that stay below 1e-7, next to the solvers' absolute
tolerances, are counted and left out. Of an experiment the largest of all its archives is shown, then that of
the wells themselves, as the experiment simulates and reads them, from libroadrunner's course.
"""

from __future__ import annotations

import libsbml
import numpy as np
import roadrunner

from glueprint import engine, experiments
from glueprint.errors import NotSupportedError
from glueprint.mechanism import Scenario, models
from glueprint.workshop import exchange

NOTHING = 1e-7
KINDS = ("error", "unit", "undeclared unit")


def by_libroadrunner(package: exchange.Packed) -> np.ndarray:
    names, until = package.course.columns[1:], float(package.course["time"][-1])
    runner = roadrunner.RoadRunner(package.sbml.text)
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-10, 1e-12
    runner.integrator.setValue("maximum_num_steps", 1_000_000)
    model = libsbml.readSBMLFromString(package.sbml.text).getModel()
    counted = {one.getId() for one in model.getListOfSpecies() if not one.getHasOnlySubstanceUnits()}
    chosen = ["time", *(f"[{name}]" if name in counted else name for name in names)]
    return np.array(runner.simulate(0.0, until, package.course.height, chosen))


def apart(own: np.ndarray, theirs: np.ndarray) -> tuple[float, int, int]:
    """Largest difference of columns (times, n) of their largest values; how many count, and are left out."""
    assert np.isfinite([own, theirs]).all()
    size = np.abs(own).max(axis=0)
    shown = size > NOTHING
    largest = float((np.abs(own - theirs)[:, shown] / size[shown]).max())
    return largest, int(shown.sum()), int((~shown).sum())


def wells_apart(one: experiments.Archived, theirs: np.ndarray) -> float:
    """The same of the wells as the experiment reads them; a value at the time of a change is before it."""
    run, times = one.run, theirs[:, 0]
    found = run.cells.over([run.dose_nm], times, run.outputs, run.values, later=run.later)[0]
    before = np.isin(times, [hour for hour, _, _ in run.later])
    return apart(found[~before], theirs[~before, 1 : 1 + len(run.outputs)])[0]


def of_experiments() -> None:
    for name in experiments.available():
        try:
            found = experiments.archives(name)
        except NotSupportedError as refused:
            print(f"{name:26} {refused.code}: {refused.message}")
            continue
        courses = [(one, by_libroadrunner(one.package)) for one in found]
        largest = max(apart(one.package.course.to_numpy(), theirs)[0] for one, theirs in courses)
        read = max(wells_apart(one, theirs) for one, theirs in courses)
        counted = {kind: sum(one.package.sbml.count(kind) for one in found) for kind in KINDS}
        print(f"{name:26} {counted} {len(found):2} archives {largest:.1e}, as read {read:.1e}")


def main() -> None:
    roadrunner.Logger.disableLogging()
    of_experiments()
    for name in models.names():
        text = models.sbml(name, Scenario.of("pomalidomide"))
        dosed = "glue_gut" in engine.compile(text).species
        doses = engine.Doses.regimen([0], [0.0], ["glue_gut"], [4.0], additional=[20], interval_h=[24.0])
        course = exchange.Course(672.0 if dosed else 72.0, 84, doses=doses if dosed else None)
        package = exchange.pack(text, course)
        own, theirs = package.course.to_numpy(), by_libroadrunner(package)
        largest, shown, left_out = apart(own, theirs)
        found = {kind: package.sbml.count(kind) for kind in KINDS}
        print(f"{name:20} {found} {largest:.1e} of {shown - 1}, {left_out} left out")


if __name__ == "__main__":
    main()
