"""The bodies of all patients of a replicate: one ensemble per model, spoken to as if there were one.

Arms whose glues differ in numbers alone share a model; a glue with other compartments has a model of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import parent_process

import numpy as np
from numpy.typing import NDArray

from glueprint.engine import Doses, Ensemble, Model
from glueprint.engine import Outcome as Ended
from glueprint.engine.batch import Settings
from glueprint.mechanism import Scenario, models

__all__ = ["Bodies", "Outcome", "admit_bodies"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Relative error of what is integrated, far below the error of any measurement; docs/trials.md, "Conduct".
ACCURACY = 1e-4
# Fewer patients are done sooner on one thread than it takes to start others at every visit; a worker has its
# processor to itself, and the others have theirs.
THREADS_FROM_PATIENTS, THREADS_OF_WORKERS_FROM = 200, 4000


@dataclass(frozen=True)
class Outcome:
    """How the integration ended for each of n patients: status, 0 is fine, and the reason with its remedy."""

    status: Integers
    reasons: Sequence[str]


@dataclass(frozen=True, eq=False)
class Bodies:
    """Ensembles with the patients that each follows, (m,) indices of the replicate's n."""

    size: int
    groups: tuple[tuple[Integers, Ensemble], ...]

    @property
    def time_h(self) -> Floats:
        """(n,) hours since randomisation that each patient has been followed for."""
        return self._joined({"time_h": [ensemble.time_h for _, ensemble in self.groups]})["time_h"]

    def values(self, names: Sequence[str]) -> dict[str, Floats]:
        """(n,) present values of species or assigned quantities that every model has."""
        parts = [ensemble.values(names) for _, ensemble in self.groups]
        return self._joined({name: [part[name] for part in parts] for name in names})

    def set(self, name: str, values: Floats) -> None:
        """Change a parameter of every patient, (n,), from now on."""
        for who, ensemble in self.groups:
            ensemble.set(name, values[who])

    def advance(self, until_h: Floats, doses: Doses) -> Outcome:
        """Follow each patient until `until_h`, (n,), under doses whose patients count in the replicate."""
        if len(self.groups) == 1:
            ended = self.groups[0][1].advance(until_h, doses=doses)
            return Outcome(ended.status, _reasons(ended))
        patient, _, _, _ = doses.columns()
        status, reasons = np.zeros(self.size, dtype=np.int64), [""] * self.size
        for who, ensemble in self.groups:
            place = np.full(self.size, -1, dtype=np.int64)
            place[who] = np.arange(who.size)
            mine = place[patient] >= 0
            own = replace(doses.take(mine), patient=place[patient[mine]])
            ended = ensemble.advance(until_h[who], doses=own)
            status[who] = ended.status
            for index in np.flatnonzero(ended.status != 0):
                reasons[who[index]] = str(ended.reasons[index])
        return Outcome(status, reasons)

    def _joined(self, parts: Mapping[str, Sequence[Floats]]) -> dict[str, Floats]:
        """(n,) by name from the groups' own arrays."""
        if len(self.groups) == 1:
            return {name: arrays[0] for name, arrays in parts.items()}
        found = {name: np.empty(self.size) for name in parts}
        for name, arrays in parts.items():
            for (who, _), array in zip(self.groups, arrays, strict=True):
                found[name][who] = array
        return found


def _reasons(ended: Ended) -> Sequence[str]:
    """(n,) texts; put together where somebody needs one."""
    return ended.reasons if ended.status.any() else [""] * ended.status.size


@lru_cache(maxsize=8)
def _model(scenario: Scenario) -> Model:
    """The trial model, compiled once for all replicates."""
    return models.trial(scenario)


def admit_bodies(scenarios: Sequence[Scenario], arm: Integers, values: Mapping[str, Floats]) -> Bodies:
    """The bodies of patients at the start.

    scenarios: of each arm.   arm: (n,) of each patient.   values: (n,) parameters and initial values by name.
    Source: docs/trials.md, "Conduct".
    """
    least = THREADS_FROM_PATIENTS if parent_process() is None else THREADS_OF_WORKERS_FROM
    settings = Settings.coarse(ACCURACY, threads=0 if arm.size >= least else 1)
    shapes = [models.shape(scenario) for scenario in scenarios]
    groups = []
    for shape in dict.fromkeys(shapes):
        first = scenarios[shapes.index(shape)].with_overrides({})
        who = np.flatnonzero(np.array([one == shape for one in shapes])[arm])
        if not who.size:
            continue
        model = _model(first)
        given, initial = models.split(model, {name: array[who] for name, array in values.items()})
        groups.append((who, model.ensemble(given, initial=initial, patients=who.size, settings=settings)))
    return Bodies(arm.size, tuple(groups))
