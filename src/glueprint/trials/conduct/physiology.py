"""The bodies of all patients under what they swallow: states now, and doses that have still to act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from glueprint.engine import Doses
from glueprint.errors import InputError
from glueprint.mechanism import parameters, pharmacokinetics
from glueprint.trials.conduct.doses import DoseList
from glueprint.trials.conduct.intake import GlueIntake, intakes, swallowed
from glueprint.trials.conduct.span import HAZARDS
from glueprint.trials.conduct.visit import LABS
from glueprint.trials.patients import (
    Bodies,
    Outcome,
    Population,
    Stream,
    admit_bodies,
    model_parameters,
    scenarios,
    separate,
)
from glueprint.trials.protocol import Protocol, clinical_events

__all__ = ["Physiology"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

HOURS_PER_DAY = 24.0
NEXT_LINE = "next_line_share"


def watched() -> tuple[str, ...]:
    """What is read off the bodies at every visit."""
    return tuple(dict.fromkeys((*HAZARDS, *(rule.hazard for _, rule in clinical_events()), *LABS)))


@dataclass
class Physiology:
    """Bodies, how they take up each glue, and doses given already that enter later.

    states: (n,) by name, cumulative hazards and laboratory values without error, at the present visit.
    next_line_share: of the excess hazard of progressed disease that a next line takes away, (n,); None where
    the structure of the tumour does not tell states of the disease apart.
    """

    bodies: Bodies
    glues: Sequence[GlueIntake]
    waiting: Doses = field(default_factory=Doses.none)
    states: dict[str, Floats] = field(default_factory=dict)
    next_line_share: Floats | None = None

    @classmethod
    def admit(cls, protocol: Protocol, people: Population, stream: Stream) -> Physiology:
        """The patients at randomisation, under no drug."""
        arms, values = scenarios(protocol, people.truth), model_parameters(protocol, people, stream)
        bodies = admit_bodies(arms, people.arm, values)
        try:
            states = bodies.values(watched())
        except InputError as error:
            for event, rule in clinical_events():
                if rule.hazard in error.message:
                    error.add_note(f'By it comes the adverse event "{event.name}".')
            raise
        parts = [part for part, _ in separate(people, stream)]
        typical = [parameters.typical(scenarios(protocol, part.truth)[0]) for part in parts]
        share = None
        if NEXT_LINE in typical[0]:
            share = np.repeat([one[NEXT_LINE] for one in typical], [part.size for part in parts])
        return cls(bodies, intakes(arms, people.arm, values), states=states, next_line_share=share)

    def cover(self, progressed: Bools, later_lines: Integers) -> None:
        """Tell the bodies how far progressed disease goes without treatment, until the next visit.

        progressed: (n,) whose first progression was seen.   later_lines: (n,) how many followed it so far,
        counting one after the last that was given and seen to fail as begun: further lines are not followed
        one by one, each protects less.
        """
        if self.next_line_share is not None:
            covered = np.where(later_lines > 0, self.next_line_share**later_lines, 0.0)
            self.bodies.set("uncovered", np.where(progressed, 1.0 - covered, 0.0))

    def advance(self, until_day: Integers, live: Bools, doses: DoseList) -> Outcome:
        """Follow those who live, (n,), until a day of their own, (n,), under the doses; `states` are then
        those of that day."""
        until_h = np.where(live, HOURS_PER_DAY * until_day, self.bodies.time_h)
        given = pharmacokinetics.together(self.waiting, swallowed(doses, self.glues))
        given, self.waiting = pharmacokinetics.due(given, until_h)
        outcome = self.bodies.advance(until_h, given)
        self.states = self.bodies.values(tuple(self.states))
        return outcome

    def forget(self, gone: Bools) -> None:
        """Drop the doses of patients who are followed no more, (n,)."""
        patient, *_ = self.waiting.columns()
        if gone[patient].any():
            self.waiting = self.waiting.take(~gone[patient])
