"""The bar that the engine's accuracy is held to: models as people write them, each with its truth.

A case has a closed form, or right-hand sides in plain Python whose solution
`python tests/engine/bar_models.py` computes with scipy (`method`) at a relative
tolerance of 1e-12 and writes to bar_references.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special

REFERENCES = Path(__file__).with_name("bar_references.json")


@dataclass(frozen=True)
class Case:
    """text: Antimony.   times: outputs.   truth: output name to values at times, or None where `rates` and
    `start` give the right-hand side of all `outputs`.
    """

    name: str
    text: str
    times: tuple[float, ...]
    truth: Callable[[np.ndarray], dict[str, np.ndarray]] | None = None
    outputs: tuple[str, ...] = ()
    rates: Callable[[float, np.ndarray], list[float]] | None = None
    start: tuple[float, ...] = ()
    method: str = "Radau"


def pulse(t, start, width, rate, k):
    """Amount of a rate between start and start + width, lost with k."""
    inside = np.clip(t - start, 0.0, width)
    return rate / k * -np.expm1(-k * inside) * np.exp(-k * np.maximum(t - start - width, 0.0))


def pulses(t, starts, width, rate, k):
    return sum(pulse(t, start, width, rate, k) for start in starts)


def gaussian(t, centre, width):
    half = np.sqrt(np.pi) * width / 2
    return half * (special.erf((t - centre) / width) + special.erf(centre / width))


def bateman(t, k, ka):
    return ka / (ka - k) * (np.exp(-k * t) - np.exp(-ka * t))


def circadian(t, k, w):
    """x' = 1 + sin(w t) - k x from 0."""
    c = w / (k * k + w * w)
    return (
        -np.expm1(-k * t) / k + (k * np.sin(w * t) - w * np.cos(w * t)) / (k * k + w * w) + c * np.exp(-k * t)
    )


DAYS = tuple(24.0 * d for d in range(11))
WINDOW = "X=0; X' = piecewise({rate}, {when}, 0) - {k}*X;\n"


def window(name, when, starts, width, *, rate=10.0, k=0.1, times=DAYS):
    text = WINDOW.format(rate=rate, when=when, k=k)
    return Case(name, text, times, lambda t: {"X": pulses(t, starts, width, rate, k)})


WINDOWS = [
    window("window between two times", "(time>=10) && (time<10.25)", [10], 0.25, rate=40, k=0.05),
    window("window of shifted times", "(time-50)>0 && (time-50)<0.5", [50], 0.5),
    window("window of scaled time", "time/24>=2 && 2*time<100", [48], 2),
    window("window by floor", "(time-24*floor(time/24))<0.25", DAYS[:-1], 0.25),
    window("window by rem", "rem(time,24)<0.25", DAYS[:-1], 0.25),
    window("window by rem, late in the day", "rem(time,24)>=23.5", [24.0 * d + 23.5 for d in range(10)], 0.5),
    window("window by abs", "abs(time-50)<0.125", [49.875], 0.25),
    window("window by min and max", "min(time,80)>50 && max(time,50.5)<=50.5", [50], 0.5),
    window("window of a minute after weeks", "time>500 && time<500.016", [500], 0.016, times=(0, 400, 600)),
    window("window by a sine", "sin(2*pi*time/24)>0.5", [24.0 * d + 2 for d in range(10)], 8),
    window("two windows", "(time>1 && time<2) || (time>=100 && time<101)", [1, 100], 1),
    window("window of an or-less piecewise", "ceil(time/12)==3", [24], 12),
    Case(
        "pulse on a steady state",
        "X=1; X' = 0.05 + piecewise(40, (time>=300) && (time<300.25), 0) - 0.05*X;\n",
        (0.0, 300.0, 350.0, 400.0),
        lambda t: {"X": 1 + pulse(t, 300, 0.25, 40, 0.05)},
    ),
    Case(
        "gaussian pulse",
        "X=1; X' = 100*exp(-((time-50)/0.01)^2);\n",
        (0.0, 49.0, 51.0, 100.0),
        lambda t: {"X": 1 + 100 * gaussian(t, 50, 0.01)},
    ),
    Case(
        "steep switch by tanh",
        "X=0; X' = (1 + tanh((time-50)/0.01))/2;\n",
        (0.0, 60.0, 100.0),
        lambda t: {"X": np.maximum(t - 50, 0)},
    ),
    Case(
        "kink by abs",
        "X=1; X' = abs(time-5);\n",
        (0.0, 3.0, 5.0, 10.0),
        lambda t: {"X": 1 + 12.5 + np.sign(t - 5) * (t - 5) ** 2 / 2},
    ),
    Case(
        "event on a window of seconds",
        "X=0; X'=0; at (time-50)>0 && (time-50)<0.001: X=X+1;\n",
        (0.0, 49.0, 51.0, 100.0),
        lambda t: {"X": (t > 50).astype(float)},
    ),
    Case(
        "event every day",
        "X=0; X'=-0.1*X; at rem(time,24)<0.01: X=X+1;\n",
        tuple(12.0 + 24.0 * d for d in range(5)),
        lambda t: {
            "X": np.array([sum(np.exp(-0.1 * (x - 24 * d)) for d in range(1, 5) if 24 * d < x) for x in t])
        },
    ),
    Case(
        "infusion moved by an event",
        "X=0; n=5; n'=0; X'=piecewise(10, time>=n-1 && time<n-0.9, 0); at time>=n: n=n+10;\n",
        (0.0, 20.0, 50.0, 100.0),
        lambda t: {"X": np.floor((t + 6) / 10)},
    ),
]

CLOSED = [
    Case(
        "decay", "species X=100; X->; 0.3*X;\n", (0.0, 10.0, 100.0), lambda t: {"X": 100 * np.exp(-0.3 * t)}
    ),
    Case(
        "one compartment by mouth",
        "species gut=100, X=0; gut->X; 1.2*gut; X->; 0.1*X;\n",
        (0.0, 1.0, 10.0, 100.0),
        lambda t: {"gut": 100 * np.exp(-1.2 * t), "X": 100 * bateman(t, 0.1, 1.2)},
    ),
    Case(
        "two compartments",
        "species X=100, Y=0; X->Y; 0.5*X; Y->X; 0.25*Y; X->; 0.2*X;\n",
        (0.0, 1.0, 10.0, 100.0),
        lambda t: {"X": np.array([_two_compartments(x) for x in t])},
    ),
    Case(
        "logistic growth from one cell",
        "N=1; N' = 0.5*N*(1-N/1e12);\n",
        (0.0, 30.0, 60.0, 120.0),
        lambda t: {"N": 1e12 / (1 + (1e12 - 1) * np.exp(-0.5 * t))},
    ),
    Case(
        "Gompertz growth",
        "N=1; N' = 0.1*N*ln(1e9/N);\n",
        (0.0, 10.0, 100.0),
        lambda t: {"N": 1e9 * np.exp(np.log(1e-9) * np.exp(-0.1 * t))},
    ),
    *(
        Case(
            f"killed by {logs} logs, then regrowing",
            f"N=1e12; N' = piecewise(-{logs * np.log(10) / 24}, time<24, 0.75)*N;\n",
            (0.0, 12.0, 24.0, 44.0),
            lambda t, logs=logs: {
                "N": 1e12 * 10.0 ** (-logs * np.minimum(t, 24) / 24) * np.exp(0.75 * np.maximum(t - 24, 0))
            },
        )
        for logs in (3, 5, 8, 14)
    ),
    Case(
        "swings over twenty logs",
        "N=1; N' = 6*cos(time/4)*N;\n",
        tuple(np.arange(0.0, 61.0, 5.0)),
        lambda t: {"N": np.exp(24 * np.sin(t / 4))},
    ),
    Case(
        "a cell's volume in litres",
        "compartment V=1e-16; species A in V=1e-6, B in V=0; A->B; 3*A*V; B->; B*V;\n",
        (0.0, 1.0, 5.0),
        lambda t: {"A": 1e-6 * np.exp(-3 * t), "B": 1e-6 * bateman(t, 1, 3)},
    ),
    Case(
        "amounts of 1e-24",
        "A=1e-24; B=0; A'=-2*A; B'=2*A-0.5*B;\n",
        (0.0, 1.0, 5.0),
        lambda t: {"A": 1e-24 * np.exp(-2 * t), "B": 1e-24 * bateman(t, 0.5, 2)},
    ),
    Case("amounts of 1e20", "A=1e20; A'=-1e-20*A*A;\n", (0.0, 1.0, 9.0), lambda t: {"A": 1e20 / (1 + t)}),
    Case(
        "harmonic oscillator",
        "x=0; y=1; x'=y; y'=-x;\n",
        tuple(np.arange(0.0, 32.0, 3.0)),
        lambda t: {"x": np.sin(t), "y": np.cos(t)},
    ),
    Case(
        "damped oscillator",
        "x=1; y=0; x'=y; y'=-1.01*x-0.2*y;\n",
        (0.0, 1.0, 10.0, 30.0),
        lambda t: {"x": np.exp(-0.1 * t) * (np.cos(t) + 0.1 * np.sin(t))},
    ),
    Case(
        "Michaelis and Menten",
        "S=10; S'=-2*S/(1+S);\n",
        (0.0, 1.0, 5.0, 10.0),
        lambda t: {"S": special.lambertw(10 * np.exp(10 - 2 * t)).real},
    ),
    Case(
        "rates of 1e6 and 1e-3",
        "species A=1, B=0, C=0; A->B; 1e6*A; B->C; 1e-3*B;\n",
        (0.0, 1.0, 1000.0),
        lambda t: {"B": bateman(t, 1e-3, 1e6)},
    ),
    Case(
        "Prothero and Robinson",
        "y=1; y'=-1e6*(y-cos(time))-sin(time);\n",
        (0.0, 1.0, 5.0, 20.0),
        lambda t: {"y": np.cos(t)},
    ),
    Case(
        "fourteen transit compartments",
        "species a0=1"
        + "".join(f", a{i}=0" for i in range(1, 15))
        + ";\n"
        + "".join(f"a{i}->a{i + 1}; 3*a{i};\n" for i in range(14)),
        (0.5, 1.0, 5.0, 10.0),
        lambda t: {
            "a13": (3 * t) ** 13 / special.factorial(13) * np.exp(-3 * t),
            "a14": special.gammainc(14, 3 * t),
        },
    ),
    Case(
        "a day's rhythm",
        "x=0; x'=1+sin(2*pi*time/24)-0.3*x;\n",
        tuple(np.arange(0.0, 241.0, 20.0)),
        lambda t: {"x": circadian(t, 0.3, 2 * np.pi / 24)},
    ),
    Case(
        "enzyme that wears out",
        "X=1; X'=-exp(-time/10)*X;\n",
        (0.0, 10.0, 100.0),
        lambda t: {"X": np.exp(-10 * -np.expm1(-t / 10))},
    ),
    Case("growth to a pole", "y=1; y'=y*y;\n", (0.0, 0.5, 0.99), lambda t: {"y": 1 / (1 - t)}),
    Case(
        "net flux that cancels",
        "species A=0.1, B=0.3, C=0; A->C; 3*A-B; C->; C;\n",
        (0.0, 1.0, 60.0),
        lambda t: {"A": np.full(t.size, 0.1)},
    ),
]


def _two_compartments(t):
    total, product = 0.95, 0.05
    fast = (total + np.sqrt(total**2 - 4 * product)) / 2
    slow = total - fast
    return 100 * ((fast - 0.25) * np.exp(-fast * t) + (0.25 - slow) * np.exp(-slow * t)) / (fast - slow)


def _case(name, outputs, start, rules, times, rates, *, method="Radau"):
    """A case by rate rules; `rates` is the same in Python."""
    text = "".join(f"{n}={v!r}; {n}'={rule};\n" for n, v, rule in zip(outputs, start, rules, strict=True))
    return Case(name, text, times, None, outputs, rates, start, method)


def _mass_action(name, count, start, reactions, times):
    """reactions: (rate constant, reactants, products), species by number from 1."""
    names = tuple(f"y{i + 1}" for i in range(count))
    initial = tuple(float(start.get(i + 1, 0.0)) for i in range(count))
    lines = ["species " + ", ".join(f"{n}={v!r}" for n, v in zip(names, initial, strict=True)) + ";"]
    for k, used, made in reactions:
        left, right = (" + ".join(f"y{i}" for i in side) for side in (used, made))
        lines.append(f"{left} -> {right}; {k!r}*" + "*".join(f"y{i}" for i in used) + ";")

    def rates(_, y):
        change = np.zeros(count)
        for k, used, made in reactions:
            v = k * np.prod([y[i - 1] for i in used])
            for i in used:
                change[i - 1] -= v
            for i in made:
                change[i - 1] += v
        return change

    return Case(name, "\n".join(lines) + "\n", times, None, names, rates, initial, "LSODA")


# Verwer 1994, doi 10.1137/0915076: chemistry of air pollution.
POLLUTION = [
    (0.35, [1], [2, 3]),
    (26.6, [2, 4], [1, 5]),
    (1.23e4, [5, 2], [1]),
    (8.6e-4, [7], [6]),
    (8.2e-4, [7], [6]),
    (1.5e4, [7, 6], [8]),
    (1.3e-4, [9], [10, 6]),
    (2.4e4, [9, 6], []),
    (1.65e4, [11, 2], [10, 1]),
    (9.0e3, [11, 1], [13]),
    (0.022, [13], [11, 1]),
    (1.2e4, [10, 2], [12, 1]),
    (1.88, [14], [15]),
    (1.63e4, [1, 6], [15]),
    (4.8e6, [3], [4]),
    (3.5e-4, [4], [16]),
    (0.0175, [4], [3]),
    (1e8, [16], [6, 6]),
    (4.44e11, [16], [3]),
    (1240.0, [17, 6], [18]),
    (2.1, [19], [20]),
    (5.78, [19], [1, 2]),
    (0.0474, [1, 4], [19]),
    (1780.0, [19, 1], [20]),
    (3.12, [20], [19]),
]


def _van_der_pol(mu):
    return lambda _, y: [y[1], mu * ((1 - y[0] ** 2) * y[1]) - y[0]]


def _hires(_, y):
    return [
        -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007,
        1.71 * y[0] - 8.75 * y[1],
        -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4],
        8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3],
        -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6],
        -280 * y[5] * y[7] + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6],
        280 * y[5] * y[7] - 1.81 * y[6],
        -280 * y[5] * y[7] + 1.81 * y[6],
    ]


HIRES = (
    "-1.71*a+0.43*b+8.32*c+0.0007",
    "1.71*a-8.75*b",
    "-10.03*c+0.43*d+0.035*e",
    "8.32*b+1.71*c-1.12*d",
    "-1.745*e+0.43*f+0.43*g",
    "-280*f*h+0.69*d+1.71*e-0.43*f+0.69*g",
    "280*f*h-1.81*g",
    "-280*f*h+1.81*g",
)


def _repressilator(_, y):
    m, p = y[:3], y[3:]
    return [
        *(216 / (1 + p[(i + 2) % 3] ** 2) - m[i] + 0.2 for i in range(3)),
        *(0.2 * (m[i] - p[i]) for i in range(3)),
    ]


def _friberg(_, y):
    k, feedback = 0.032, (5.0 / y[4]) ** 0.17
    effect = 0.05 * y[5]
    chain = [k * (y[i] - y[i + 1]) for i in range(4)]
    return [k * y[0] * ((1 - effect) * feedback - 1), *chain, -0.1 * y[5]]


# Of single species and reactions: the names of the field.
PYTHON = [
    _case(
        "Robertson",
        ("a", "b", "c"),
        (1.0, 0.0, 0.0),
        ("-0.04*a+1e4*b*c", "0.04*a-1e4*b*c-3e7*b*b", "3e7*b*b"),
        (0.4, 40.0, 4000.0, 4e5),
        lambda _, y: [
            -0.04 * y[0] + 1e4 * y[1] * y[2],
            0.04 * y[0] - 1e4 * y[1] * y[2] - 3e7 * y[1] ** 2,
            3e7 * y[1] ** 2,
        ],
    ),
    _case(
        "van der Pol, 1e3",
        ("x", "y"),
        (2.0, 0.0),
        ("y", "1e3*((1-x^2)*y)-x"),
        (1.0, 400.0, 1000.0, 2000.0),
        _van_der_pol(1e3),
    ),
    _case(
        "van der Pol, 1e6",
        ("x", "y"),
        (2.0, 0.0),
        ("y", "((1-x^2)*y-x)/1e-6"),
        (0.5, 1.0, 1.5, 2.0),
        lambda _, y: [y[1], ((1 - y[0] ** 2) * y[1] - y[0]) / 1e-6],
    ),
    _case(
        "van der Pol, 1",
        ("x", "y"),
        (2.0, 0.0),
        ("y", "(1-x^2)*y-x"),
        (1.0, 5.0, 20.0),
        _van_der_pol(1.0),
        method="DOP853",
    ),
    _case(
        "Oregonator",
        ("a", "b", "c"),
        (1.0, 2.0, 3.0),
        ("77.27*(b+a*(1-8.375e-6*a-b))", "(c-(1+a)*b)/77.27", "0.161*(a-c)"),
        (10.0, 100.0, 300.0, 360.0),
        lambda _, y: [
            77.27 * (y[1] + y[0] * (1 - 8.375e-6 * y[0] - y[1])),
            (y[2] - (1 + y[0]) * y[1]) / 77.27,
            0.161 * (y[0] - y[2]),
        ],
    ),
    _case(
        "HIRES",
        tuple("abcdefgh"),
        (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057),
        HIRES,
        (1.0, 100.0, 321.8122),
        _hires,
    ),
    _mass_action(
        "Pollution", 20, {2: 0.2, 4: 0.04, 7: 0.1, 8: 0.3, 9: 0.01, 17: 0.007}, POLLUTION, (1.0, 30.0, 60.0)
    ),
    _case(
        "E5",
        ("a", "b", "c", "d"),
        (1.76e-3, 0.0, 0.0, 0.0),
        (
            "-7.89e-10*a-1.1e7*a*c",
            "7.89e-10*a-1.13e9*b*c",
            "7.89e-10*a-1.1e7*a*c+1.13e3*d-1.13e9*b*c",
            "1.1e7*a*c-1.13e3*d",
        ),
        (10.0, 1e3, 1e5),
        lambda _, y: [
            -7.89e-10 * y[0] - 1.1e7 * y[0] * y[2],
            7.89e-10 * y[0] - 1.13e9 * y[1] * y[2],
            7.89e-10 * y[0] - 1.1e7 * y[0] * y[2] + 1.13e3 * y[3] - 1.13e9 * y[1] * y[2],
            1.1e7 * y[0] * y[2] - 1.13e3 * y[3],
        ],
        method="LSODA",
    ),
    _case(
        "Brusselator",
        ("x", "y"),
        (1.5, 3.0),
        ("1+x^2*y-4*x", "3*x-x^2*y"),
        (1.0, 10.0, 30.0),
        lambda _, y: [1 + y[0] ** 2 * y[1] - 4 * y[0], 3 * y[0] - y[0] ** 2 * y[1]],
        method="DOP853",
    ),
    _case(
        "Lotka and Volterra",
        ("x", "y"),
        (10.0, 5.0),
        ("1.1*x-0.4*x*y", "0.1*x*y-0.4*y"),
        (1.0, 10.0, 50.0, 100.0),
        lambda _, y: [1.1 * y[0] - 0.4 * y[0] * y[1], 0.1 * y[0] * y[1] - 0.4 * y[1]],
        method="DOP853",
    ),
    _case(
        "FitzHugh and Nagumo",
        ("v", "w"),
        (-1.0, 1.0),
        ("v-v^3/3-w+0.5", "0.08*(v+0.7-0.8*w)"),
        (10.0, 50.0, 200.0),
        lambda _, y: [y[0] - y[0] ** 3 / 3 - y[1] + 0.5, 0.08 * (y[0] + 0.7 - 0.8 * y[1])],
        method="DOP853",
    ),
    _case(
        "an epidemic from one case in 1e8",
        ("s", "i", "r"),
        (1.0, 1e-8, 0.0),
        ("-0.5*s*i", "0.5*s*i-0.2*i", "0.2*i"),
        (20.0, 60.0, 100.0, 200.0),
        lambda _, y: [-0.5 * y[0] * y[1], 0.5 * y[0] * y[1] - 0.2 * y[1], 0.2 * y[1]],
        method="DOP853",
    ),
    _case(
        "virus under a drug that wears off",
        ("t", "i", "v", "c"),
        (1e8, 1e3, 1e5, 50.0),
        ("1e6-0.01*t-1e-9*t*v", "1e-9*t*v-0.7*i", "2000*i/(1+c)-13*v", "-0.05*c"),
        (1.0, 20.0, 60.0, 150.0),
        lambda _, y: [
            1e6 - 0.01 * y[0] - 1e-9 * y[0] * y[2],
            1e-9 * y[0] * y[2] - 0.7 * y[1],
            2000 * y[1] / (1 + y[3]) - 13 * y[2],
            -0.05 * y[3],
        ],
        method="DOP853",
    ),
    _case(
        "bacteria under a drug that wears off",
        ("n", "c"),
        (1e9, 20.0),
        ("(1-6*c^2/(c^2+1))*n*(1-n/1e10)", "-0.2*c"),
        (5.0, 12.0, 30.0, 60.0),
        lambda _, y: [(1 - 6 * y[1] ** 2 / (y[1] ** 2 + 1)) * y[0] * (1 - y[0] / 1e10), -0.2 * y[1]],
        method="DOP853",
    ),
    _case(
        "binding to a target",
        ("c", "r", "p"),
        (100.0, 10.0, 0.0),
        ("-0.1*c-2*c*r+0.02*p", "1-0.1*r-2*c*r+0.02*p", "2*c*r-0.02*p-0.3*p"),
        (0.1, 10.0, 50.0, 100.0),
        lambda _, y: [
            -0.1 * y[0] - 2 * y[0] * y[1] + 0.02 * y[2],
            1 - 0.1 * y[1] - 2 * y[0] * y[1] + 0.02 * y[2],
            2 * y[0] * y[1] - 0.02 * y[2] - 0.3 * y[2],
        ],
        method="DOP853",
    ),
    _case(
        "neutrophils under chemotherapy",
        ("s", "a", "b", "c", "n", "d"),
        (5.0, 5.0, 5.0, 5.0, 5.0, 10.0),
        (
            "0.032*s*((1-0.05*d)*(5/n)^0.17-1)",
            "0.032*(s-a)",
            "0.032*(a-b)",
            "0.032*(b-c)",
            "0.032*(c-n)",
            "-0.1*d",
        ),
        (24.0, 168.0, 504.0),
        _friberg,
        method="DOP853",
    ),
    _case(
        "repressilator",
        ("m1", "m2", "m3", "p1", "p2", "p3"),
        (0.0, 0.0, 0.0, 5.0, 0.0, 15.0),
        (
            "216/(1+p3^2)-m1+0.2",
            "216/(1+p1^2)-m2+0.2",
            "216/(1+p2^2)-m3+0.2",
            "0.2*(m1-p1)",
            "0.2*(m2-p2)",
            "0.2*(m3-p3)",
        ),
        (10.0, 50.0, 100.0),
        _repressilator,
        method="DOP853",
    ),
]

CASES = [*WINDOWS, *CLOSED, *PYTHON]


def truth_of(case):
    """Output name to values at the times of a case."""
    if case.truth is not None:
        return {
            name: np.asarray(values, dtype=float) for name, values in case.truth(np.array(case.times)).items()
        }
    stored = json.loads(REFERENCES.read_text(encoding="utf-8"))[case.name]
    return {name: np.array(values) for name, values in stored.items()}


def main():
    """Compute the references at a relative tolerance of 1e-12, and print how far 1e-9 is from that."""
    from scipy.integrate import solve_ivp

    found = json.loads(REFERENCES.read_text(encoding="utf-8")) if REFERENCES.exists() else {}
    for case in PYTHON:
        if case.name in found:
            continue
        runs = []
        for rtol in (1e-9, 1e-12):
            done = solve_ivp(
                case.rates,
                (0.0, case.times[-1]),
                case.start,
                method=case.method,
                t_eval=case.times,
                rtol=rtol,
                atol=1e-30,
            )
            assert done.success, case.name
            runs.append(done.y)
        size = np.maximum(np.abs(runs[1]), 1e-3 * np.abs(runs[1]).max(axis=1, keepdims=True))
        print(f"{case.name}: {np.max(np.abs(runs[0] - runs[1]) / np.maximum(size, 1e-300)):.1e}", flush=True)
        found[case.name] = dict(zip(case.outputs, runs[1].tolist(), strict=True))
        REFERENCES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
