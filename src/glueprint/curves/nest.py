"""Curves that share parameters as one least-squares problem in the shared ones alone. Kernel: arrays only.

For every value of the shared parameters the own ones of each curve are refitted, curve by curve; what is left
are residuals as a function of the few shared parameters, with an exact gradient (Golub and Pereyra 1973,
doi 10.1137/0710036, in the approximation of Kaufman 1975, doi 10.1007/BF01932995). Thousands of curves then
cost no more than thousands of single fits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from glueprint.curves.descent import descend
from glueprint.curves.models.model import Flags, Floats, Rows
from glueprint.curves.problem import Problem

__all__ = ["Nest"]

# Keeps columns without influence out of the projection.
RIDGE = 1e-14


@dataclass(frozen=True)
class Nest:
    """n curves of one problem with shared parameters.

    shared: (s,) their places among the p parameters.   base: (n, p) where the own parameters start.
    alone: a curve and one of its own parameters that is carried outside with the shared ones, or None.
    """

    problem: Problem
    shared: tuple[int, ...]
    base: Floats
    alone: tuple[int, int] | None = None

    @property
    def width(self) -> int:
        """How many parameters the outer problem has."""
        return len(self.shared) + (self.alone is not None)

    def limits(self) -> tuple[Floats, Floats]:
        """Least and largest outer parameters (1, width): where all curves allow them."""
        low, high = self.problem.limits()
        narrow = [low[:, self.shared].min(axis=0), high[:, self.shared].max(axis=0)]
        if self.alone is not None:
            narrow = [
                np.append(edge, side[self.alone]) for edge, side in zip(narrow, (low, high), strict=True)
            ]
        return narrow[0][None, :], narrow[1][None, :]

    def place(self, outer: Floats) -> Floats:
        """theta (n, p) with the outer parameters (width,) written in."""
        theta = self.base.copy()
        theta[:, self.shared] = outer[: len(self.shared)]
        if self.alone is not None:
            theta[self.alone] = outer[-1]
        return theta

    def inner(self, outer: Floats) -> tuple[Floats, Flags]:
        """Own parameters refitted: theta (n, p), and which of them moved freely (n, p)."""
        moving = self.problem.free.copy()
        moving[:, self.shared] = False
        if self.alone is not None:
            moving[self.alone] = False
        end = descend(
            self.problem.evaluate, self.place(outer), moving, self.problem.limits(), size=self.problem.size
        )
        return end.theta, moving & ~end.at_bound

    def parts(self, theta: Floats, moving: Flags) -> tuple[Floats, Floats, Floats]:
        """Residuals (n, m), outer Jacobian (n, m, width) less what the own parameters take up, and how these
        follow the outer ones (n, p, width)."""
        residual, jacobian = self.problem.evaluate(theta, np.arange(theta.shape[0]))
        outer = jacobian[:, :, self.shared]
        if self.alone is not None:
            curve, parameter = self.alone
            extra = np.zeros_like(jacobian[:, :, :1])
            extra[curve] = jacobian[curve, :, parameter, None]
            outer = np.concatenate([outer, extra], axis=2)
        own = np.where(moving[:, None, :], jacobian, 0.0)
        norm = np.sqrt(np.einsum("nmp,nmp->np", own, own))
        norm = np.where(norm > 0.0, norm, 1.0)
        own = own / norm[:, None, :]
        turned = own.transpose(0, 2, 1)
        matrix = turned @ own + RIDGE * np.eye(own.shape[2])
        follow = np.linalg.solve(matrix, turned @ outer)
        return residual, outer - own @ follow, -follow / norm[:, :, None]

    def evaluate(self, outer: Floats, _: Rows) -> tuple[Floats, Floats]:
        """Residuals (k, n m) and their Jacobian (k, n m, width) for `descend`; all rows are one problem."""
        residuals, jacobians = [], []
        for values in outer:
            theta, moving = self.inner(values)
            residual, jacobian, _follow = self.parts(theta, moving)
            residuals.append(residual.ravel())
            jacobians.append(jacobian.reshape(-1, self.width))
        return np.stack(residuals), np.stack(jacobians)

    def beside(self, curve: int, parameter: int) -> Nest:
        """The same problem with one own parameter of one curve carried outside."""
        return replace(self, alone=(curve, parameter))
