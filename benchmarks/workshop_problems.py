"""Problems of our own in PEtab 1, one for each of its features, with solutions in closed form.

The model is a turnover, x' = ksyn u - kdeg x, whose solution is s + (x0 - s) exp(-kdeg t) with
s = ksyn u / kdeg. The best values are found here by an optimiser of scipy on these formulas and a likelihood
written down anew, so that nothing of the workshop decides them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import antimony
import numpy as np
from scipy.optimize import minimize

MODEL = """
  model turnover
  compartment cell = 1; species x in cell = 2;
  J1: -> x; ksyn*u;  J2: x -> ; kdeg*x;
  ksyn = 1; kdeg = 0.3; u = 1;
  end
"""
TIMES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
Values = Mapping[str, float]
# The file that names the others of a problem.
PROBLEM = """format_version: 1
parameter_file: parameters.tsv
problems:
  - sbml_files: [model.xml]
    condition_files: [conditions.tsv]
    observable_files: [observables.tsv]
    measurement_files: [measurements.tsv]
"""


def turnover(t: float, *, ksyn: float, kdeg: float, u: float = 1.0, x0: float = 2.0) -> float:
    level = ksyn * u / kdeg
    return level + (x0 - level) * math.exp(-kdeg * t) if math.isfinite(t) else level


@dataclass(frozen=True)
class Parameter:
    """scale, low, high, true value; prior as (type, first, second)."""

    scale: str
    low: float
    high: float
    true: float
    prior: tuple[str, float, float] | None = None
    drawn: tuple[str, float, float] | None = None
    estimate: bool = True


@dataclass(frozen=True)
class Row:
    """x: the model's closed form at a point.   fill: texts of observable and noise parameters."""

    observable: str
    condition: str
    time: float
    before: str = ""
    observable_fill: str = ""
    noise_fill: str = ""


@dataclass(frozen=True)
class Case:
    """x: parameters and row to the value of the species.   y, sd: its observable and noise, by row."""

    name: str
    parameters: Mapping[str, Parameter]
    observables: Mapping[str, tuple[str, str, str, str]]  # formula, noise, transformation, distribution
    conditions: Mapping[str, Mapping[str, str]]
    rows: tuple[Row, ...]
    x: Callable[[Values, Row], float]
    y: Callable[[Values, Row, float], float] = lambda _p, _row, x: x
    sd: Callable[[Values, Row, float], float] = lambda _p, _row, _y: 0.1
    seed: int = 1
    extra: Mapping[str, str] = field(default_factory=dict)


KSYN = Parameter("log10", 1e-3, 1e3, 1.4)
KDEG = Parameter("log10", 1e-3, 1e2, 0.35)
PLAIN = {"ksyn": KSYN, "kdeg": KDEG}
X = {"obs_x": ("x", "0.1", "lin", "normal")}
ONE: Mapping[str, Mapping[str, str]] = {"c0": {}}


def grid(observable: str = "obs_x", condition: str = "c0", repeats: int = 2, **more: str) -> tuple[Row, ...]:
    return tuple(Row(observable, condition, t, **more) for t in TIMES for _ in range(repeats))


def simple(p: Values, row: Row) -> float:
    return turnover(row.time, ksyn=p["ksyn"], kdeg=p["kdeg"])


def x_by_dose(p: Values, row: Row) -> float:
    u = {"low": 0.2, "high": 3.0}[row.condition]
    return turnover(row.time, ksyn=p["ksyn"], kdeg=p["kdeg"], u=u)


def x_by_line(p: Values, row: Row) -> float:
    return turnover(
        row.time, ksyn=p["ksyn"], kdeg=p[{"wild": "kdeg_wild", "mutant": "kdeg_mutant"}[row.condition]]
    )


def x_after(p: Values, row: Row) -> float:
    start = p["ksyn"] * 0.1 / p["kdeg"]
    return turnover(row.time, ksyn=p["ksyn"], kdeg=p["kdeg"], u=2.0, x0=start)


def x_after_another(p: Values, row: Row) -> float:
    """Rates differ between both phases, and one of them is estimated for the first alone."""
    return turnover(row.time, ksyn=p["ksyn"], kdeg=p["kdeg"], u=2.0, x0=p["ksyn"] / p["kdeg_first"])


def x_put_back(p: Values, row: Row) -> float:
    start = 5.0 if row.condition == "put" else p["ksyn"] * 0.1 / p["kdeg"]
    return turnover(row.time, ksyn=p["ksyn"], kdeg=p["kdeg"], u=2.0, x0=start)


def x_from(p: Values, row: Row) -> float:
    start = {"low": 0.5, "free": p["x_start"]}[row.condition]
    return turnover(row.time, ksyn=p["ksyn"], kdeg=p["kdeg"], x0=start)


def filled(p: Values, text: str) -> list[float]:
    return [p[part] if part in p else float(part) for part in text.split(";")]


SIGMA = Parameter("log10", 1e-3, 1e2, 0.15)
CASES = (
    Case("plain", PLAIN, X, ONE, grid(), simple),
    Case(
        "log and estimated noise",
        {**PLAIN, "sigma": SIGMA},
        {"obs_x": ("x", "sigma", "log", "normal")},
        ONE,
        grid(),
        simple,
        sd=lambda p, _row, _y: p["sigma"],
    ),
    Case(
        "log10 and noise by row",
        PLAIN,
        {"obs_x": ("x", "noiseParameter1_obs_x", "log10", "normal")},
        ONE,
        (*grid(repeats=1, noise_fill="0.05"), *grid(repeats=1, noise_fill="0.2")),
        simple,
        sd=lambda p, row, _y: filled(p, row.noise_fill)[0],
    ),
    Case(
        "scale and offset by row",
        {
            **PLAIN,
            "scale_a": Parameter("log10", 1e-2, 1e2, 3.0),
            "scale_b": Parameter("log10", 1e-2, 1e2, 0.6),
            "offset": Parameter("lin", -10.0, 10.0, 0.8),
        },
        {"obs_x": ("observableParameter1_obs_x*x + observableParameter2_obs_x", "0.1", "lin", "normal")},
        ONE,
        (
            *grid(observable_fill="scale_a;offset"),
            *grid(observable_fill="scale_b;0.5"),
            *grid(observable_fill="1;0"),
        ),
        simple,
        y=lambda p, row, x: filled(p, row.observable_fill)[0] * x + filled(p, row.observable_fill)[1],
    ),
    Case(
        "noise of two kinds",
        {**PLAIN, "add": Parameter("log10", 1e-4, 1e2, 0.05), "part": Parameter("log10", 1e-4, 1e1, 0.08)},
        {"obs_x": ("x", "noiseParameter1_obs_x + noiseParameter2_obs_x*obs_x", "lin", "normal")},
        {"low": {"u": "0.2"}, "high": {"u": "3"}},
        (
            *grid(condition="low", repeats=4, noise_fill="add;part"),
            *grid(condition="high", repeats=4, noise_fill="add;part"),
        ),
        x_by_dose,
        sd=lambda p, _row, y: p["add"] + p["part"] * y,
    ),
    Case("Laplace", PLAIN, {"obs_x": ("x", "0.1", "lin", "laplace")}, ONE, grid(repeats=3), simple),
    Case(
        "Laplace of logarithms",
        {**PLAIN, "b": SIGMA},
        {"obs_x": ("x", "b", "log", "laplace")},
        ONE,
        grid(repeats=3),
        simple,
        sd=lambda p, _row, _y: p["b"],
    ),
    Case(
        "conditions with numbers",
        PLAIN,
        X,
        {"low": {"u": "0.2"}, "high": {"u": "3"}},
        (*grid(condition="low"), *grid(condition="high")),
        x_by_dose,
    ),
    Case(
        "conditions with parameters",
        {"ksyn": KSYN, "kdeg_wild": KDEG, "kdeg_mutant": Parameter("log10", 1e-3, 1e2, 1.7)},
        X,
        {"wild": {"kdeg": "kdeg_wild"}, "mutant": {"kdeg": "kdeg_mutant"}},
        (*grid(condition="wild"), *grid(condition="mutant")),
        x_by_line,
    ),
    Case(
        "priors",
        {
            "ksyn": Parameter("log10", 1e-3, 1e3, 1.4, prior=("parameterScaleNormal", 0.3, 0.05)),
            "kdeg": Parameter("log10", 1e-3, 1e2, 0.35, prior=("logNormal", -1.2, 0.1)),
            "offset": Parameter("lin", -10.0, 10.0, 0.0, prior=("normal", 0.1, 0.02)),
        },
        {"obs_x": ("x + offset", "0.3", "lin", "normal")},
        ONE,
        grid(),
        simple,
        y=lambda p, _row, x: x + p["offset"],
        sd=lambda _p, _row, _y: 0.3,
    ),
    Case(
        "pre-equilibration",
        PLAIN,
        X,
        {"rest": {"u": "0.1"}, "go": {"u": "2"}},
        grid(condition="go", before="rest"),
        x_after,
    ),
    Case(
        "pre-equilibration with a parameter of its own",
        {**PLAIN, "kdeg_first": Parameter("log10", 1e-3, 1e2, 0.9)},
        X,
        {"rest": {"u": "1", "kdeg": "kdeg_first"}, "go": {"u": "2", "kdeg": "kdeg"}},
        grid(condition="go", before="rest"),
        x_after_another,
    ),
    Case(
        "pre-equilibration and a species put back",
        PLAIN,
        X,
        {"rest": {"u": "0.1", "x": ""}, "go": {"u": "2", "x": ""}, "put": {"u": "2", "x": "5"}},
        (*grid(condition="go", before="rest"), *grid(condition="put", before="rest")),
        x_put_back,
    ),
    Case(
        "steady states",
        PLAIN,
        X,
        {"low": {"u": "0.2"}, "high": {"u": "3"}},
        (
            *(Row("obs_x", "low", t) for t in (0.5, 2.0, math.inf, math.inf)),
            *(Row("obs_x", "high", t) for t in (1.0, 4.0, math.inf)),
        ),
        x_by_dose,
    ),
    Case(
        "initial values",
        {**PLAIN, "x_start": Parameter("log", 1e-2, 1e3, 9.0)},
        X,
        {"low": {"x": "0.5"}, "free": {"x": "x_start"}},
        (*grid(condition="low"), *grid(condition="free")),
        x_from,
    ),
    Case(
        "scales and what is not estimated",
        {
            "ksyn": Parameter("lin", 0.01, 20.0, 1.4, drawn=("normal", 2.0, 1.0)),
            "kdeg": Parameter("log", 1e-3, 1e2, 0.35, drawn=("parameterScaleNormal", 0.0, 1.0)),
            "factor": Parameter("lin", 0.0, 10.0, 2.5, estimate=False),
        },
        {
            "obs_x": ("factor*x", "0.2", "lin", "normal"),
            "obs_log": ("log10(x) + ln(factor)", "0.05", "lin", "normal"),
        },
        ONE,
        (*grid(), *grid("obs_log")),
        simple,
        y=lambda p, row, x: (
            p["factor"] * x if row.observable == "obs_x" else math.log10(x) + math.log(p["factor"])
        ),
        sd=lambda _p, row, _y: 0.2 if row.observable == "obs_x" else 0.05,
    ),
)


MOVED: Mapping[str, Callable[[float], float]] = {"lin": float, "log": math.log, "log10": math.log10}


def transformed(case: Case, observable: str, value: float) -> float:
    return MOVED[case.observables[observable][2]](value)


def measured(case: Case) -> list[float]:
    """Made-up measurements: the truth with noise of its own kind."""
    rng = np.random.default_rng(case.seed)
    truth = {name: one.true for name, one in case.parameters.items()}
    found = []
    for row in case.rows:
        y = case.y(truth, row, case.x(truth, row))
        sd = case.sd(truth, row, y)
        draw = rng.normal() if case.observables[row.observable][3] == "normal" else rng.laplace()
        at = transformed(case, row.observable, y) + sd * draw
        found.append({"lin": at, "log": math.exp(at), "log10": 10.0**at}[case.observables[row.observable][2]])
    return found


def minus_log_posterior(case: Case, values: Values, data: list[float]) -> float:
    """Written down anew: densities of the measurements, and priors that are not flat."""
    total = 0.0
    for row, m in zip(case.rows, data, strict=True):
        y = case.y(values, row, case.x(values, row))
        sd = case.sd(values, row, y)
        _, _, kind, distribution = case.observables[row.observable]
        away = (transformed(case, row.observable, y) - transformed(case, row.observable, m)) / sd
        total += {"lin": 0.0, "log": math.log(m), "log10": math.log(m * math.log(10.0))}[kind]
        total += (
            math.log(2 * sd) + abs(away)
            if distribution == "laplace"
            else (0.5 * math.log(2 * math.pi * sd**2) + 0.5 * away**2)
        )
    for name, one in case.parameters.items():
        if one.prior is not None:
            kind, first, second = one.prior
            x = values[name]
            at = {
                "normal": x,
                "logNormal": math.log(x) if x > 0 else math.nan,
                "parameterScaleNormal": math.log10(x) if x > 0 else math.nan,
            }[kind]
            total += 0.5 * ((at - first) / second) ** 2 + math.log(second * math.sqrt(2 * math.pi))
            total += math.log(x) if kind == "logNormal" else 0.0
    return total


def plain(one: Parameter, scaled: float) -> float:
    return (
        math.exp({"lin": 0.0, "log": 1.0, "log10": math.log(10.0)}[one.scale] * scaled)
        if one.scale != "lin"
        else scaled
    )


def scaled(one: Parameter, value: float) -> float:
    return MOVED[one.scale](value)


def best(case: Case, data: list[float]) -> tuple[float, dict[str, float]]:
    """The optimum, by simplices from the truth."""
    names = [name for name, one in case.parameters.items() if one.estimate]
    fixed = {name: one.true for name, one in case.parameters.items() if not one.estimate}

    def cost(z: np.ndarray) -> float:
        values = {name: plain(case.parameters[name], v) for name, v in zip(names, z, strict=True)}
        return minus_log_posterior(case, {**fixed, **values}, data)

    z = np.array([scaled(case.parameters[name], case.parameters[name].true) for name in names])
    for _ in range(4):
        found = minimize(
            cost,
            z,
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 20_000, "maxfev": 20_000},
        )
        z = found.x
    return float(found.fun), {name: plain(case.parameters[name], v) for name, v in zip(names, z, strict=True)}


def write(case: Case, folder: Path) -> Path:
    """The case as files of PEtab 1; returns the YAML file."""
    folder.mkdir(parents=True, exist_ok=True)
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(MODEL) >= 0, antimony.getLastError()
    (folder / "model.xml").write_text(antimony.getSBMLString("turnover"), encoding="utf-8")

    def table(name: str, header: list[str], rows: list[list[object]]) -> None:
        lines = ["\t".join(header), *("\t".join(map(str, row)) for row in rows)]
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def prior(one: tuple[str, float, float] | None) -> list[str]:
        return ["", ""] if one is None else [one[0], f"{one[1]};{one[2]}"]

    table(
        "parameters.tsv",
        [
            "parameterId",
            "parameterScale",
            "lowerBound",
            "upperBound",
            "nominalValue",
            "estimate",
            "objectivePriorType",
            "objectivePriorParameters",
            "initializationPriorType",
            "initializationPriorParameters",
        ],
        [
            [
                name,
                one.scale,
                one.low,
                one.high,
                one.true,
                int(one.estimate),
                *prior(one.prior),
                *prior(one.drawn),
            ]
            for name, one in case.parameters.items()
        ],
    )
    columns = list(dict.fromkeys(name for values in case.conditions.values() for name in values))
    table(
        "conditions.tsv",
        ["conditionId", *columns],
        [[name, *(values.get(column, "") for column in columns)] for name, values in case.conditions.items()],
    )
    table(
        "observables.tsv",
        [
            "observableId",
            "observableFormula",
            "noiseFormula",
            "observableTransformation",
            "noiseDistribution",
        ],
        [[name, *values] for name, values in case.observables.items()],
    )
    table(
        "measurements.tsv",
        [
            "observableId",
            "preequilibrationConditionId",
            "simulationConditionId",
            "time",
            "measurement",
            "observableParameters",
            "noiseParameters",
        ],
        [
            [
                row.observable,
                row.before,
                row.condition,
                row.time,
                repr(m),
                row.observable_fill,
                row.noise_fill,
            ]
            for row, m in zip(case.rows, measured(case), strict=True)
        ],
    )
    file = folder / "problem.yaml"
    file.write_text(PROBLEM, encoding="utf-8")
    return file
