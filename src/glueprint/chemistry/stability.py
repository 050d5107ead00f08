"""Racemisation and hydrolysis of the glutarimides: a kernel of first-order kinetics, and its rate constants.

The kernel knows arrays only; the rate constants come from evidence rows, or say `assumed` and why.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint import evidence
from glueprint.errors import InputError, nearest
from glueprint.units import convert

__all__ = ["STEPS", "Constant", "Rates", "available", "course", "enantiomers", "rates", "table"]

STEPS = ("s_to_r", "r_to_s", "s_loss", "r_loss")


@dataclass(frozen=True)
class Constant:
    """One rate constant in 1/h; role "input" comes from the claims named, "assumed" says why."""

    per_h: float
    low_per_h: float
    high_per_h: float
    role: Literal["input", "assumed"]
    claim_ids: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True)
class Rates:
    """The four rate constants of a compound in a medium."""

    compound: str
    medium: str
    what: str
    s_to_r: Constant
    r_to_s: Constant
    s_loss: Constant
    r_loss: Constant

    @property
    def racemisation_half_life_h(self) -> float:
        """Time in which the enantiomeric excess of what is left halves, if both are lost alike."""
        return math.log(2.0) / (self.s_to_r.per_h + self.r_to_s.per_h)

    @property
    def loss_half_life_h(self) -> float:
        """Half-life of the racemate by hydrolysis."""
        return 2.0 * math.log(2.0) / (self.s_loss.per_h + self.r_loss.per_h)

    @property
    def s_fraction_at_equilibrium(self) -> float:
        """Share of (S) once inversion has settled, if both are lost alike."""
        return self.r_to_s.per_h / (self.s_to_r.per_h + self.r_to_s.per_h)


def enantiomers(
    time_h: ArrayLike,
    start: tuple[ArrayLike, ArrayLike],
    *,
    inversion_per_h: tuple[ArrayLike, ArrayLike],
    loss_per_h: tuple[ArrayLike, ArrayLike],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(S) and (R) over time, each inverting to the other and lost, all first order.

    time_h: (n,) hours, >= 0.   start: amounts of (S) and (R).   inversion_per_h: S to R, R to S.
    loss_per_h: of S, of R.   All broadcast; rates 1/h, >= 0.   Returns (S, R) in the unit of `start`.
    Source: own derivation, docs/chemistry.md: dS/dt = -(a + h) S + b R and its mirror, by eigenvalues.
    """
    t = np.asarray(time_h, dtype=np.float64)
    s, r = (np.asarray(one, dtype=np.float64) for one in start)
    a, b = (np.asarray(one, dtype=np.float64) for one in inversion_per_h)
    hs, hr = (np.asarray(one, dtype=np.float64) for one in loss_per_h)
    leave_s, leave_r = a + hs, b + hr
    mean, half = 0.5 * (leave_s + leave_r), 0.5 * (leave_s - leave_r)
    spread = np.sqrt(half**2 + a * b)
    # exp(-mean t) times cosh and sinh of spread t, written so that nothing overflows at late times.
    slow = np.exp(-(mean - spread) * t)
    cosh = 0.5 * slow * (1.0 + np.exp(-2.0 * spread * t))
    with np.errstate(divide="ignore", invalid="ignore"):
        sinh = np.where(spread > 0.0, -0.5 * slow * np.expm1(-2.0 * spread * t) / spread, slow * t)
    return s * cosh + (b * r - half * s) * sinh, r * cosh + (a * s + half * r) * sinh


def course(given: Rates, time_h: ArrayLike, *, s_share: float = 0.5) -> dict[str, NDArray[np.float64]]:
    """What becomes of one unit of a compound: shares of (S), (R) and the hydrolysed rest over time.

    time_h: (n,) hours.   s_share: of (S) at the start, 0 to 1.
    Raises InputError GP-H006 for a share outside 0 to 1 or a negative time.
    """
    t = np.asarray(time_h, dtype=np.float64)
    if not 0.0 <= s_share <= 1.0 or bool(np.any(t < 0.0)):
        raise InputError(
            "GP-H006",
            f"a share of (S) of {s_share:g} at times from {float(np.min(t, initial=0.0)):g} h cannot be",
            expected="a share from 0 to 1, and times of 0 h or later",
            next_step="correct the number and run again",
        )
    s, r = enantiomers(
        t,
        (s_share, 1.0 - s_share),
        inversion_per_h=(given.s_to_r.per_h, given.r_to_s.per_h),
        loss_per_h=(given.s_loss.per_h, given.r_loss.per_h),
    )
    return {"s": s, "r": r, "hydrolysed": 1.0 - s - r}


def available() -> tuple[tuple[str, str], ...]:
    """The pairs of compound and medium with rate constants."""
    return tuple(_entries())


def rates(compound: str, medium: str = "blood") -> Rates:
    """The rate constants of a compound in a medium, from evidence where a row gives them.

    Raises InputError GP-H001 if there is no such pair.
    """
    entry = _entries().get((compound, medium))
    if entry is None:
        known = [f"{one} in {other}" for one, other in _entries()]
        raise InputError(
            "GP-H001",
            f"no rate constants of {compound} in {medium}{nearest(f'{compound} in {medium}', known)}",
            expected="one of " + ", ".join(known),
            next_step="take one of these; `stability.enantiomers` in Python takes your own",
        )
    constants = {step: _constant(entry, step) for step in STEPS}
    return Rates(compound, medium, entry["what"], **constants)


def table() -> tuple[Rates, ...]:
    """Every compound and medium."""
    return tuple(rates(*pair) for pair in available())


def _constant(entry: Mapping[str, Any], step: str) -> Constant:
    row = entry[step]
    if like := row.get("assumed_like"):
        borrowed = _constant(_entries()[(like[0], like[1])], step)
        why = f"assumed as {like[0]} in {like[1]}: {row['why']}"
        return Constant(
            borrowed.per_h, borrowed.low_per_h, borrowed.high_per_h, "assumed", borrowed.claim_ids, why
        )
    claim = evidence.load()[row["claim"]]
    ends = [number for number in (claim.low, claim.high) if number is not None]
    typical = claim.value if claim.value is not None else sum(ends) / len(ends)
    found = sorted(_per_h(number, claim.unit, row["is"]) for number in (typical, *ends))
    return Constant(_per_h(typical, claim.unit, row["is"]), found[0], found[-1], "input", (claim.id,))


def _per_h(number: float, unit: str, meaning: str) -> float:
    if meaning == "rate":
        return convert(number, unit, "1/hour")
    half_life_h = convert(number, unit, "hour")
    # A racemisation half-life counts both inversions, which are alike: ln 2 / (2 k).
    return math.log(2.0) / half_life_h / (2.0 if meaning == "racemisation half-life" else 1.0)


@lru_cache(maxsize=1)
def _entries() -> Mapping[tuple[str, str], Mapping[str, Any]]:
    text = (files("glueprint.chemistry") / "data" / "stability.toml").read_text(encoding="utf-8")
    return {(row["compound"], row["medium"]): row for row in tomllib.loads(text)["entry"]}
