"""Where every patient of a replicate stands, and what stays as it is while they move from visit to visit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glueprint.mechanism import parameters
from glueprint.trials.conduct.disease import Disease
from glueprint.trials.conduct.dosing import Dosing
from glueprint.trials.conduct.followup import FollowUp
from glueprint.trials.conduct.span import Span
from glueprint.trials.conduct.toxicity import Toxicity
from glueprint.trials.conduct.treatments import Treatments
from glueprint.trials.patients import (
    Fate,
    Leaving,
    Population,
    Stream,
    Timetable,
    Tolerability,
    missed_doses,
    scenarios,
    separate,
)
from glueprint.trials.protocol import Measurement, Protocol, SupportiveCare, Visits

__all__ = ["Setting", "Ward"]


@dataclass(frozen=True)
class Setting:
    """What stays as it is for the whole replicate: what the protocol says, and what chance holds.

    visits, care, error: of the protocol, the last of what is measured.   treatments: what each patient is to
    be given.   timetable: when each comes.   leaving: who ends the first treatment before progression.
    """

    visits: Visits
    care: SupportiveCare
    error: Measurement
    treatments: Treatments
    timetable: Timetable
    tolerability: Tolerability
    fate: Fate
    leaving: Leaving

    @classmethod
    def of(cls, protocol: Protocol, people: Population, stream: Stream) -> Setting:
        """That of a replicate."""
        fate, timetable = Fate.of(protocol, people, stream), Timetable.of(protocol, people, stream)
        parts = [one for one, _ in separate(people, stream)]
        tolerability = Tolerability.joined(
            [Tolerability.of(parameters.typical(scenarios(protocol, one.truth)[0])) for one in parts],
            [one.size for one in parts],
        )
        longest = int(timetable.calendar.day[-1])
        missed = missed_doses(tolerability, stream, people.number, longest)
        return cls(
            visits=protocol.visits,
            care=protocol.supportive_care,
            error=protocol.measurement,
            treatments=Treatments.of(protocol, people, fate.continues, missed),
            timetable=timetable,
            tolerability=tolerability,
            fate=fate,
            leaving=Leaving.of(protocol.departures, people.number, stream),
        )


@dataclass
class Ward:
    """State of the n patients: until when they are followed, what they are given, how their disease goes, and
    what the treatment does to them."""

    follow_up: FollowUp
    dosing: Dosing
    disease: Disease
    toxicity: Toxicity

    @classmethod
    def admit(cls, setting: Setting, people: Population) -> Ward:
        """Everybody on day 0, on the regimen of the arm."""
        return cls(
            FollowUp.begin(people.cut_day),
            Dosing.begin(setting.treatments),
            Disease.begin(people.values["m_protein_g_per_l"]),
            Toxicity.begin(setting.fate),
        )

    def settle(self, span: Span, fate: Fate) -> None:
        """Find the events of a span; nothing counts after death or loss."""
        last = self.follow_up.settle(span, fate)
        self.disease.settle(span, last, fate)
        self.toxicity.settle(span, last, fate, self.dosing.treated)
        self.follow_up.move(span.end_day.astype(np.int64))
