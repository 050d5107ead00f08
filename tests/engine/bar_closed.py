"""Models of the bar with closed forms: windows of time, deep falls, small and large units, linear systems."""

from __future__ import annotations

import numpy as np
from bar_case import Case
from scipy import special

__all__ = ["CLOSED", "WINDOWS"]


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


def _two_compartments(t):
    total, product = 0.95, 0.05
    fast = (total + np.sqrt(total**2 - 4 * product)) / 2
    slow = total - fast
    return 100 * ((fast - 0.25) * np.exp(-fast * t) + (0.25 - slow) * np.exp(-slow * t)) / (fast - slow)


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
    Case(
        "window of a clock that an event sets back",
        "tad=0; tad'=1; X=0; X'=piecewise(10, tad>12 && tad<12.02, 0)-0.1*X; at tad>=24: tad=0;\n",
        DAYS,
        lambda t: {"X": pulses(t, [24.0 * d + 12 for d in range(10)], 0.02, 10, 0.1)},
    ),
    Case(
        "window by abs of a clock in minutes",
        "m=0; m'=60; X=0; X'=piecewise(10, abs(m-720)<=1, 0)-0.1*X;\n",
        (0.0, 11.0, 13.0, 30.0),
        lambda t: {"X": pulse(t, 12 - 1 / 60, 1 / 30, 10, 0.1)},
    ),
    Case(
        "event on a window of a clock",
        "tad=0; tad'=1; X=0; X'=-0.1*X; at tad>=24: tad=0; at tad>12 && tad<12.02: X=X+2;\n",
        DAYS,
        lambda t: {"X": np.array([sum(2 * np.exp(-0.1 * (x - c)) for c in np.arange(12, x, 24)) for x in t])},
    ),
    Case(
        "pulses of seconds, as von Mises has them",
        "X=1; X' = 100*exp(1e6*(cos(2*pi*(time-12)/24)-1));\n",
        (0.0, 24.0, 48.0, 72.0, 240.0),
        lambda t: {"X": 1 + 2400 * special.ive(0, 1e6) * np.floor((t + 12) / 24)},
    ),
    Case(
        "pulses of a sine to a high power",
        "X=1; X' = 100*sin(pi*time/24)^20000;\n",
        (0.0, 24.0, 48.0, 72.0, 240.0),
        lambda t: {
            "X": 1
            + 2400 / np.sqrt(np.pi) * np.exp(special.gammaln(10000.5) - special.gammaln(10001)) * (t // 24)
        },
    ),
    Case(
        "steep switch twice a day",
        "X=1; X' = (1 + tanh(1e5*sin(2*pi*time/24)))/2;\n",
        (0.0, 30.0, 42.0, 54.0, 240.0),
        lambda t: {"X": 1 + 12 * (t // 24) + np.minimum(t % 24, 12)},
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
