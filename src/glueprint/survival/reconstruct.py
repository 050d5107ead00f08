"""Patient-level times from a published survival curve and the numbers at risk below it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from glueprint.errors import InputError
from glueprint.survival._check import Flags, Floats, Integers, as_floats, place, same_shape

# A click is good to 1 or 2 pixels of a printed axis, at most 0.02; what rises by more than this is no noise.
LARGEST_REPAIR = 0.05
# The search for a number of censored patients settles in a few steps or goes round in a small circle.
MAX_TRIALS = 200


@dataclass(frozen=True)
class Reconstruction:
    """Patients whose curve and numbers at risk are those published, as near as whole patients allow.

    time, event: (n,) ascending; as other functions take them.
    at_risk_times, at_risk_reported, at_risk: (r,) as published and as reconstructed.
    events, events_reported: reconstructed, and as published or None.
    largest_gap: largest distance between the repaired clicks and the reconstructed curve.
    sorted_clicks, repaired, largest_repair: clicks put in order of time, clicks moved to make the curve fall,
    and by how much at most.   assumed: what the publication did not say.
    """

    time: Floats
    event: Flags
    at_risk_times: Floats
    at_risk_reported: Integers
    at_risk: Integers
    events: int
    events_reported: int | None
    largest_gap: float
    sorted_clicks: int
    repaired: int
    largest_repair: float
    assumed: tuple[str, ...]


def reconstruct(
    times: ArrayLike,
    survival: ArrayLike,
    at_risk_times: ArrayLike,
    at_risk: ArrayLike,
    *,
    events: int | None = None,
    placed: str = "at clicks",
) -> Reconstruction:
    """Patients that would give a published Kaplan-Meier curve.

    times, survival: (k,) clicks along the curve, any unit of time, and fractions 0 to 1.
    at_risk_times, at_risk: (r,) below the curve, same unit, the first at 0.   events: total, if published.
    placed: "at clicks" for clicks on the corners of the steps, "between clicks" for clicks at even distances,
    whose events lie half a distance earlier.
    Returns Reconstruction. Between two numbers at risk censoring is spread evenly; after the last it
    goes on at its mean rate so far, or at the rate that gives `events`.
    Raises InputError GP-V001 to GP-V003 for arrays, GP-V007 for the place of events, GP-V025 for clicks that
    are no survival curve, GP-V026 for a curve that rises, GP-V027 for numbers at risk, GP-V028 for the
    number of events.
    Source: Guyot, Ades, Ouwens and Welton 2012, doi:10.1186/1471-2288-12-9.
    """
    reported_times, reported = _numbers(at_risk_times, at_risk)
    _options(events, int(reported[0]), placed)
    clicks = _clicks(times, survival)
    notes = list(clicks.notes)
    t, s = clicks.time, clicks.survival
    if reported_times[-1] > t[-1]:
        t, s = np.append(t, reported_times[-1]), np.append(s, s[-1])
        notes.append("the curve is flat from its last click to the last number at risk")
    rows = _fill(t, s, reported_times, reported, events, notes)
    happened = t
    if placed == "between clicks":
        middle = (t + np.append(t[0], t[:-1])) / 2
        # An event after a number at risk may not move before it.
        happened = np.maximum(middle, reported_times[np.searchsorted(reported_times, t, side="right") - 1])
        notes.append("events lie in the middle between two clicks")
    time, event = _patients(rows, happened, int(reported[0]), float(t[-1]))
    fitted = np.append(1.0, np.cumprod(1 - rows.died / np.maximum(rows.before, 1)))[1:]
    return Reconstruction(
        time=time,
        event=event,
        at_risk_times=reported_times,
        at_risk_reported=reported,
        at_risk=np.array([int((time >= mark).sum()) for mark in reported_times], dtype=np.int64),
        events=int(event.sum()),
        events_reported=None if events is None else int(events),
        largest_gap=float(np.abs(fitted - s).max()),
        sorted_clicks=clicks.sorted_clicks,
        repaired=clicks.repaired,
        largest_repair=clicks.largest_repair,
        assumed=tuple(notes),
    )


def _options(events: int | None, patients: int, placed: str) -> None:
    if events is not None and not (events == int(events) and 0 <= events <= patients):
        raise InputError(
            "GP-V028",
            f"{events!r} events among {patients} patients",
            where="events",
            expected="a whole number from 0 to the number at risk at the start",
            next_step="pass the number of patients with the event, not the number of deaths in both arms",
        )
    if placed not in ("at clicks", "between clicks"):
        raise InputError(
            "GP-V007",
            f"{placed!r} is no place of events",
            where="placed",
            expected='"at clicks" or "between clicks"',
            next_step='use "at clicks" when the corners of the steps were clicked',
        )


def _numbers(at_risk_times: ArrayLike, at_risk: ArrayLike) -> tuple[Floats, Integers]:
    times, numbers = as_floats(at_risk_times, "at_risk_times"), as_floats(at_risk, "at_risk")
    same_shape(numbers, times.shape, "at_risk")
    rising = np.append(False, np.diff(numbers) > 0)
    not_later = np.append(times[0] != 0, np.diff(times) <= 0)
    for name, bad, values, expected in (
        ("at_risk_times", ~np.isfinite(times) | not_later, times, "times that begin at 0 and rise"),
        (
            "at_risk",
            ~(numbers >= 0) | (numbers != np.floor(numbers)) | rising | ~np.isfinite(numbers),
            numbers,
            "whole numbers of patients that never rise",
        ),
    ):
        if bad.any():
            index = int(np.argmax(bad))
            raise InputError(
                "GP-V027",
                f"{values[index]:g} does not belong below a survival curve",
                where=place(name, (index,)),
                expected=expected,
                next_step="read the numbers at risk of the arm again; the first is of all patients, at 0",
            )
    if numbers[0] < 1:
        raise InputError(
            "GP-V027",
            "nobody is at risk at the start",
            where=place("at_risk", (0,)),
            expected="the number of patients of the arm",
            next_step="pass the number randomised as the first number at risk",
        )
    return times, numbers.astype(np.int64)


@dataclass(frozen=True)
class _Clicks:
    """The curve as it is used: time ascending from 0, survival falling from 1."""

    time: Floats
    survival: Floats
    sorted_clicks: int
    repaired: int
    largest_repair: float
    notes: tuple[str, ...]


def _clicks(times: ArrayLike, survival: ArrayLike) -> _Clicks:
    t, s = as_floats(times, "times"), as_floats(survival, "survival")
    same_shape(s, t.shape, "survival")
    for name, bad, values, expected, step in (
        ("times", ~np.isfinite(t) | (t < 0), t, "a time of 0 or more", "calibrate the axis of time again"),
        (
            "survival",
            ~((s >= -LARGEST_REPAIR) & (s <= 1 + LARGEST_REPAIR)),
            s,
            "a fraction from 0 to 1",
            "divide per cent by 100, or turn a curve of events round to 1 minus it",
        ),
    ):
        if bad.any():
            index = int(np.argmax(bad))
            raise InputError(
                "GP-V025",
                f"{values[index]:g} is no point of a survival curve",
                where=place(name, (index,)),
                expected=expected,
                next_step=step,
            )
    order = np.lexsort((-s, t))
    out_of_order = int((np.diff(t) < 0).sum())
    falling = np.clip(_falling(s[order]), 0.0, 1.0)
    shift = np.abs(falling - s[order])
    if shift.max() > LARGEST_REPAIR:
        index = int(order[int(np.argmax(shift))])
        raise InputError(
            "GP-V026",
            f"the curve rises: {s[index]:g} at {t[index]:g} is {shift.max():.2g} away from a falling curve",
            where=place("survival", (index,)),
            expected=f"clicks that rise by no more than {LARGEST_REPAIR:g}",
            next_step="take the clicks of one arm only, and look for two that are exchanged",
        )
    t, notes = t[order], []
    if t[0] > 0:
        t, falling = np.append(0.0, t), np.append(1.0, falling)
        notes.append("the curve begins at 1 at time 0")
    if shift.max() > 0:
        notes.append("clicks that rose are level with their neighbours")
    return _Clicks(t, falling, out_of_order, int((shift > 0).sum()), float(shift.max()), tuple(notes))


def _falling(values: Floats) -> Floats:
    """The nearest falling sequence in least squares: neighbours that rise take their mean."""
    means: list[float] = []
    sizes: list[int] = []
    for value in values.tolist():
        means.append(value)
        sizes.append(1)
        while len(means) > 1 and means[-2] < means[-1]:
            mean, size = means.pop(), sizes.pop()
            means[-1] = (means[-1] * sizes[-1] + mean * size) / (sizes[-1] + size)
            sizes[-1] += size
    return np.repeat(np.array(means), sizes)


@dataclass(frozen=True)
class _Rows:
    """Patients before each click and with the event at it; and when others are censored."""

    before: Integers
    died: Integers
    censored: Floats


def _fill(
    time: Floats, survival: Floats, marks: Floats, reported: Integers, events: int | None, notes: list[str]
) -> _Rows:
    """Events at the clicks and censoring between them, from one number at risk to the next."""
    # A number at risk counts those still there just before its time: a click at it belongs to what follows.
    edges = np.append(np.searchsorted(time, marks, side="left"), time.size)
    edges[0] = 0
    n, level = int(reported[0]), 1.0
    before: list[Integers] = []
    died: list[Integers] = []
    censored: list[Floats] = []
    for i in range(marks.size):
        piece = slice(edges[i], edges[i + 1])
        last = i == marks.size - 1
        end = float(time[-1] if last else marks[i + 1])
        walk = _Walk(time[piece], survival[piece], n, level, float(marks[i]), end)
        if not last:
            start = n * (float(survival[edges[i + 1]]) / max(level, 1e-12)) - float(reported[i + 1])
            number = _closest(walk.left, int(reported[i + 1]), round(start), n)
        else:
            number = _last_censored(walk, marks, sum(part.size for part in censored), died, events, notes)
        done = walk.go(number)
        before.append(done.before)
        died.append(done.died)
        censored.append(walk.spread(number)[: done.censored])
        n, level = done.left, done.level
    return _Rows(np.concatenate(before), np.concatenate(died), np.concatenate(censored))


def _last_censored(
    walk: _Walk, marks: Floats, so_far: int, died: list[Integers], events: int | None, notes: list[str]
) -> int:
    """Patients censored between the last number at risk and the end of the curve."""
    length = walk.end - walk.begin
    if events is not None:
        earlier = int(sum(int(part.sum()) for part in died))
        notes.append("after the last number at risk, as many are censored as the number of events asks for")
        return _closest(walk.events, events - earlier, 0, walk.n)
    if walk.begin == 0:
        notes.append("nobody is censored before the end of the curve")
        return 0
    if length > 0:
        notes.append("after the last number at risk, patients are censored at the mean rate before it")
    return min(walk.n, round(so_far * length / float(marks[-1])))


@dataclass(frozen=True)
class _Done:
    """A stretch walked: patients before each click and with the event, and who is left at its end."""

    before: Integers
    died: Integers
    left: int
    level: float
    censored: int


@dataclass(frozen=True)
class _Walk:
    """A stretch of the curve between two numbers at risk, entered by n patients at the level so far."""

    time: Floats
    survival: Floats
    n: int
    level: float
    begin: float
    end: float

    def spread(self, number: int) -> Floats:
        """Times of so many censored patients, evenly over the stretch."""
        return self.begin + (self.end - self.begin) * np.arange(1, number + 1) / (number + 1)

    def left(self, number: int) -> int:
        """Patients at the end of the stretch if `number` are censored in it."""
        return self.go(number).left

    def events(self, number: int) -> int:
        """Events in the stretch if `number` are censored in it."""
        return int(self.go(number).died.sum())

    def go(self, number: int) -> _Done:
        """Let `number` be censored evenly, and as many have the event at each click as the curve asks for."""
        gone_by = np.searchsorted(self.spread(number), self.time, side="left")
        n, level, gone = self.n, self.level, 0
        before, died = np.zeros(self.time.size, np.int64), np.zeros(self.time.size, np.int64)
        for k in range(self.time.size):
            leaving = min(n, int(gone_by[k]) - gone)
            n, gone = n - leaving, gone + leaving
            before[k] = n
            if n > 0 and level > 0:
                died[k] = min(n, max(0, round(n * (1 - float(self.survival[k]) / level))))
                level *= 1 - int(died[k]) / n
                n -= int(died[k])
        rest = min(n, number - gone)
        return _Done(before, died, n - rest, level, gone + rest)


def _closest(count: Callable[[int], int], target: int, start: int, most: int) -> int:
    """The number of censored, 0 to `most`, that brings a count that falls with it nearest to its target."""
    number, tried = min(max(start, 0), most), {}
    for _ in range(MAX_TRIALS):
        if number in tried:
            break
        tried[number] = count(number) - target
        number = min(max(number + tried[number], 0), most)
    return min(tried, key=lambda c: (abs(tried[c]), c))


def _patients(rows: _Rows, happened: Floats, n: int, end: float) -> tuple[Floats, Flags]:
    """One time per patient; whoever is left when the curve ends is censored there."""
    dead = np.repeat(happened, rows.died)
    left = np.full(n - dead.size - rows.censored.size, end)
    time = np.concatenate([dead, rows.censored, left])
    event = np.arange(n) < dead.size
    order = np.lexsort((~event, time))
    return time[order], event[order]
