"""Which column of one's own table is what."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Request"]


@dataclass(frozen=True)
class Request:
    """Which column is what.

    time: follow-up, or the date of its end with `origin`, the date of its start.   event: a column of 1
    and 0, or "COLUMN=VALUE" (values by comma) for the values that are the event.   unit: of the times, None:
    as the header says.   to: unit of the answers.   arm, strata, covariates (numbers, or text as levels),
    factors (numbers as levels).   reference: the arm others are compared with, None: the first by name.
    where: "COLUMN=VALUE" (values by comma), the rows that are meant.
    entry: when a row comes under observation, in the unit of the times.   weights: of rows.   patient: whose
    row it is, where one has several.   cluster: which rows belong together otherwise, such as a centre.
    cause: in place of `event`, what ended the follow-up, where it is one of several things; `censored`: its
    values that are no event.
    left, right: in place of `time` and `event`, the last look before the event and the first that shows it;
    nothing on the right for an event not seen, on the left for one before the first look.
    switch: when a patient changed treatment, nothing for never.   progression: a second baseline, nothing for
    none.   follow_up: time to the data cut, for those with the event, too.   eligible: 1 where a row could
    end with a switch.
    """

    time: str = ""
    event: str = ""
    arm: str | None = None
    reference: str | None = None
    strata: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    origin: str | None = None
    unit: str | None = None
    to: str | None = None
    where: tuple[str, ...] = ()
    entry: str | None = None
    weights: str | None = None
    patient: str | None = None
    cluster: str | None = None
    cause: str | None = None
    censored: tuple[str, ...] = ()
    left: str | None = None
    right: str | None = None
    switch: str | None = None
    progression: str | None = None
    follow_up: str | None = None
    eligible: str | None = None

    @property
    def event_column(self) -> str:
        """The column of `event`, without its values."""
        return self.event.partition("=")[0].strip()

    @property
    def between(self) -> bool:
        """Whether events are known to lie between two looks."""
        return self.left is not None or self.right is not None

    @property
    def clock(self) -> str:
        """The column whose header says the unit."""
        return self.time or self.left or self.right or ""

    @property
    def named(self) -> tuple[str, ...]:
        """Every column asked for that holds something in each row."""
        columns = (self.arm, self.origin, self.entry, self.weights, self.patient, self.cluster)
        single = (self.time, self.event_column, self.cause, *columns, self.follow_up, self.eligible)
        return tuple(filter(None, (*single, *self.strata, *(() if self.switch else self.beside))))

    @property
    def beside(self) -> tuple[str, ...]:
        """The columns of the regression beside the arm."""
        return (*self.covariates, *self.factors)

    @property
    def open(self) -> tuple[str, ...]:
        """Every column asked for in which nothing means something."""
        looks = (self.left, self.right, self.switch, self.progression)
        # What held at a second baseline is empty for patients who did not come to it.
        return tuple(filter(None, (*looks, *(self.beside if self.switch else ()))))
