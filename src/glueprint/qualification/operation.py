"""OQ: the engine, the regression and the statistics give answers that others have certified."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from io import StringIO

import numpy as np
from numpy.typing import ArrayLike

from glueprint import curves, engine, survival
from glueprint.errors import GlueprintError
from glueprint.qualification.contract import Seen

__all__ = ["constructs", "nist", "r_survival", "refusals"]

DATA = files("glueprint.qualification") / "data"
# Of the value, and where it is near 0: what the engine's default settings promise.
ENGINE_ERROR = 1e-5
# NIST asks for four to six digits of a certified value; nine are certified.
NIST_ERROR = 1e-7
R_ERROR = 1e-10
LEAST = 1e-4  # of a standard error or a p value: smaller ones have few digits of their own


@dataclass(frozen=True)
class Construct:
    """A model in Antimony whose course is known in closed form: `output` at times h has the values."""

    name: str
    text: str
    output: str
    course: Mapping[float, float]


CONSTRUCTS: tuple[Construct, ...] = (
    Construct(
        "decay", "species A = 1; A -> ; k*A; k = 0.1", "A", {5.0: math.exp(-0.5), 10.0: math.exp(-1.0)}
    ),
    Construct(
        "chain",
        "species A = 1, B = 0; A -> B; a*A; B -> ; b*B; a = 1; b = 0.5",
        "B",
        {t: 2.0 * (math.exp(-0.5 * t) - math.exp(-t)) for t in (1.0, 4.0)},
    ),
    Construct("rate rule", "x = 2; x' = -0.3*x", "x", {4.0: 2.0 * math.exp(-1.2)}),
    Construct(
        "assignment", "species A = 3; A -> ; k*A; k = 0.2; y := 2*A + 1", "y", {5.0: 6.0 / math.e + 1.0}
    ),
    Construct("initial assignment", "k = 0.2; x = 10*k; x' = -k*x", "x", {5.0: 2.0 / math.e}),
    Construct("event in time", "x = 1; x' = 0; at (time > 2): x = 5", "x", {1.0: 1.0, 3.0: 5.0}),
    Construct("event by state", "x = 0; x' = 1; y = 0; y' = 0; at (x > 3): y = 7", "y", {2.0: 0.0, 4.0: 7.0}),
    Construct("piecewise", "x = 0; x' = piecewise(1, time < 2, 0)", "x", {1.0: 1.0, 6.0: 2.0}),
    Construct(
        "stoichiometry",
        "species A = 8, B = 0; 2 A -> B; k*A; k = 0.25",
        "B",
        {2.0: 4.0 * (1 - math.exp(-1.0))},
    ),
    Construct("function", "function f(a, b) a*b end; x = 1; x' = -f(x, 0.4)", "x", {2.5: math.exp(-1.0)}),
)
# What the engine cannot run exactly it refuses by name, and never approximates in silence.
REFUSED: Mapping[str, str] = {"delay": "x = 1; x' = -delay(x, 2)"}


def constructs() -> Seen:
    """Models whose course is known in closed form."""
    amiss, worst = [], 0.0
    for one in CONSTRUCTS:
        ensemble = engine.compile(one.text).ensemble(patients=1)
        values = ensemble.simulate([*one.course], outputs=[one.output]).values[0, :, 0]
        wanted = np.array([*one.course.values()])
        away = float(np.max(np.abs(values - wanted) / np.maximum(np.abs(wanted), 1.0)))
        worst = max(worst, away)
        if not away <= ENGINE_ERROR:
            amiss.append(f"{one.name} is off by {away:.2g}")
    found = "; ".join(amiss) or f"{len(CONSTRUCTS)} models, at most {worst:.1g} away"
    return Seen(not amiss, f"closed forms to {ENGINE_ERROR:g}", found)


def refusals() -> Seen:
    """Models that cannot be run exactly are refused with a code."""
    answers = {}
    for name, text in REFUSED.items():
        try:
            engine.compile(text).ensemble(patients=1)
            answers[name] = "was run"
        except GlueprintError as error:
            answers[name] = error.code
    good = all(answer.startswith("GP-N") for answer in answers.values())
    return Seen(good, "refused by name", ", ".join(f"{name}: {said}" for name, said in answers.items()))


def nist() -> Seen:
    """Misra1a of NIST's Statistical Reference Datasets, from the far start: estimates and errors."""
    rows = list(csv.DictReader(StringIO((DATA / "misra1a.csv").read_text("utf-8"))))
    x, y = (np.array([float(row[name]) for row in rows]) for name in ("x", "y"))
    found = curves.fit("b1*(1-exp(-b2*x))", {"x": x}, y, start={"b1": 500.0, "b2": 0.0001})
    certified = np.array([2.3894212918e02, 5.5015643181e-04, 2.7070075241e00, 7.2668688436e-06])
    ours = np.concatenate([found.estimates[0], found.standard_errors[0]])
    away = float(np.max(np.abs(ours / certified - 1.0)))
    return Seen(away <= NIST_ERROR, f"certified values to {NIST_ERROR:g}", f"at most {away:.1g} away")


def r_survival() -> Seen:
    """Kaplan-Meier, restricted mean, log-rank and Cox of Freireich's patients, as R's survival has them."""
    kept = json.loads((DATA / "r_survival.json").read_text("utf-8"))
    data, wanted = kept["data"], kept["expected"]
    time, event, group = (np.array(data[name], float) for name in ("time", "event", "group"))
    curve = survival.kaplan_meier(time, event)
    test = survival.log_rank(time, event, group)
    model = survival.cox(time, event, np.array(data["covariates"], float), ties="efron")
    ours: dict[str, ArrayLike] = {
        "survival": curve.survival,
        "low": curve.low,
        "high": curve.high,
        "rmean": survival.rmst(time, event, float(data["tau"])).value,
        "chi2": test.chi2,
        "p_value": test.p_value,
        "coefficients": model.coefficients,
        "std_error": model.std_error,
    }
    away = {name: _away(value, wanted[name]) for name, value in ours.items()}
    worst = max(away, key=lambda name: away[name])
    version = kept["versions"]["R"].split(" (")[0]
    return Seen(
        away[worst] <= R_ERROR,
        f"{version}, survival {kept['versions']['survival']}, to {R_ERROR:g}",
        f"{len(ours)} quantities, at most {away[worst]:.1g} away ({worst})",
    )


def _away(ours: ArrayLike, theirs: ArrayLike) -> float:
    """The largest relative distance, infinite where only one of two is a number; absolute near 0."""
    mine, wanted = (np.ravel(np.asarray(values, dtype=float)) for values in (ours, theirs))
    apart = np.abs(mine - wanted) / np.maximum(np.abs(wanted), LEAST)
    apart[np.isnan(mine) & np.isnan(wanted)] = 0.0
    return float(np.max(np.where(np.isnan(apart), np.inf, apart)))
