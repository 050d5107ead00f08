"""Problems of our own in PEtab 2, one for each of its new features, with solutions in closed form.

The model is that of `workshop_problems`; over several periods its course is joined piece by piece.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import antimony
import numpy as np
from scipy import stats
from scipy.optimize import minimize

from benchmarks.workshop_problems import MODEL, Values

AS_IT_IS = ""


@dataclass(frozen=True)
class Parameter:
    """low, high, true value; prior as name and numbers."""

    low: float
    high: float
    true: float
    prior: tuple[str, tuple[float, ...]] | None = None
    estimate: bool = True


@dataclass(frozen=True)
class Observable:
    """As in the table of observables."""

    formula: str = "x"
    noise: str = "0.1"
    distribution: str = "normal"
    placeholders: str = ""
    noise_placeholders: str = ""


@dataclass(frozen=True)
class Row:
    """observable_fill, noise_fill: texts of a measurement's parameters."""

    experiment: str
    time: float
    observable: str = "obs_x"
    observable_fill: str = ""
    noise_fill: str = ""


@dataclass(frozen=True)
class Case:
    """x: parameters and row to the value of the species; y, sd: of its observable and noise, by row."""

    name: str
    parameters: Mapping[str, Parameter]
    rows: tuple[Row, ...]
    x: Callable[[Values, Row], float]
    conditions: Mapping[str, Mapping[str, str]]
    experiments: Mapping[str, Sequence[tuple[float, str]]]
    observables: Mapping[str, Observable]
    y: Callable[[Values, Row, float], float] = lambda _p, _row, x: x
    sd: Callable[[Values, Row, float], float] = lambda _p, _row, _y: 0.1


def course(
    t: float,
    periods: Sequence[tuple[float, float, float]],
    x0: float,
    put: Mapping[int, Callable[[float], float]] | None = None,
) -> float:
    """x at a time.   periods: start, input (ksyn u), kdeg.   put: what a period makes of x at first."""
    x = x0
    for number, (begin, into, out) in enumerate(periods):
        if put and number in put:
            x = put[number](x)
        end = periods[number + 1][0] if number + 1 < len(periods) else math.inf
        level = into / out
        until = min(t, end)
        x = level + (x - level) * math.exp(-out * (until - begin)) if math.isfinite(until) else level
        if t < end:
            return x
    return x


KSYN, KDEG = Parameter(1e-3, 1e3, 1.4), Parameter(1e-3, 1e2, 0.35)
PLAIN = {"ksyn": KSYN, "kdeg": KDEG}
X = {"obs_x": Observable()}
TIMES = (0.0, 0.5, 1.0, 2.0, 4.0, 5.0, 8.0, 10.0, 12.0, 16.0)


def grid(experiment: str, times: Sequence[float] = TIMES, repeats: int = 2, **more: str) -> tuple[Row, ...]:
    return tuple(Row(experiment, t, **more) for t in times for _ in range(repeats))


def x_plain(p: Values, row: Row) -> float:
    return course(row.time, [(0.0, p["ksyn"], p["kdeg"])], 2.0)


def x_periods(p: Values, row: Row) -> float:
    return course(
        row.time, [(t, p["ksyn"] * u, p["kdeg"]) for t, u in ((0.0, 1.0), (4.0, 3.0), (10.0, 0.0))], 2.0
    )


def x_two_rates(p: Values, row: Row) -> float:
    if row.experiment == "switched":
        return course(row.time, [(0.0, p["ksyn"], p["kdeg_a"]), (4.0, p["ksyn"], p["kdeg_b"])], 2.0)
    return course(row.time, [(0.0, p["ksyn"], p["kdeg_b"])], 2.0)


def x_added(p: Values, row: Row) -> float:
    """A dose is added to what is there at 5; at 10 half of it is taken away."""
    rate = 0.5 * p["base"] ** 2
    put = {1: lambda x: x + p["dose"], 2: lambda x: 0.5 * x}
    return course(row.time, [(t, rate, p["kdeg"]) for t in (0.0, 5.0, 10.0)], 2.0, put)


def x_kept(p: Values, row: Row) -> float:
    """What the steady state before sets stays: kdeg is kdeg_first until 5."""
    first = p["kdeg_first"]
    start = 0.1 * p["ksyn"] / first
    if row.experiment == "long":
        return course(
            row.time, [(0.0, 2.0 * p["ksyn"], first), (5.0, 2.0 * p["ksyn"], p["kdeg_last"])], start
        )
    return course(row.time, [(0.0, 2.0 * p["ksyn"], first)], start)


def x_together(p: Values, row: Row) -> float:
    start = 3.0 * p["scale"]
    return course(
        row.time, [(0.0, 2.0 * p["ksyn"], p["kdeg"]), (4.0, 2.0 * p["ksyn"], p["kdeg"] / 2.0)], start
    )


def x_from_before(p: Values, row: Row) -> float:
    return course(row.time, [(-20.0, p["ksyn"], p["kdeg"]), (2.0, 3.0 * p["ksyn"], p["kdeg"])], 2.0)


def filled(p: Values, text: str) -> list[float]:
    return [p[part] if part in p else float(part) for part in text.split(";")]


SIGMA = Parameter(1e-3, 1e2, 0.15)
CASES = (
    Case("plain, without experiments", PLAIN, grid(AS_IT_IS), x_plain, {}, {}, X),
    Case(
        "periods with numbers",
        PLAIN,
        grid("on_off"),
        x_periods,
        {"one": {"u": "1"}, "three": {"u": "3"}, "none": {"u": "0"}},
        {"on_off": [(10.0, "none"), (0.0, "one"), (4.0, "three")]},
        X,
    ),
    Case(
        "periods with parameters",
        {"ksyn": KSYN, "kdeg_a": KDEG, "kdeg_b": Parameter(1e-3, 1e2, 1.2)},
        (*grid("switched"), *grid("alone")),
        x_two_rates,
        {"a": {"kdeg": "kdeg_a"}, "b": {"kdeg": "kdeg_b"}},
        {"switched": [(0.0, "a"), (4.0, "b")], "alone": [(0.0, "b")]},
        X,
    ),
    Case(
        "formulas of parameters and of what is there",
        {"base": Parameter(0.1, 10.0, 1.6), "kdeg": KDEG, "dose": Parameter(0.1, 100.0, 6.0)},
        grid("added"),
        x_added,
        {"start": {"ksyn": "0.5*base^2"}, "give": {"x": "x + dose"}, "take": {"x": "x - x/2"}},
        {"added": [(0.0, "start"), (5.0, "give"), (10.0, "take")]},
        X,
    ),
    Case(
        "a steady state, and what it sets stays",
        {"ksyn": KSYN, "kdeg_first": Parameter(1e-3, 1e2, 0.9), "kdeg_last": KDEG},
        (*grid("long"), *grid("short")),
        x_kept,
        {"rest": {"u": "0.1", "kdeg": "kdeg_first"}, "go": {"u": "2"}, "on": {"kdeg": "kdeg_last"}},
        {
            "long": [(-math.inf, "rest"), (0.0, "go"), (5.0, "on")],
            "short": [(-math.inf, "rest"), (0.0, "go")],
        },
        X,
    ),
    Case(
        "two conditions at once, and an initial value by a formula",
        {**PLAIN, "scale": Parameter(0.1, 10.0, 2.0)},
        grid("both"),
        x_together,
        {"more": {"u": "2"}, "start": {"x": "3*scale"}, "half": {"degradation": "0.5"}},
        {"both": [(0.0, "more"), (0.0, "start"), (4.0, "half")]},
        X,
    ),
    Case(
        "log-normal and log-Laplace with named places",
        {**PLAIN, "sigma": SIGMA, "gain_a": Parameter(0.01, 100.0, 3.0)},
        (
            *grid("go", observable_fill="gain_a", noise_fill="sigma"),
            *grid("go", observable_fill="1", noise_fill="0.05"),
            *grid("go", observable="obs_b", repeats=3),
        ),
        x_plain,
        {},
        {"go": [(0.0, "")]},
        {
            "obs_x": Observable("gain*x", "size", "log-normal", "gain", "size"),
            "obs_b": Observable("x", "sigma", "log-laplace"),
        },
        y=lambda p, row, x: filled(p, row.observable_fill)[0] * x if row.observable_fill else x,
        sd=lambda p, row, _y: filled(p, row.noise_fill)[0] if row.noise_fill else p["sigma"],
    ),
    Case(
        "noise that reads its observable on a logarithmic scale",
        {**PLAIN, "sigma": SIGMA},
        grid("go", repeats=3),
        x_plain,
        {},
        {"go": [(0.0, "")]},
        {"obs_x": Observable("x", "sigma/(1 + obs_x)", "log-normal")},
        sd=lambda p, _row, y: p["sigma"] / (1.0 + y),
    ),
    Case(
        "priors cut at the bounds",
        {
            "ksyn": Parameter(0.5, 3.0, 1.4, ("gamma", (4.0, 0.4))),
            "kdeg": Parameter(0.01, 2.0, 0.35, ("log-uniform", (0.001, 50.0))),
            "a": Parameter(-2.0, 2.0, 0.1, ("cauchy", (0.0, 0.5))),
            "b": Parameter(0.01, 5.0, 0.3, ("exponential", (0.5,))),
            "c": Parameter(0.01, 5.0, 0.6, ("rayleigh", (0.5,))),
            "d": Parameter(0.1, 9.0, 2.0, ("chisquare", (3.0,))),
            "e": Parameter(0.1, 3.0, 1.0, ("log-normal", (0.1, 0.2))),
            "f": Parameter(0.1, 3.0, 1.0, ("log-laplace", (0.1, 0.2))),
            "g": Parameter(-1.0, 1.0, 0.0, ("normal", (0.5, 0.4))),
            "h": Parameter(-1.0, 1.0, 0.0),
        },
        grid("go"),
        x_plain,
        {},
        {"go": [(0.0, "")]},
        {"obs_x": Observable("x + a + b - c + 0.1*d*e - 0.2*f + 0.1*g + 0.1*h", "0.3")},
        y=lambda p, _row, x: (
            x + p["a"] + p["b"] - p["c"] + 0.1 * p["d"] * p["e"] - 0.2 * p["f"] + 0.1 * p["g"] + 0.1 * p["h"]
        ),
        sd=lambda _p, _row, _y: 0.3,
    ),
    Case(
        "a beginning before 0, and steady states",
        PLAIN,
        (*grid("early", (-20.0, -19.0, -16.0, 0.0, 2.0, 3.0, 6.0, math.inf)),),
        x_from_before,
        {"one": {"u": "1"}, "three": {"u": "3"}},
        {"early": [(-20.0, "one"), (2.0, "three")]},
        X,
    ),
)
# What a condition can set that is no parameter of the table: a factor on the rate of loss.
WITH_FACTOR = MODEL.replace("kdeg*x;", "degradation*kdeg*x;").replace("u = 1;", "u = 1; degradation = 1;")


def is_logarithmic(case: Case, row: Row) -> bool:
    return case.observables[row.observable].distribution.startswith("log-")


def is_laplace(case: Case, row: Row) -> bool:
    return case.observables[row.observable].distribution.endswith("laplace")


def measured(case: Case) -> list[float]:
    """Made-up measurements: the truth with noise of its own kind."""
    rng = np.random.default_rng(1)
    truth = {name: one.true for name, one in case.parameters.items()}
    found = []
    for row in case.rows:
        y = case.y(truth, row, case.x(truth, row))
        draw = case.sd(truth, row, y) * (rng.laplace() if is_laplace(case, row) else rng.normal())
        found.append(y * math.exp(draw) if is_logarithmic(case, row) else y + draw)
    return found


def minus_log_likelihood(case: Case, values: Values, data: Sequence[float]) -> float:
    """Written down anew: densities of the measurements."""
    total = 0.0
    for row, m in zip(case.rows, data, strict=True):
        y = case.y(values, row, case.x(values, row))
        sd = case.sd(values, row, y)
        if is_logarithmic(case, row) and y <= 0.0:
            return math.inf
        at, seen, jacobian = (
            (math.log(y), math.log(m), math.log(m)) if is_logarithmic(case, row) else (y, m, 0.0)
        )
        away = abs(seen - at) / sd
        total += jacobian + math.log(sd)
        total += away + math.log(2.0) if is_laplace(case, row) else 0.5 * (away**2 + math.log(2.0 * math.pi))
    return total


FAMILIES: Mapping[str, Callable[..., object]] = {
    "gamma": lambda a, b: stats.gamma(a, scale=b),
    "log-uniform": stats.loguniform,
    "cauchy": stats.cauchy,
    "exponential": lambda a: stats.expon(scale=a),
    "rayleigh": lambda a: stats.rayleigh(scale=a),
    "chisquare": stats.chi2,
    "log-normal": lambda a, b: stats.lognorm(b, scale=math.exp(a)),
    "normal": stats.norm,
    "uniform": lambda a, b: stats.uniform(a, b - a),
}


def minus_log_prior(case: Case, values: Values) -> float:
    """Densities cut at the bounds; evenly between these for those without, where others have one."""
    if not any(one.prior for one in case.parameters.values()):
        return 0.0
    total = 0.0
    for name, one in case.parameters.items():
        kind, numbers = one.prior or ("uniform", (one.low, one.high))
        if kind == "log-laplace":
            location, scale = numbers
            far = [(math.log(x) - location) / scale for x in (one.low, one.high, values[name])]
            part = [0.5 * math.exp(z) if z < 0 else 1.0 - 0.5 * math.exp(-z) for z in far]
            total += math.log(2.0 * scale * values[name]) + abs(far[2]) + math.log(part[1] - part[0])
            continue
        family = FAMILIES[kind](*numbers)
        total -= float(family.logpdf(values[name]))  # type: ignore[attr-defined]
        total += math.log(float(np.diff(family.cdf([one.low, one.high]))[0]))  # type: ignore[attr-defined]
    return total


def minus_log_posterior(case: Case, values: Values, data: Sequence[float]) -> float:
    return minus_log_likelihood(case, values, data) + minus_log_prior(case, values)


def best(case: Case, data: Sequence[float]) -> tuple[float, dict[str, float]]:
    """The optimum, by scipy's search from the truth, within the bounds."""
    names = [name for name, one in case.parameters.items() if one.estimate]
    box = [(case.parameters[name].low, case.parameters[name].high) for name in names]
    z = np.array([case.parameters[name].true for name in names])

    def cost(z: np.ndarray) -> float:
        return minus_log_posterior(case, dict(zip(names, z.tolist(), strict=True)), data)

    for _ in range(3):
        found = minimize(
            cost, z, method="L-BFGS-B", bounds=box, options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500}
        )
        z = found.x
    return float(found.fun), dict(zip(names, z.tolist(), strict=True))


def write(case: Case, folder: Path) -> Path:
    """The case as files of PEtab 2; returns the YAML file."""
    folder.mkdir(parents=True, exist_ok=True)
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(WITH_FACTOR) >= 0, antimony.getLastError()
    (folder / "model.xml").write_text(antimony.getSBMLString("turnover"), encoding="utf-8")

    def table(name: str, header: str, rows: Sequence[Sequence[object]]) -> None:
        lines = [header.replace(" ", "\t"), *("\t".join(map(str, row)) for row in rows)]
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    table(
        "parameters.tsv",
        "parameterId lowerBound upperBound nominalValue estimate priorDistribution priorParameters",
        [
            (
                *(name, one.low, one.high, one.true, str(one.estimate).lower()),
                *(("", "") if one.prior is None else (one.prior[0], ";".join(map(str, one.prior[1])))),
            )
            for name, one in case.parameters.items()
        ],
    )
    table(
        "conditions.tsv",
        "conditionId targetId targetValue",
        [(name, *pair) for name, changes in case.conditions.items() for pair in changes.items()],
    )
    table(
        "experiments.tsv",
        "experimentId time conditionId",
        [(name, *period) for name, periods in case.experiments.items() for period in periods],
    )
    table(
        "observables.tsv",
        "observableId observableFormula noiseFormula noiseDistribution "
        "observablePlaceholders noisePlaceholders",
        [
            (name, one.formula, one.noise, one.distribution, one.placeholders, one.noise_placeholders)
            for name, one in case.observables.items()
        ],
    )
    table(
        "measurements.tsv",
        "observableId experimentId measurement time observableParameters noiseParameters",
        [
            (row.observable, row.experiment, repr(m), row.time, row.observable_fill, row.noise_fill)
            for row, m in zip(case.rows, measured(case), strict=True)
        ],
    )
    file = folder / "problem.yaml"
    file.write_text(
        "format_version: 2.0.0\nparameter_files: [parameters.tsv]\nmodel_files:\n"
        "  model: {location: model.xml, language: sbml}\nobservable_files: [observables.tsv]\n"
        "measurement_files: [measurements.tsv]\n"
        + ("condition_files: [conditions.tsv]\n" if case.conditions else "")
        + ("experiment_files: [experiments.tsv]\n" if case.experiments else ""),
        encoding="utf-8",
    )
    return file
