"""Doses as they are typed: `--dose gut=4000@0,every=24,more=20,lag=0.5`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from glueprint import engine
from glueprint.cli.model_options import MOST_AVAILABLE, number
from glueprint.errors import InputError, nearest

__all__ = ["doses"]

# What may follow species=amount@time; steady stands alone.
WORDS = ("over", "rate", "lag", "bioavailability", "every", "more", "steady")


@dataclass(frozen=True)
class _Typed:
    """One --dose in the unit of time of the command."""

    text: str
    target: str
    amount: float
    time: float
    over: float = 0.0
    rate: float = 0.0
    lag: float = 0.0
    bioavailability: float = 1.0
    every: float = 0.0
    more: float = 0.0
    steady: float = 0.0


def doses(
    texts: Sequence[str] | None, model: engine.Model, until: float, scale: float
) -> engine.Doses | None:
    """`species=amount@time` texts, each a dose or a regimen.

    until: end of the run, in the unit of the texts.   scale: that unit in the model's own.
    Raises InputError GP-N015 (no such species), GP-N017 (outside the run), GP-N034 (not of that form),
    GP-N035 (negative), GP-N061 (words after it that do not fit).
    """
    if not texts:
        return None
    typed = [_dose(text, model, until) for text in texts]
    steady = [one for one in typed if one.steady]
    if len(steady) > 1:
        raise _unfit(steady[1], "a second steady state, which would undo the first", "one steady at most")
    # The steady state comes first, since it takes the patient there before anything else is given.
    typed.sort(key=lambda one: not one.steady)
    return engine.Doses.regimen(
        [0] * len(typed),
        [scale * one.time for one in typed],
        [one.target for one in typed],
        [one.amount for one in typed],
        rate=[one.rate / scale for one in typed],
        duration_h=[scale * one.over for one in typed],
        lag_h=[scale * one.lag for one in typed],
        bioavailability=[one.bioavailability for one in typed],
        additional=[one.more for one in typed],
        interval_h=[scale * one.every for one in typed],
        steady=[int(one.steady) for one in typed],
    )


def _dose(text: str, model: engine.Model, until: float) -> _Typed:
    head, at, rest = text.rpartition("@")
    target, sign, given = head.partition("=")
    moment, *words = rest.split(",")
    amount, time = number(given), number(moment)
    formed = all("=" in word or word.strip() == "steady" for word in words)
    if not (at and sign and target.strip() and formed) or amount is None or time is None:
        raise _unusable(
            "GP-N034",
            f'"{text}" is not species=amount@time',
            "for example gut=4@0, or gut=4@0,every=24,more=20",
        )
    target = target.strip()
    states = engine.dosable(model)
    if target not in states:
        raise _unusable(
            "GP-N015",
            f'"{text}": "{target}" cannot be dosed{nearest(target, states)}',
            "a species that the model's reactions or rate rules change",
        )
    if amount < 0:
        raise _unusable("GP-N035", f'"{text}" takes away what a dose adds', "an amount of 0 or more")
    if not 0 <= time < until:
        raise _unusable(
            "GP-N017",
            f'"{text}" lies outside the run, which goes from 0 to {until:g}',
            "a time from 0 up to, but not at, --until",
        )
    dose = _Typed(text, target, amount, time, **_words(text, words))
    _check(dose, until)
    return dose


def _words(text: str, words: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for word in words:
        name, _, given = (part.strip() for part in word.partition("="))
        value = 1.0 if word.strip() == "steady" else number(given)
        if name not in WORDS or name in found or value is None or (name == "steady" and given):
            raise _unusable(
                "GP-N061",
                f'"{text}": "{word.strip()}"{nearest(name, WORDS)}',
                f"{', '.join(f'{one}=number' for one in WORDS[:-1])} or steady, each once",
            )
        found[name] = value
    return found


def _check(dose: _Typed, until: float) -> None:
    least = min(dose.over, dose.rate, dose.lag, dose.bioavailability, dose.every, dose.more)
    if least < 0 or dose.more != int(dose.more):
        raise _unfit(dose, "a negative number, or a part of a dose", "numbers from 0 on, and whole more=")
    if dose.bioavailability > MOST_AVAILABLE:
        raise _unfit(dose, f"a bioavailability of {dose.bioavailability:g}", "a share: 0.5 for 50 per cent")
    if dose.over and dose.rate:
        raise _unfit(dose, "both over= and rate=", "one of the two")
    if (dose.more or dose.steady) and not dose.every:
        raise _unfit(dose, "repeated without every=", "the interval of repeated doses")
    if dose.every and not (dose.more or dose.steady):
        raise _unfit(dose, "every= without more= or steady", "how many more doses there are")
    if dose.steady and dose.time:
        raise _unfit(dose, "a steady state after the start", "steady at time 0")
    if dose.steady and dose.lag >= dose.every:
        raise _unfit(dose, "a lag as long as the interval of a steady state", "a shorter lag")
    if dose.time + dose.more * dose.every >= until:
        fits = math.ceil((until - dose.time) / dose.every)
        raise _unusable(
            "GP-N017",
            f'"{dose.text}": dose {fits + 1} of {int(dose.more) + 1} lies outside the run, which goes from 0 '
            f"to {until:g}",
            f"at most more={fits - 1}, or a later --until",
        )


def _unfit(dose: _Typed, what: str, expected: str) -> InputError:
    return _unusable("GP-N061", f'"{dose.text}": {what}', expected)


def _unusable(code: str, message: str, expected: str) -> InputError:
    return InputError(
        code, message, where="--dose", expected=expected, next_step="correct the dose, or the end of the run"
    )
