"""Nothing is leapt over: windows, pulses and kinks in states that move, and in curves of time."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Settings, Status

ASKED = Settings().accuracy
TIMES = np.linspace(0.0, 200.0, 41)


def windows(starts, ends, rate, loss=0.05):
    """A quantity that enters at a rate within windows and is lost in proportion, at TIMES."""
    total = np.zeros(TIMES.size)
    for start, end in zip(starts, ends, strict=True):
        until = np.clip(TIMES, start, end)
        total += (
            rate
            / loss
            * (np.exp(-loss * (TIMES - until)) - np.exp(-loss * (TIMES - start)))
            * (start < TIMES)
        )
    return total


def decayed_to(value):
    return -np.log(value) / 0.01


def around_peaks(height, first):
    """Windows about the times first + 2 pi n in which a cosine is above a height."""
    middle = first + 2 * np.pi * np.arange(33)
    return np.maximum(middle - np.arccos(height), 0.0), middle + np.arccos(height)


DECAY, WAVE = "s=1; s'=-0.01*s;", "a=1; b=0; a'=-b; b'=a;"
CASES = {
    "between two values": (
        DECAY + "X=0; X'=piecewise(10, s<0.5 && s>0.4995, 0) - 0.05*X;",
        [decayed_to(0.5)],
        [decayed_to(0.4995)],
        10.0,
    ),
    "a hundredth of that": (
        DECAY + "X=0; X'=piecewise(1e5, s<0.5 && s>0.499995, 0) - 0.05*X;",
        [decayed_to(0.5)],
        [decayed_to(0.499995)],
        1e5,
    ),
    "about a value": (
        DECAY + "X=0; X'=piecewise(10, abs(s-0.5)<0.0005, 0) - 0.05*X;",
        [decayed_to(0.5005)],
        [decayed_to(0.4995)],
        10.0,
    ),
    "of an amount that rises as a line": (
        "species s=0; -> s; 1e-3; X=0; X'=piecewise(1e3, s>=0.1 && s<0.10002, 0) - 0.05*X;",
        [100.0],
        [100.02],
        1e3,
    ),
    "at the peaks of a wave": (
        WAVE + "X=0; X'=piecewise(1e3, a>0.9999, 0) - 0.05*X;",
        *around_peaks(0.9999, 0.0),
        1e3,
    ),
    "at the peaks of a sine of time": (
        "X=0; X'=piecewise(10, sin(time)>0.9999, 0) - 0.05*X;",
        *around_peaks(0.9999, np.pi / 2),
        10.0,
    ),
    "every tenth of a clock": (
        "C=3; C'=2; X=0; X'=piecewise(10, C-10*floor(C/10)<0.01, 0) - 0.05*X;",
        (10.0 * np.arange(1, 41) - 3.0) / 2.0,
        (10.0 * np.arange(1, 41) - 2.99) / 2.0,
        10.0,
    ),
    "at the peaks of a sine of a clock": (
        "C=0; C'=1; X=0; X'=piecewise(10, sin(C)>0.9999, 0) - 0.05*X;",
        *around_peaks(0.9999, np.pi / 2),
        10.0,
    ),
    "of a clock that an event sets back": (
        "C=0; C'=1; at C>=50: C=5; X=0; X'=piecewise(10, rem(C,10)<0.01, 0) - 0.05*X;",
        np.append(0.0, np.add.outer(45.0 * np.arange(5), [10.0, 20.0, 30.0, 40.0]).ravel()),
        np.append(0.0, np.add.outer(45.0 * np.arange(5), [10.0, 20.0, 30.0, 40.0]).ravel()) + 0.01,
        10.0,
    ),
    "of a period that an event shortens": (
        "tau=24; tau'=0; at time>=50: tau=12; X=0; X'=piecewise(10, rem(time,tau)<0.1, 0) - 0.05*X;",
        np.array([0.0, 24.0, 48.0, *np.arange(60.0, 200.0, 12.0)]),
        np.array([0.0, 24.0, 48.0, *np.arange(60.0, 200.0, 12.0)]) + 0.1,
        10.0,
    ),
    "about a time that an event sets": (
        "t0=1e9; t0'=0; at time>=10: t0=time+20; X=0; X'=piecewise(10, (time-t0)^2<1e-4, 0) - 0.05*X;",
        [29.99],
        [30.01],
        10.0,
    ),
    "at the peaks of a fast sine of time": (
        "X=0; X'=piecewise(10, sin(50*time)>0.999, 0) - 0.05*X;",
        (np.pi / 2 + 2 * np.pi * np.arange(1592) - np.arccos(0.999)) / 50,
        (np.pi / 2 + 2 * np.pi * np.arange(1592) + np.arccos(0.999)) / 50,
        10.0,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_windows_are_seen(name):
    text, starts, ends, rate = CASES[name]
    run = engine.verified(engine.compile(text), TIMES, outputs=["X"], patients=1)
    want = windows(starts, ends, rate)
    assert run.status[0] == Status.OK, run.reasons
    size = np.maximum(want, 1e-3 * want.max())
    assert np.max(np.abs(run["X"][0] - want) / size) <= 10 * ASKED


@pytest.mark.parametrize(
    "text",
    [
        DECAY + "E: at (s<0.5 && s>0.49999): F=F+1;",
        "species s=0; -> s; 1e-3; E: at (s>=0.07 && s<0.07002): F=F+1;",
    ],
)
def test_events_on_them_fire(text):
    run = engine.compile(f"F=0; F'=0; {text}").ensemble(patients=1).simulate(TIMES, outputs=["F"])
    assert run["F"][0, 0] == 0
    assert run["F"][0, -1] == 1


def test_an_event_at_the_very_peak_of_a_wave_fires_at_each():
    text = WAVE + "F=0; F'=0; E: at (a > 0.99999): F=F+1;"
    run = engine.compile(text).ensemble(patients=1).simulate(TIMES, outputs=["F"])
    assert run["F"][0, -1] == 31  # it holds at time 0 already


def test_pulses_of_a_state():
    """The pulse is half a thousandth of a period wide."""
    text = WAVE + "X=0; X'=1e3*exp(-((a-0.3)/1e-3)^2);"
    run = engine.compile(text).ensemble(patients=1).simulate([0.0, 200.0], outputs=["X"])
    # Through a = 0.3 at speed sqrt(1 - 0.09), 64 times in 200; sqrt(pi) 1e-3 / speed each time.
    want = 64 * 1e3 * np.sqrt(np.pi) * 1e-3 / np.sqrt(1 - 0.09)
    assert run["X"][0, -1] == pytest.approx(want, rel=1e-4)


@pytest.mark.parametrize(
    "rate", ["abs(sin(time))", "max(sin(time), -sin(time))", "sin(time)*piecewise(1, sin(time)>0, -1)"]
)
def test_kinks_of_a_curve_of_time(rate):
    """The sign was once read at the middle of steps that went on beyond the kink: 3 % off, in silence."""
    run = engine.compile(f"X=0; X'={rate};").ensemble(patients=1).simulate([0.0, 50 * np.pi], outputs=["X"])
    assert run["X"][0, -1] == pytest.approx(100.0, rel=10 * ASKED)


def test_whole_parts_of_a_curve_of_time():
    run = (
        engine.compile("X=0; X'=floor(2*sin(time));")
        .ensemble(patients=1)
        .simulate([0.0, 20 * np.pi], outputs=["X"])
    )
    # Of a period, 2/3 pi at 1 (above a half), -1 on the two twelfths and -2 on a third of it.
    want = 10 * (2 * np.pi / 3 - 2 * np.pi / 6 * 1 - 2 * 2 * np.pi / 3)
    assert run["X"][0, -1] == pytest.approx(want, rel=ASKED)


@pytest.mark.parametrize(
    "text", ["X=0; X'=piecewise(1, X<20, 0) - 0.01*X;", "X=0; X'=piecewise(1, X<20, -1);"]
)
def test_sliding_along_a_condition_gets_on(text):
    run = engine.compile(text).ensemble(patients=1).simulate([0.0, 100.0], outputs=["X"])
    assert run.status[0] == Status.OK
    assert run["X"][0, -1] == pytest.approx(20.0, abs=0.01)


def test_many_conditions_share_the_bits_of_a_word():
    terms = " + ".join(
        f"piecewise(1, s<{0.2 + 0.005 * i} && s>{0.2 + 0.005 * i - 1e-4}, 0)" for i in range(100)
    )
    run = (
        engine.compile(f"{DECAY} X=0; X'={terms};").ensemble(patients=1).simulate([0.0, 200.0], outputs=["X"])
    )
    tops = 0.2 + 0.005 * np.arange(100)
    want = np.sum(decayed_to(tops - 1e-4) - decayed_to(tops))
    assert run["X"][0, -1] == pytest.approx(want, rel=ASKED)


@pytest.mark.parametrize("settings", [Settings(), Settings.coarse(1e-6)])
def test_what_the_finer_control_watches_is_no_trigger_of_the_coarser(settings):
    # The bits of events outlive a run; what else a control watches may not stand among them.
    model = engine.compile(f"""
        {DECAY} x=0; due=24; limit=0.9; x'=piecewise(1, s<limit, 0);
        dose: at time>=due: x=x+1, due=due+24;
    """)
    limits = np.linspace(0.5, 1.5, 9)
    ensemble = model.ensemble({"limit": limits}, settings=settings)
    outcome = ensemble.advance(100.0)
    assert (outcome.status == Status.OK).all()
    assert outcome.steps.sum() < 9 * 2000
    entered = 100.0 - np.clip(-np.log(limits) / 0.01, 0.0, 100.0)
    np.testing.assert_allclose(ensemble["x"], entered + 4.0, rtol=1e-4)
