"""The one result of every fit: estimates, errors, intervals and a status; prints, plots, tabulates."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.curves.models.model import Flags, Floats, Given, Model
from glueprint.curves.problem import Problem, Reach
from glueprint.curves.request import Inputs
from glueprint.curves.robust import Robust
from glueprint.curves.status import Status
from glueprint.curves.table_rows import COMPARISONS, POTENCIES, curve_rows, in_height, point_rows, set_rows
from glueprint.frames import Framed

__all__ = ["TABLE", "Fits"]

# The figure stands on a floor above, and is looked up when it is asked for.
FIGURE = "glueprint.report.figures.fits:of_fits"
TEXT, NUMBER, FLAG = pl.String(), pl.Float64(), pl.Boolean()
TABLE = pl.Schema(
    {
        "set": TEXT,
        "parameter": TEXT,
        "unit": TEXT,
        "estimate": NUMBER,
        "standard_error": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "shared": FLAG,
        "fixed": FLAG,
        "status": TEXT,
    }
)


@dataclass(frozen=True)
class Fits(Framed):
    """A batch of n fitted curves of a model with p parameters; every array has one row a curve.

    theta, covariance: (n, p), (n, p, p) on the fitting scale, a logarithm where the model says so; NaN where
    fixed, at a bound or unknown.
    low, high: (n, p) profile intervals at `confidence`, natural units; open is infinite (0 below for
    parameters fitted as logarithms), NaN where none was asked for, unknown or fixed.
    rss: (n,) weighted residual sum of squares; of curves with limits what stands for it (docs/curves.md).
    dof: (n,) behind the errors; of all curves together where they share parameters.
    effect_f, effect_p: (n,) F test against the flat line.
    status: (n,) `Status`.   converged: (n,) whether a minimum was found, whatever else the status says.
    at_bound: (n, p).   agreeing: (n,) how many of the `tried` starts ended at the same minimum.
    plateau: (n,) `Plateau`: whether a plateau was seen, or where it was held.   reach: least and largest
    theta (n, p) that each fit was allowed.   shared: parameters with one value for all curves.
    intervals: how intervals were made: "profile", "profile, others by curvature" (many curves that share
    parameters), or "none".   robust: the Tukey fit beside the plain one, where asked for.
    labels: (n,) names of the curves, or none.
    weighting, comparisons, potencies, notes: of the fit of a table: its weights, tables of tests and of
    potencies with the columns of `table_rows`, and what was left out or cannot be told.
    """

    problem: Problem
    theta: Floats
    covariance: Floats
    low: Floats
    high: Floats
    rss: Floats
    dof: NDArray[np.int64]
    effect_f: Floats
    effect_p: Floats
    status: NDArray[np.int64]
    converged: Flags
    at_bound: Flags
    agreeing: NDArray[np.int64]
    tried: int
    confidence: float
    plateau: NDArray[np.int64]
    reach: Reach
    shared: tuple[str, ...] = ()
    intervals: str = "profile"
    robust: Robust | None = None
    labels: tuple[str, ...] = ()
    weighting: str = "none"
    comparisons: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COMPARISONS))
    potencies: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=POTENCIES))
    notes: tuple[str, ...] = ()

    @property
    def model(self) -> Model:
        """What was fitted."""
        return self.problem.model

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters (p)."""
        return self.model.names

    @cached_property
    def estimates(self) -> Floats:
        """Parameters (n, p) in natural units."""
        return self.problem.natural(self.theta)

    @cached_property
    def standard_errors(self) -> Floats:
        """Standard errors (n, p) in natural units, NaN where fixed, at a bound or unknown."""
        return np.asarray(np.sqrt(np.einsum("npp->np", self.covariance)) * self.problem.slope(self.estimates))

    @property
    def sets(self) -> tuple[str, ...]:
        """Names of the curves (n,): their labels, or numbers from 0."""
        return self.labels or tuple(map(str, range(self.rss.size)))

    @property
    def points(self) -> NDArray[np.int64]:
        """How many points each curve has (n,)."""
        return self.problem.points

    @property
    def parameter_count(self) -> int:
        """How many parameters all curves have together."""
        own = ~np.isin(self.names, self.shared)
        return int(self.problem.free[:, own].sum()) + len(self.shared)

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """What each status means and what to do (n,); empty where a curve is fine."""
        named = [
            ", ".join(name for name, bound in zip(self.names, bounds, strict=True) if bound) + " "
            for bounds in self.at_bound
        ]
        return tuple(
            (names if code == Status.AT_BOUND else "") + Status(code).text
            for names, code in zip(named, self.status.tolist(), strict=True)
        )

    @property
    def fitted(self) -> Floats:
        """Fitted responses (n, m) at the points measured, NaN where missing."""
        return np.where(self.problem.weights > 0.0, self.problem.curve(self.theta)[0], np.nan)

    def __getitem__(self, name: str) -> Floats:
        """Estimates (n,) of a parameter by name."""
        return np.asarray(self.estimates[:, self.names.index(name)])

    def interval(self, name: str) -> Floats:
        """Profile interval (n, 2) of a parameter by name, natural units."""
        index = self.names.index(name)
        return np.stack([self.low[:, index], self.high[:, index]], axis=1)

    def predict(self, inputs: Inputs) -> Floats:
        """Fitted responses (n, m) at other inputs, (m,) or (n, m), with the same constants."""
        if not isinstance(inputs, Mapping):
            inputs = {self.model.inputs[0]: inputs}
        values = np.broadcast_arrays(*(np.atleast_2d(np.asarray(v, float)) for v in inputs.values()))
        shape = (self.rss.size, values[0].shape[1])
        given = {k: np.broadcast_to(v, shape) for k, v in zip(inputs, values, strict=True)}
        given |= {name: self.problem.given[name] for name in self.model.constants}
        return replace(self.problem, given=Given(given, np.ones(shape, bool))).curve(self.theta)[0]

    @property
    def front(self) -> Floats:
        """Plateau without drug (n,) of a logistic."""
        return self["front"]

    @property
    def back(self) -> Floats:
        """Plateau at infinite dose (n,) of a logistic."""
        return self["back"]

    @property
    def slope(self) -> Floats:
        """Hill slope (n,), above 0, of a logistic."""
        return self["slope"]

    @property
    def log10_ec50(self) -> Floats:
        """Log10 of the relative EC50 (n,) of a logistic; `curves.relative` adds limits and reasons."""
        return np.asarray(self.theta[:, self.names.index("ec50")])

    def to_table(self) -> pl.DataFrame:
        """One row a parameter of a curve, columns `TABLE`; infinite where an interval is open."""
        n, p = self.theta.shape
        columns: dict[str, Any] = {
            "set": np.repeat(self.sets, p),
            "parameter": list(self.names) * n,
            "unit": [one.unit for one in self.model.parameters] * n,
            "estimate": np.ravel(self.estimates),
            "standard_error": np.ravel(self.standard_errors),
            "low": np.ravel(self.low),
            "high": np.ravel(self.high),
            "shared": list(np.isin(self.names, self.shared)) * n,
            "fixed": ~np.ravel(self.problem.free),
            "status": np.repeat([Status(code).name for code in self.status.tolist()], p),
        }
        return pl.DataFrame(columns, schema=TABLE).with_columns(pl.col(NUMBER).fill_nan(None))

    @cached_property
    def tables(self) -> dict[str, pl.DataFrame]:
        """All tables by name; of `parameters` the plateaus are top and bottom, `curves` is for drawing."""
        return {
            "parameters": in_height(self),
            "sets": set_rows(self),
            "points": point_rows(self),
            "comparisons": self.comparisons,
            "potencies": self.potencies,
            "curves": curve_rows(self),
        }

    def plot(self) -> Any:
        """Points and curves as an Altair chart, which notebooks show and `save` writes."""
        return pkgutil.resolve_name(FIGURE)(self)

    def __str__(self) -> str:
        lines = [f"{self.model.title}: {self.rss.size} curves"]
        for row in self.to_table().iter_rows(named=True):
            span = "" if row["low"] is None else f" ({row['low']:.4g} to {row['high']:.4g})"
            value = "none" if row["estimate"] is None else f"{row['estimate']:.4g}"
            held = " (held)" if row["fixed"] else " (shared)" if row["shared"] else ""
            line = f"  {row['set']} {row['parameter']} {value}{span} {row['unit']}".rstrip() + held
            lines.append(line.replace("   ", "  "))
        return "\n".join([*lines, *self.notes])

    def as_dict(self) -> dict[str, Any]:
        """All tables as rows, for `--json`."""
        tables = {name: table.to_dicts() for name, table in self.tables.items()}
        about = {"model": self.model.name, "weights": self.weighting, "confidence": self.confidence}
        return about | tables | {"notes": list(self.notes)}
