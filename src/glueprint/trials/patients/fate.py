"""What chance holds for each patient from the start: when hazards are passed, what follows progression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.population import Population
from glueprint.trials.patients.tolerability import EventDraws
from glueprint.trials.protocol import Protocol, clinical_events

__all__ = ["Fate"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Fate:
    """What chance holds for n patients, (n,) each: cumulative hazards at which death, loss, progression
    without M-protein and, by its name, each clinical adverse event come, exponential with mean 1; whether
    therapy follows progression; and intolerance, which comes back."""

    death: Floats
    dropout: Floats
    progression: Floats
    events: Mapping[str, Floats]
    continues: Bools
    intolerance: EventDraws

    @classmethod
    def of(cls, protocol: Protocol, people: Population, stream: Stream) -> Fate:
        """The fate of the patients of a replicate."""
        later = [arm.after_progression for arm in protocol.arms]
        share = np.array([then.share_of_progressed if then else 0.0 for then in later])[people.arm]

        def exponential(what: str) -> Floats:
            return np.asarray(-np.log(stream.uniforms(what, people.number)[:, 0]))

        return cls(
            death=exponential("death"),
            dropout=exponential("dropout"),
            progression=exponential("clinical progression"),
            events={event.name: exponential(event.name) / rule.times for event, rule in clinical_events()},
            continues=stream.uniforms("therapy after progression", people.number)[:, 0] < share,
            intolerance=EventDraws.of(stream, people.number),
        )
