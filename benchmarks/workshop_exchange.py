"""Every model of ours as a COMBINE archive, beside libroadrunner's course of the SBML in it.

    python -m benchmarks.workshop_exchange

Differences are of each column's largest value; columns that stay below 1e-7, next to the solvers' absolute
tolerances, are counted and left out.
"""

from __future__ import annotations

import libsbml
import numpy as np
import roadrunner

from glueprint import engine
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


def main() -> None:
    roadrunner.Logger.disableLogging()
    for name in models.names():
        text = models.sbml(name, Scenario.of("pomalidomide"))
        dosed = "glue_gut" in engine.compile(text).species
        doses = engine.Doses.regimen([0], [0.0], ["glue_gut"], [4.0], additional=[20], interval_h=[24.0])
        course = exchange.Course(672.0 if dosed else 72.0, 84, doses=doses if dosed else None)
        package = exchange.pack(text, course)
        own, theirs = package.course.to_numpy(), by_libroadrunner(package)
        size = np.abs(own).max(axis=0)
        shown = size > NOTHING
        largest = float((np.abs(own - theirs)[:, shown] / size[shown]).max())
        found = {kind: package.sbml.count(kind) for kind in KINDS}
        print(f"{name:20} {found} {largest:.1e} of {int(shown.sum()) - 1}, {int((~shown).sum())} left out")


if __name__ == "__main__":
    main()
