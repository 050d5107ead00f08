"""Models of the bar without a closed form: oscillators, stiff classics, models of the clinic.

Each is written twice, for the engine and as right-hand sides in Python.
"""

from __future__ import annotations

import math

import numpy as np
from bar_case import Case

__all__ = ["NUMERIC"]


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


# Mazzia and Magherini 2008, test set for initial value problems: the ring modulator, a circuit with diodes.
# Its states rise from 0, some as differences of others, so that what is below 1e-15 is made of rounding.
DIODE, SHARP = 40.67286402e-9, 17.7493332
RING = (
    "(y8-0.5*y10+0.5*y11+y14-y1/25e3)/1.6e-8",
    "(y9-0.5*y12+0.5*y13+y15-y2/25e3)/1.6e-8",
    "(y10-a+d)/2e-12",
    "(-y11+b-c)/2e-12",
    "(y12+a-c)/2e-12",
    "(-y13-b+d)/2e-12",
    "(-y7/50+a+b-c-d)/1e-8",
    "-y1/4.45",
    "-y2/4.45",
    "(0.5*y1-y3-17.3*y10)/5e-4",
    "(-0.5*y1+y4-17.3*y11)/5e-4",
    "(0.5*y2-y5-17.3*y12)/5e-4",
    "(-0.5*y2+y6-17.3*y13)/5e-4",
    "(-y1+u-86.3*y14)/2e-3",
    "(-y2-636.3*y15)/2e-3",
)
VOLTAGES = {"a": "y3-y5-y7-v", "b": "-y4+y6-y7-v", "c": "y4+y5+y7+v", "d": "-y3-y6+y7+v"}


def _ring_modulator():
    names = tuple(f"y{i + 1}" for i in range(15))
    text = "u := 0.5*sin(2000*pi*time); v := 2*sin(20000*pi*time);\n"
    text += "".join(f"{q} := {DIODE!r}*(exp({SHARP!r}*({x}))-1);\n" for q, x in VOLTAGES.items())
    text += "".join(f"{n}=0; {n}'={rule};\n" for n, rule in zip(names, RING, strict=True))
    rules = [compile(rule, "ring", "eval") for rule in RING]
    voltages = {q: compile(x, "ring", "eval") for q, x in VOLTAGES.items()}

    def rates(t, y):
        known = dict(zip(names, map(float, y), strict=True))
        known |= {"u": 0.5 * math.sin(2000 * math.pi * t), "v": 2 * math.sin(20000 * math.pi * t)}
        known |= {q: DIODE * (math.exp(SHARP * eval(x, {}, known)) - 1) for q, x in voltages.items()}
        return [eval(rule, {}, known) for rule in rules]

    return Case("ring modulator", text, (1e-5, 1e-4), None, names, rates, (0.0,) * 15, "LSODA", 1e-15)


# Of single species and reactions: the names of the field.
NUMERIC = [
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
    _ring_modulator(),
]
