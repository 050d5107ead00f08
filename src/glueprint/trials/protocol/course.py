"""When patients come, when the data are cut, what is tested at a cut, which arms are pooled, what goes
otherwise than planned: sections of a protocol that may be left out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from glueprint.trials.protocol.sections import Positive, Provenance, Section, Share

__all__ = ["Accrual", "DataCut", "Departures", "Eligibility", "Monitoring", "Pool", "follow_up_of"]

Floats = NDArray[np.float64]
NotNegative = Annotated[float, Field(ge=0)]
Percent = Annotated[float, Field(ge=0, lt=100)]
Spending = Literal["obrien-fleming", "pocock", "linear"]
MONTHS_PER_YEAR = 12.0


def _one_of(what: str, given: Sequence[str], expected: str) -> PydanticCustomError:
    said = " and ".join(given) if given else "nothing"
    context = {"what": what, "said": said, "expected": expected, "next_step": "give exactly one of them"}
    return PydanticCustomError("GP-T093", "{what} by {said}", context)


class Accrual(Provenance):
    """How patients come, in calendar months from the first.

    months: evenly over so many; or per_month: so many a month, or pairs of the month from which and the
    patients a month that come from then on, [[0, 5], [6, 20]].
    """

    months: Positive | None = None
    per_month: Positive | tuple[tuple[NotNegative, NotNegative], ...] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Accrual:
        given = [name for name in ("months", "per_month") if getattr(self, name) is not None]
        if len(given) != 1:
            raise _one_of("accrual", given, "months, or per_month")
        if isinstance(self.per_month, tuple):
            starts = [start for start, _ in self.per_month]
            rates = [rate for _, rate in self.per_month]
            if not starts or starts[0] != 0 or sorted(set(starts)) != starts or not rates[-1] > 0:
                raise PydanticCustomError(
                    "GP-T093",
                    "accrual from month {starts} at {rates} a month",
                    {
                        "starts": ", ".join(f"{x:g}" for x in starts),
                        "rates": ", ".join(f"{x:g}" for x in rates),
                        "expected": "months that begin with 0 and rise, and a last rate above 0",
                        "next_step": "write per_month = [[0, 5], [6, 20]]",
                    },
                )
        return self

    def months_of(self, share: Floats, patients: int) -> Floats:
        """(n,) calendar months by which a share, (n,) 0 to 1, of all patients has come.

        Source: inverse of the cumulative rate, straight between the months at which it changes.
        """
        if self.months is not None:
            return np.asarray(share * self.months)
        pieces = self.per_month if isinstance(self.per_month, tuple) else ((0.0, self.per_month or 1.0),)
        start = np.array([piece[0] for piece in pieces])
        rate = np.array([piece[1] for piece in pieces])
        came = np.concatenate([[0.0], np.cumsum(rate[:-1] * np.diff(start))])
        wanted = np.asarray(share) * patients
        at = np.searchsorted(came, wanted, side="left") - 1
        at = np.clip(at, 0, len(pieces) - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            beyond = np.where(wanted > came[at], (wanted - came[at]) / rate[at], 0.0)
        return np.asarray(start[at] + beyond)


class DataCut(Section):
    """When the data are cut and analysed, the first patient's month being 0: by one of three clocks.

    months: at a calendar month.   last_patient_months: so long after the last patient came.   events: when
    so many patients have an event of `endpoint`, but at `at_most_months` at the latest.
    """

    name: str = Field(min_length=1)
    months: Positive | None = None
    last_patient_months: Positive | None = None
    events: Annotated[int, Field(ge=1)] | None = None
    endpoint: str = "pfs"
    at_most_months: Positive | None = None

    @model_validator(mode="after")
    def _one_clock(self) -> DataCut:
        given = [x for x in ("months", "last_patient_months", "events") if getattr(self, x) is not None]
        if len(given) != 1:
            raise _one_of("data cut", given, "months, last_patient_months, or events")
        if (self.events is None) != (self.at_most_months is None):
            raise PydanticCustomError(
                "GP-T093",
                "a data cut with events {events} and at_most_months {most}",
                {
                    "events": str(self.events),
                    "most": str(self.at_most_months),
                    "expected": "both of them, or neither: events may never come",
                    "next_step": "add the month at which the trial ends without them",
                },
            )
        return self

    def latest_months(self, accrual_months: float) -> float:
        """The calendar month at which it comes at the latest."""
        if self.last_patient_months is not None:
            return accrual_months + self.last_patient_months
        return self.months if self.months is not None else self.at_most_months or 0.0


class Monitoring(Section):
    """The test at each data cut, that may end the trial: log-rank, one-sided, of the first arm against the
    second.

    arms: two names, the new one first; the first two of the protocol if left out.   events: planned, at
    which all of `alpha` is spent.   spending: of alpha, after Lan and DeMets.   futility: the same for the
    error of the second kind, at `power`; it does not bind.   stratified: by the factors of randomisation.
    """

    endpoint: str = "pfs"
    arms: tuple[str, ...] = ()
    events: Annotated[int, Field(ge=1)]
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.025
    spending: Spending = "obrien-fleming"
    futility: Spending | None = None
    power: Annotated[float, Field(gt=0, lt=1)] = 0.9
    stratified: bool = False


class Pool(Section):
    """Arms that are analysed together as well, under a name."""

    name: str = Field(min_length=1)
    arms: tuple[str, ...] = Field(min_length=2)


class Departures(Section):
    """What goes otherwise than planned; nothing, where it is left out.

    missed_visit_share: of planned visits, that do not take place.   late_visit_share: of the others, that
    come up to `late_by_days` after their window.   Of the patients at risk leave each year:
    stops_treatment: the treatment, of their own decision, and stay in follow-up; next_therapy: it for
    another therapy before progression, that of the arm after progression where it has one; lost: the trial,
    in place of the mechanism's rate.
    """

    missed_visit_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    late_visit_share: Share = 0.0
    late_by_days: Annotated[int, Field(ge=0)] = 0
    stops_treatment_percent_per_year: Percent = 0.0
    next_therapy_percent_per_year: Percent = 0.0
    lost_percent_per_year: Percent | None = None
    sources: tuple[str, ...] = ()
    assumed: str = ""

    @model_validator(mode="after")
    def _makes_sense(self) -> Departures:
        if (self.late_visit_share > 0) != (self.late_by_days > 0):
            raise PydanticCustomError(
                "GP-T094",
                "late visits in {share:g} of all, by up to {days} days",
                {
                    "share": self.late_visit_share,
                    "days": self.late_by_days,
                    "expected": "a share and days, both above 0 or both left out",
                    "next_step": "add the other one",
                },
            )
        told = any(getattr(self, name) != field.default for name, field in type(self).model_fields.items())
        if told and not self.sources and not self.assumed.strip():
            raise PydanticCustomError(
                "GP-T013",
                "departures without an origin",
                {
                    "expected": 'sources = ["CL117"] (evidence ids) or assumed = "why"',
                    "next_step": "say where the numbers come from",
                },
            )
        return self

    @staticmethod
    def per_month(percent_per_year: float) -> float:
        """The constant hazard, a month, that takes so many per cent in a year."""
        return -math.log1p(-percent_per_year / 100.0) / MONTHS_PER_YEAR


class Eligibility(Section):
    """Who enters beyond the limits of the case-mix.

    m_protein_at_least_g_per_l: measurable disease in the screening sample, which has the error of the
    trial's laboratory; others do not enter.   low_m_protein: says that a case-mix of patients with M-protein
    of a few g/L is meant, and no slip from g/dL.
    """

    m_protein_at_least_g_per_l: Positive | None = None
    low_m_protein: bool = False


def follow_up_of(accrual: Accrual, cuts: Sequence[DataCut], patients: int) -> Mapping[str, Any]:
    """The section `follow_up` that accrual and data cuts come to: months from randomisation to the latest
    cut, of the last, the middle and the first patient."""
    first, middle, last = accrual.months_of(np.array([0.0, 0.5, 1.0]), patients).tolist()
    latest = max((cut.latest_months(last) for cut in cuts), default=0.0)
    months = {"minimum": latest - last, "median": latest - middle, "maximum": latest - first}
    return {f"{name}_months": round(value, 6) for name, value in months.items()} | {
        "assumed": "by the accrual and the latest data cut"
    }
