"""A model with derivatives of what it shows, many patients at once: through time and on to steady states."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.engine import Doses, Ensemble, Model, Settings, sensitivities
from glueprint.engine.tangent import Tangent, symbol

__all__ = ["Flow", "Seen", "flow"]

Floats = NDArray[np.float64]
# A steady state is sought in decades of time. It is one where a decade changes no state by more than this
# part of its size, and no derivative by more than that part of its own.
DECADES = tuple(range(-1, 13))
SAME_STATE, SAME_SLOPE = 1e-7, 1e-5
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
class Flow:
    """A model ready to run with its derivatives by `names`; without names it is the model alone."""

    names: tuple[str, ...]
    model: Model
    tangent: Tangent | None

    @property
    def states(self) -> tuple[str, ...]:
        """What a steady state consists of, by the names under which it can be given again."""
        system = self.model.system
        known = set(self.tangent.system.params) if self.tangent else set()
        own = {symbol(name, by) for by in self.names for name in system.symbols} - known
        return tuple(
            name
            for name in system.states
            if name in system.slots and name not in own and " rate " not in name
        )

    def begin(self, given: Mapping[str, Floats], patients: int, settings: Settings) -> Ensemble:
        """Patients at time 0.   given: (n,) values by name, derivatives among them."""
        model = self.model
        if self.tangent is not None:
            model = dataclasses.replace(model, system=self.tangent.starting_with(set(given)))
        return model.ensemble(dict(given), patients=patients, settings=settings)

    def columns(self, outputs: Sequence[str]) -> list[str]:
        """Names of the outputs and then of all their derivatives."""
        return [*outputs, *(symbol(output, name) for output in outputs for name in self.names)]

    def run(
        self,
        ensemble: Ensemble,
        times: Floats,
        doses: Doses | None,
        outputs: Sequence[str],
        *,
        to_steady: bool,
    ) -> Seen:
        """Outputs at `times`, and last, if asked for, at the steady state after them."""
        columns, n = self.columns(outputs), len(ensemble)
        parts = []
        if times.size:
            parts.append(ensemble.simulate(times, doses, columns).values)
        if to_steady:
            parts.append(self.settle(ensemble, columns)[:, None, :])
        found = np.concatenate(parts, axis=1)
        bad = ensemble.status != 0
        found[bad] = np.nan
        wide = len(outputs)
        shape = (n, found.shape[1], wide, len(self.names))
        reasons = list(_reasons(ensemble))
        for who in np.flatnonzero(~bad & np.isnan(found).any(axis=(1, 2))):
            reasons[who] = "no steady state was reached"
        return Seen(found[:, :, :wide], found[:, :, wide:].reshape(shape), tuple(reasons))

    def settle(self, ensemble: Ensemble, columns: Sequence[str]) -> Floats:
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


def flow(model: Model, names: Sequence[str]) -> Flow:
    """Compile a model with its derivatives by `names`. Raises as `engine.sensitivities`."""
    if not names:
        return Flow((), model, None)
    made = sensitivities(model, names)
    return Flow(made.names, made.model, made.tangent)


def _table(ensemble: Ensemble, names: Sequence[str]) -> Floats:
    found = ensemble.values(names)
    return np.stack([found[name] for name in names], axis=1) if names else np.zeros((len(ensemble), 0))


def _reasons(ensemble: Ensemble) -> Sequence[str]:
    from glueprint.engine import REASONS

    return [REASONS[int(code)] for code in ensemble.status]
