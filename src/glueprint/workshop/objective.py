"""Minus the logarithm of the posterior, with its slope and expected curvature, at many vectors at once.

Source of the likelihoods: petab.readthedocs.io, version 1, "Noise distributions": densities of the
measurement itself, also where it is compared on a logarithmic scale. The curvature is Fisher's expected
information.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.workshop.formula import Formula
from glueprint.workshop.problem import Fill, Observable, Problem
from glueprint.workshop.simulation import Simulated, Simulator

__all__ = ["Cost", "Fitted", "Objective"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
MOST_NUMBERS = 20_000_000  # slopes of outputs in memory at once: more vectors are taken in parts
NOT_FINITE = (
    "the likelihood is not finite: a standard deviation of 0 or below, or a prediction of 0 or below on a "
    "logarithmic scale"
)
LOGARITHM = {"lin": 1.0, "log": 1.0, "log10": math.log(10.0)}
# The parabola that touches a Laplace density from above, this near to its corner, in scales.
NEAREST = 1e-4


@dataclass(frozen=True, eq=False)
class Cost:
    """What a vector of parameters costs.

    value: (m,) minus log posterior, infinite where it cannot be computed.   gradient: (m, p) and curvature:
    (m, p, p), by the scaled parameters.   reasons: why it cannot.
    """

    value: Floats
    gradient: Floats
    curvature: Floats
    reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Fitted:
    """What the model says of every row.

    predicted, sd: (m, rows) in the unit of the measurement, and on the transformed scale.   residual: (m,
    rows) transformed measurement less prediction, in standard deviations.   likelihood: (m, rows) its
    logarithm.
    """

    predicted: Floats
    sd: Floats
    residual: Floats
    likelihood: Floats


@dataclass(frozen=True, eq=False)
class _Kind:
    """One observable: its rows, formulas, and where each argument of these comes from."""

    observable: Observable
    rows: Integers
    formula: Formula
    noise: Formula


class Objective:
    """The objective of a problem.

    accuracy: of the runs of the model.
    Raises as `Problem.formulas` and `simulation.Simulator`.
    """

    def __init__(self, problem: Problem, *, accuracy: float = 1e-7) -> None:
        self.problem, self.scales = problem, problem.scales
        self.kinds, outputs = [], dict[str, None]()
        for place, one in enumerate(problem.observables):
            rows = np.flatnonzero(problem.rows.observable == place)
            if not rows.size:
                continue
            formula, noise = problem.formulas(one)
            self.kinds.append(_Kind(one, rows, formula, noise))
            outputs |= dict.fromkeys(
                name for name in (*formula.names, *noise.names) if name in problem.model.system.symbols
            )
        self.outputs = tuple(outputs)
        self.simulator = Simulator(problem, self.outputs, accuracy)

    @property
    def count(self) -> int:
        """How many parameters are estimated."""
        return len(self.problem.estimated)

    def __call__(self, scaled: Floats, measured: Floats | None = None) -> Cost:
        """The objective at scaled vectors.

        scaled: (m, p).   measured: (m, rows) other measurements for each vector, by default the problem's.
        """
        size = len(self.problem.rows) * max(len(self.outputs), 1) * max(self.count, 1)
        most = max(MOST_NUMBERS // size, 1)
        parts = [
            self._cost(scaled[k : k + most], None if measured is None else measured[k : k + most])
            for k in range(0, max(scaled.shape[0], 1), most)
        ]
        if len(parts) == 1:
            return parts[0]
        return Cost(
            np.concatenate([one.value for one in parts]),
            np.concatenate([one.gradient for one in parts]),
            np.concatenate([one.curvature for one in parts]),
            tuple(reason for one in parts for reason in one.reasons),
        )

    def _cost(self, scaled: Floats, measured: Floats | None) -> Cost:
        m, p = scaled.shape
        theta = self.scales.plain(scaled)
        steps = self.scales.slopes(theta)
        seen = self.simulator(theta)
        data = (
            np.broadcast_to(self.problem.rows.value, (m, len(self.problem.rows)))
            if measured is None
            else measured
        )
        value, gradient, curvature = np.zeros(m), np.zeros((m, p)), np.zeros((m, p, p))
        with np.errstate(all="ignore"):
            for kind in self.kinds:
                y, dy, sd, dsd = self._values(kind, seen, theta)
                nll, push, weight, push_sd, weight_sd = _density(kind.observable, y, sd, data[:, kind.rows])
                dy, dsd = dy * steps[:, None, :], dsd * steps[:, None, :]
                value += nll.sum(axis=1)
                gradient += (push[:, None, :] @ dy)[:, 0] + (push_sd[:, None, :] @ dsd)[:, 0]
                curvature += (dy * weight[..., None]).swapaxes(1, 2) @ dy
                curvature += (dsd * weight_sd[..., None]).swapaxes(1, 2) @ dsd
            for place, parameter in enumerate(self.problem.estimated):
                if parameter.prior is not None:
                    cost = parameter.prior.cost(theta[:, place], scaled[:, place], steps[:, place])
                    value += cost[0]
                    gradient[:, place] += cost[1]
                    curvature[:, place, place] += cost[2]
        whole = (
            np.isfinite(value) & np.isfinite(gradient).all(axis=1) & np.isfinite(curvature).all(axis=(1, 2))
        )
        reasons = tuple(
            reason or ("" if fine else NOT_FINITE) for reason, fine in zip(seen.reasons, whole, strict=True)
        )
        return Cost(
            np.where(whole, value, np.inf),
            np.where(whole[:, None], gradient, 0.0),
            np.where(whole[:, None, None], curvature, 0.0),
            reasons,
        )

    def fitted(self, scaled: Floats, measured: Floats | None = None) -> Fitted:
        """What the model says at scaled vectors (m, p), row by row."""
        theta = self.scales.plain(scaled)
        seen = self.simulator(theta)
        m, r = scaled.shape[0], len(self.problem.rows)
        data = np.broadcast_to(self.problem.rows.value, (m, r)) if measured is None else measured
        predicted, sds, residual, likelihood = (np.full((m, r), np.nan) for _ in range(4))
        with np.errstate(all="ignore"):
            for kind in self.kinds:
                y, _, sd, _ = self._values(kind, seen, theta)
                of = data[:, kind.rows]
                nll = _density(kind.observable, y, sd, of)[0]
                predicted[:, kind.rows], sds[:, kind.rows] = y, sd
                residual[:, kind.rows] = (_moved(kind.observable, of) - _moved(kind.observable, y)) / sd
                likelihood[:, kind.rows] = -nll
        return Fitted(predicted, sds, residual, likelihood)

    def _values(self, kind: _Kind, seen: Simulated, theta: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Value and standard deviation (m, k) at an observable's rows, each with slopes (m, k, p)."""
        y, dy = self._computed(kind, kind.formula, seen, theta)
        sd, dsd = self._computed(kind, kind.noise, seen, theta)
        return y, dy, sd, dsd

    def _computed(
        self, kind: _Kind, formula: Formula, seen: Simulated, theta: Floats
    ) -> tuple[Floats, Floats]:
        rows, p = kind.rows, theta.shape[1]
        columns, moves = [], []
        for name in formula.names:
            column, move = self._argument(kind, name, seen, theta)
            columns.append(column)
            moves.append(move)
        shape = (theta.shape[0], rows.size)
        value, slopes = formula(columns, np.broadcast_to(self.problem.rows.time[rows], shape))
        total = np.zeros((*shape, p))
        for slope, move in zip(slopes, moves, strict=True):
            if move is not None:
                total = total + slope[..., None] * move
        return value, total

    def _argument(
        self, kind: _Kind, name: str, seen: Simulated, theta: Floats
    ) -> tuple[Floats, Floats | None]:
        """What a formula reads under a name, (m, rows), and its slopes, None where it stands still."""
        rows = self.problem.rows
        for slots, fills in (
            (kind.observable.observable_slots, rows.observable_fill),
            (kind.observable.noise_slots, rows.noise_fill),
        ):
            if name in slots:
                place = slots.index(name)
                return self._filled([fills[row][place] for row in kind.rows.tolist()], theta)
        if name in self.outputs:
            k = self.outputs.index(name)
            return seen.values[:, kind.rows, k], seen.slopes[:, kind.rows, k]
        return self._filled([name] * kind.rows.size, theta)

    def _filled(self, given: Sequence[Fill], theta: Floats) -> tuple[Floats, Floats | None]:
        columns = [np.broadcast_to(self.simulator.value(one, theta), theta.shape[:1]) for one in given]
        chain = np.zeros((len(given), theta.shape[1]))
        for place, one in enumerate(given):
            if isinstance(one, str) and one in self.simulator.free:
                chain[place, self.simulator.free[one]] = 1.0
        return np.stack(columns, axis=1), chain[None] if chain.any() else None


def _moved(observable: Observable, value: Floats) -> Floats:
    """A value on the scale of its comparison."""
    if observable.transformation == "lin":
        return value
    return np.asarray(np.log(value) / LOGARITHM[observable.transformation])


def _density(
    observable: Observable, y: Floats, sd: Floats, data: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Minus log density (m, k) of measurements; its slope and expected curvature by y and by sd."""
    away = _moved(observable, y) - _moved(observable, data)
    step = np.ones_like(y)
    jacobian = np.zeros_like(y)
    if observable.transformation != "lin":
        base = LOGARITHM[observable.transformation]
        step = 1.0 / (y * base)
        jacobian = np.log(data * base)
    sd = np.where(sd > 0.0, sd, np.nan)
    if observable.distribution == "normal":
        nll = 0.5 * np.log(2.0 * np.pi * sd**2) + jacobian + 0.5 * (away / sd) ** 2
        return nll, away / sd**2 * step, step**2 / sd**2, 1.0 / sd - away**2 / sd**3, 2.0 / sd**2
    far = np.abs(away) / sd
    nll = np.log(2.0 * sd) + jacobian + far
    weight = step**2 / (sd**2 * np.maximum(far, NEAREST))
    return nll, np.sign(away) / sd * step, weight, (1.0 - far) / sd, 1.0 / sd**2
