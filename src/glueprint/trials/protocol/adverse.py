"""Adverse events as records: where each comes from, its grades, what it does to dosing, how it is reported.

A laboratory event is graded by the lowest value that was measured, under a version of the CTCAE. Version 6
moved the neutrophil grades down by one, so its rates cannot be compared with trials graded by 4 or 5
(evidence SAF104 to SAF116c). A clinical event comes when a cumulative hazard of the trial model passes a draw
of the patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.errors import InputError
from glueprint.trials.protocol.endpoint import CAUSE_MONTHS, RATE, SHARE, SPECIAL, Endpoint

__all__ = [
    "LABS",
    "OTHER_TOXICITY",
    "OURS",
    "AdverseEvent",
    "CoincidenceRule",
    "HazardRule",
    "LaboratoryRule",
    "check_version",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# What is measured at every visit, by the columns of the table of visits.
LABS = ("anc_1e9_per_l", "platelets_1e9_per_l", "haemoglobin_g_per_dl", "m_protein_g_per_l")
# What holds the drug as toxicity that is no blood count does, under the rules' `other_toxicity`.
OTHER_TOXICITY = "other_toxicity"
SERIOUS, LIFE_THREATENING = 3, 4


@dataclass(frozen=True)
class LaboratoryRule:
    """Graded by a laboratory value that falls.

    value: its column in the table of visits, one of LABS.   limits: by version of the CTCAE, the upper
    limits, not included, of grades 1, 2, and so on. Grade 1 begins at the lower limit of normal, set to the
    usual one.
    """

    value: str
    limits: Mapping[int, tuple[float, ...]]

    @property
    def lowest(self) -> str:
        """The column of the lowest value in the table of patients."""
        return f"lowest_{self.value}"

    def grade(self, values: Floats, version: int) -> Integers:
        """Grades of values of any shape, in the unit of the column; NaN is 0.

        Raises InputError GP-T020 for a version of the CTCAE that is not known.
        """
        check_version(version, self.limits)
        with np.errstate(invalid="ignore"):
            below = [np.asarray(values) < limit for limit in self.limits[version]]
        return np.asarray(np.sum(below, axis=0), dtype=np.int64)


@dataclass(frozen=True)
class HazardRule:
    """Comes when a cumulative hazard of the trial model passes a patient's exponential draw.

    hazard: the model's quantity.   grade: what the hazard counts, the least of them.   times: the hazard of
    the event over that quantity.   includes: names of other events that are this one as well, so that it has
    come when one of them has.
    """

    hazard: str
    grade: int = SERIOUS
    times: float = 1.0
    includes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CoincidenceRule:
    """Another event that falls together with a low laboratory value: that of its day, log-linear between the
    visits before it and after.

    event: the name of a clinical event, the first of which counts.   value: a column of LABS.   below: its
    limit, not included.   grade: as in `HazardRule`.
    """

    event: str
    value: str
    below: float
    grade: int = SERIOUS


@dataclass(frozen=True)
class AdverseEvent:
    """One adverse event.

    name: of its columns, `<name>_grade` and, of a clinical event, `<name>_months`; and of its draws.
    term: the preferred term.   rule: where it comes from.   dosing: what it does to dosing, a part of the
    dose rules: the lineage whose limits it falls below, or `other_toxicity`, which holds the drug; "" does
    nothing.   grades: those that are reported, by their name in an endpoint, with the lowest that counts.
    sources: evidence ids.   optional: whether only trials have it whose protocol asks for it in `records`.
    """

    name: str
    term: str
    rule: LaboratoryRule | HazardRule | CoincidenceRule
    dosing: str = ""
    grades: Mapping[str, int] = field(default_factory=lambda: {"3_4": SERIOUS, "4": LIFE_THREATENING})
    sources: tuple[str, ...] = ()
    optional: bool = False

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """What is reported of it: shares of patients with a worst grade, and of a clinical event when."""
        grades = tuple(
            Endpoint(
                name=f"{self.name}_grade_{grade}",
                label=f"{self.term}, grade {grade.replace('_', '/')}",
                short=f"{self.term[:1].lower()}{self.term[1:]} {grade.replace('_', '/')}",
                kind=SHARE,
                value=pl.col(f"{self.name}_grade") >= least,
                # What not every trial records no fit can read.
                claims={f"{self.name}_grade_{grade}": RATE} if least == SERIOUS and not self.optional else {},
                headlines=(RATE,),
                estimand="Worst grade from the first dose to four weeks after the first treatment.",
                optional=self.optional,
                recorded=self.optional,
            )
            for grade, least in self.grades.items()
        )
        if isinstance(self.rule, LaboratoryRule):
            return grades
        return (*grades, self._incidence())

    def _incidence(self) -> Endpoint:
        return Endpoint(
            name=f"{self.name}_by_{CAUSE_MONTHS}_months",
            label=f"{self.term} by {CAUSE_MONTHS} months",
            kind=SPECIAL,
            estimand="Cumulative incidence; the end of the time at risk, which is four weeks after the first "
            "treatment, competes.",
            optional=self.optional,
            recorded=self.optional,
        )


def check_version(version: int, limits: Iterable[int], *, where: str = "ctcae_version") -> None:
    """Refuse a version of the CTCAE that is not among those with `limits`.

    Raises InputError GP-T020.
    """
    known = tuple(limits)
    if version not in known:
        raise InputError(
            "GP-T020",
            f"unknown CTCAE version {version}",
            where=where,
            expected=f"one of {', '.join(map(str, known))}",
            next_step="give the version that the trial graded by",
        )


VERSIONS = (4, 5, 6)
SAME = (150.0, 75.0, 50.0, 25.0)  # platelets, 1e9/L: SAF107, SAF108, SAF109
HAEMOGLOBIN = (12.0, 10.0, 8.0)  # g/dL, no grade 4 by laboratory value alone: SAF110, SAF111
OURS = (
    AdverseEvent(
        "neutropenia",
        "Neutropenia",
        LaboratoryRule(
            "anc_1e9_per_l",
            {
                4: (2.0, 1.5, 1.0, 0.5),  # SAF104, SAF105, SAF106
                5: (2.0, 1.5, 1.0, 0.5),  # SAF116a to SAF116c
                6: (1.5, 1.0, 0.5, 0.1),  # SAF112 to SAF115
            },
        ),
        dosing="anc",
        sources=(
            "SAF104",
            "SAF105",
            "SAF106",
            "SAF112",
            "SAF113",
            "SAF114",
            "SAF115",
            "SAF116a",
            "SAF116b",
            "SAF116c",
        ),
    ),
    AdverseEvent(
        "thrombocytopenia",
        "Thrombocytopenia",
        LaboratoryRule("platelets_1e9_per_l", dict.fromkeys(VERSIONS, SAME)),
        dosing="platelets",
        sources=("SAF107", "SAF108", "SAF109"),
    ),
    AdverseEvent(
        "anaemia",
        "Anaemia",
        LaboratoryRule("haemoglobin_g_per_dl", dict.fromkeys(VERSIONS, HAEMOGLOBIN)),
        grades={"3_4": SERIOUS},
        sources=("SAF110", "SAF111"),
    ),
    AdverseEvent(
        "pneumonia",
        "Pneumonia",
        HazardRule("hazard_pneumonia"),
        dosing=OTHER_TOXICITY,
        grades={"3_4": SERIOUS},
    ),
    AdverseEvent(
        "infection",
        "Infection",
        # Of 1,088 patients 33.7 % had one of grade 3 or 4, 13.9 % pneumonia (SAF187, SAF188): cumulative
        # hazards of 0.411 and 0.150, so that infections other than pneumonia come 1.75 times as often. That
        # they follow counts, steroids and tumour as pneumonia does is assumed.
        HazardRule("hazard_pneumonia", times=1.75, includes=("pneumonia",)),
        grades={"3_4": SERIOUS},
        sources=("SAF187", "SAF188"),
        optional=True,
    ),
    AdverseEvent(
        "febrile_neutropenia",
        "Febrile neutropenia",
        # The label's limit of the count, which holds on the day of the fever (CL155); that an infection of
        # grade 3 or 4 comes with fever is assumed.
        CoincidenceRule("infection", "anc_1e9_per_l", below=1.0),
        grades={"3_4": SERIOUS},
        sources=("CL155",),
        optional=True,
    ),
)
