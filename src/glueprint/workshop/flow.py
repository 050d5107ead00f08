"""A model with derivatives of what it shows, many patients at once: through time and on to steady states."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.engine import REASONS, Doses, Ensemble, Model, Settings, sensitivities
from glueprint.engine.tangent import Tangent, symbol
from glueprint.errors import NotSupportedError

__all__ = ["Course", "Differenced", "Flow", "Seen", "flow"]

Floats = NDArray[np.float64]
# A steady state is sought in decades of time. It is one where a decade changes no state by more than this
# part of its size, and no derivative by more than that part of its own.
DECADES = tuple(range(-1, 13))
SAME_STATE, SAME_SLOPE = 1e-7, 1e-5
# Of differences: the step as a part of a value, and the accuracy of runs that are subtracted.
STEP, FINE = 1e-4, 1e-9
NOTHING = 1e-12  # of a state's size: what is smaller beside the largest state counts as 0


@dataclass(frozen=True, eq=False)
class Seen:
    """values: (n, times, outputs).   slopes: (n, times, outputs, names).   reasons: one text a patient, empty
    where all is fine; its numbers are NaN elsewhere.
    """

    values: Floats
    slopes: Floats
    reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Course:
    """What is run and read.

    times: rising, of the model; may be empty.   outputs: names of the model.   to_steady: whether the steady
    state after these times is read as well, last.   doses: of all patients.
    """

    times: Floats
    outputs: tuple[str, ...]
    settings: Settings
    doses: Doses | None = None
    to_steady: bool = False


@dataclass(frozen=True, eq=False)
class Flow:
    """A model ready to run with its derivatives by `names`; without names it is the model alone."""

    names: tuple[str, ...]
    model: Model
    tangent: Tangent | None

    def _begin(self, given: Mapping[str, Floats], patients: int, settings: Settings) -> Ensemble:
        """Patients at time 0.   given: (n,) values by name, derivatives among them."""
        model = self.model
        if self.tangent is not None:
            model = dataclasses.replace(model, system=self.tangent.starting_with(set(given)))
        return model.ensemble(dict(given), patients=patients, settings=settings)

    def _columns(self, outputs: Sequence[str]) -> list[str]:
        """Names of the outputs and then of all their derivatives."""
        return [*outputs, *(symbol(output, name) for output in outputs for name in self.names)]

    def simulate(self, given: Mapping[str, Floats], patients: int, course: Course) -> Seen:
        """Outputs of a course.   given: (n,) values by name at time 0, derivatives among them."""
        ensemble = self._begin(given, patients, course.settings)
        columns, wide = self._columns(course.outputs), len(course.outputs)
        parts = []
        if course.times.size:
            parts.append(ensemble.simulate(course.times, course.doses, columns).values)
        if course.to_steady:
            parts.append(self._settle(ensemble, columns)[:, None, :])
        found = np.concatenate(parts, axis=1)
        bad = ensemble.status != 0
        found[bad] = np.nan
        shape = (patients, found.shape[1], wide, len(self.names))
        reasons = [REASONS[int(code)] for code in ensemble.status]
        for who in np.flatnonzero(~bad & np.isnan(found).any(axis=(1, 2))):
            lacks = course.to_steady and np.isnan(found[who, -1]).all()
            reasons[who] = "no steady state was reached" if lacks else "an output has no value"
        return Seen(found[:, :, :wide], found[:, :, wide:].reshape(shape), tuple(reasons))

    def _settle(self, ensemble: Ensemble, columns: Sequence[str]) -> Floats:
        """Go on until nothing changes any more; values of `columns` there, (n, columns), NaN where never."""
        states = [name for name in self.model.system.states if name in self.model.system.symbols]
        plain = np.array([not name.startswith("d(") for name in states])
        start = ensemble.time_h
        found = np.full((len(ensemble), len(columns)), np.nan)
        waiting = ensemble.status == 0
        before = _table(ensemble, states)
        for decade in DECADES:
            ensemble.advance(np.where(waiting, start + 10.0**decade, ensemble.time_h))
            now = _table(ensemble, states)
            change = np.abs(now - before)
            size = np.abs(now)
            floor = NOTHING * size[:, plain].max(axis=1, initial=0.0)[:, None]
            largest = size[:, ~plain].max(axis=1, initial=0.0)[:, None]
            still = (
                change <= np.where(plain, SAME_STATE * size + floor, SAME_SLOPE * (size + 1e-3 * largest))
            ).all(axis=1)
            ready = waiting & still & (ensemble.status == 0)
            if ready.any():
                found[ready] = _table(ensemble, columns)[ready]
            waiting &= ~ready & (ensemble.status == 0)
            if not waiting.any():
                break
            before = now
        return found


@dataclass(frozen=True, eq=False)
class Differenced:
    """The same by central differences, for models whose derivatives are not to be had: events, moving jumps.

    A seed (`seeds`) moves the states that come with its derivatives.
    """

    names: tuple[str, ...]
    model: Model

    def simulate(self, given: Mapping[str, Floats], patients: int, course: Course) -> Seen:
        """As `Flow.simulate`; each patient is run once, and twice for each name."""
        plain = {name: values for name, values in given.items() if not name.startswith("d(")}
        copies, steps = [plain], []
        for name in self.names:
            moved, step = self._moves(name, plain, given)
            steps.append(step)
            copies += [
                plain | {one: plain[one] + sign * step * slope for one, slope in moved.items()}
                for sign in (1.0, -1.0)
            ]
        columns = {name: np.concatenate([one[name] for one in copies]) for name in plain}
        fine = dataclasses.replace(course.settings, accuracy=min(course.settings.accuracy, FINE))
        doses = None if course.doses is None else _for_copies(course.doses, patients, len(copies))
        whole = dataclasses.replace(course, settings=fine, doses=doses)
        seen = Flow((), self.model, None).simulate(columns, patients * len(copies), whole)
        values = seen.values.reshape(len(copies), patients, *seen.values.shape[1:])
        slopes = np.zeros((*values.shape[1:], len(self.names)))
        for k, step in enumerate(steps):
            rise = values[1 + 2 * k] - values[2 + 2 * k]
            slopes[..., k] = rise / (2.0 * step[:, None, None])
        reasons = [""] * patients
        for place, reason in enumerate(seen.reasons):
            reasons[place % patients] = reasons[place % patients] or reason
        return Seen(values[0], slopes, tuple(reasons))

    def _moves(
        self, name: str, plain: Mapping[str, Floats], given: Mapping[str, Floats]
    ) -> tuple[dict[str, Floats], Floats]:
        """What moves with a name and how fast, and the size of the step, (n,)."""
        if name in plain:
            size = np.abs(plain[name])
            return {name: np.ones_like(size)}, STEP * np.where(size > 0.0, size, 1.0)
        slopes = {one: given[symbol(one, name)] for one in plain if symbol(one, name) in given}
        shares = [np.abs(slope) / np.maximum(np.abs(plain[one]), NOTHING) for one, slope in slopes.items()]
        fastest = np.max(shares, axis=0) if shares else np.zeros(next(iter(plain.values())).size)
        return slopes, STEP / np.maximum(fastest, NOTHING)


def _for_copies(doses: Doses, patients: int, copies: int) -> Doses:
    """The doses of every patient, for each of its copies."""
    parts = [
        dataclasses.replace(doses, patient=np.asarray(doses.patient) + copy * patients)
        for copy in range(copies)
    ]
    return Doses.together(*parts)


def flow(model: Model, names: Sequence[str]) -> Flow | Differenced:
    """A model with its derivatives by `names`: exact ones, or differences where these are refused.

    Raises InputError as `engine.sensitivities`.
    """
    if not names:
        return Flow((), model, None)
    try:
        made = sensitivities(model, names)
    except NotSupportedError:
        return Differenced(tuple(names), model)
    return Flow(made.names, made.model, made.tangent)


def _table(ensemble: Ensemble, names: Sequence[str]) -> Floats:
    found = ensemble.values(names)
    return np.stack([found[name] for name in names], axis=1) if names else np.zeros((len(ensemble), 0))
