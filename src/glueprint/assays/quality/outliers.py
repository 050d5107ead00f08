"""Readings and doses that the rest of their curve contradicts: mean-shift tests. Kernel: arrays in and out.

Each reading, and each dose with all its replicates, gets a shift of its own beside the curve; the t of that
shift is exact for a linear curve and as good as the linear approximation for another. What a robust fit holds
for an outlier (`curves.robust`) is set aside, so that two bad readings do not hide each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, stdtr

__all__ = [
    "DISCOVERY",
    "Readings",
    "Suspect",
    "discoveries",
    "spanned",
    "standard_error",
    "suspects",
    "worst_of",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Of all that is called an outlier in one analysis, so many are none (Benjamini and Hochberg 1995,
# doi 10.1111/j.2517-6161.1995.tb02031.x). Fitted weights and tails longer than normal ones make it a few
# times more: measured in docs/quality.md.
DISCOVERY = 0.003
# Of doses three times as many: there are fewer, and one that is off bends the curve that judges it.
OF_DOSES = 3.0
# Singular values below this share of the largest are a direction that the readings do not determine.
SINGULAR = 1e-8
# A curve that follows a reading to more than this share says nothing of it.
MOST_LEVERAGE = 0.95
# Fewer degrees of freedom than these make no scale.
LEAST_DOF = 3
# Doses scatter about the curve by more than their replicates tell, below this p; then they are the scale.
MISSED = 0.01
# What is left of a dose without its worst reading must still stand out by this p to be called a bad dose.
LEFT = 0.01
# Two doses side by side whose t^2 differ by less are not told apart (chi-square, one degree, 1 %).
NOT_TOLD = 6.635
# So many bad readings of one curve are looked for; more are no outliers.
ROUNDS = 12
# Residuals that are this share of the signal are rounding.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Readings:
    """The readings of one curve, as an analysis hands them over.

    name: of the curve, for people.   where: (m,) names of the readings.   level: (m,) what replicates share.
    value, fitted: (m,).   jacobian: (m, p) of the fitted by its free parameters, further rows for what is
    known of these beforehand (then with a level of NaN).   weights: (m,) one over the variance, any scale.
    aside: (m,) what a robust fit holds for an outlier.   log: whether values are natural logarithms.
    groups: whether whole doses are tested as well.
    """

    name: str
    where: tuple[str, ...]
    level: Floats
    value: Floats
    fitted: Floats
    jacobian: Floats
    weights: Floats
    aside: Flags
    log: bool = False
    groups: bool = True


@dataclass(frozen=True)
class Suspect:
    """One reading (`dose` False) or all readings of a dose that are off by `t` standard errors.

    shift: observed less `expected`, what the others expect.   p_value: of t.
    instead: doses beside a dose, of which any may be the one that is off.
    """

    curve: str
    where: tuple[str, ...]
    level: float
    dose: bool
    value: float
    expected: float
    shift: float
    t: float
    p_value: float
    instead: tuple[Suspect, ...] = ()


def standard_error(one: Readings, group: Flags) -> float:
    """Standard error of what the others expect of some readings and of these together; NaN where unknown."""
    t, shift, _ = _Asked(one).shift(group, dose=False)
    return abs(shift / t) if t else float("nan")


def worst_of(one: Readings) -> Suspect | None:
    """The reading that is farthest off, significant or not; None where the curve judges none."""
    return min(_Asked(one).singles(), key=lambda found: found.p_value, default=None)


def suspects(
    count: int, fitted: Callable[[int, frozenset[str]], Readings], *, rate: float = DISCOVERY
) -> tuple[Suspect, ...]:
    """What stands out of all curves of one analysis at a false discovery rate, the worst first.

    count: how many curves.   fitted: gives a curve by its number, fitted without some of its readings; it is
    asked again without the worst of each curve until nothing more stands out, because one bad reading also
    spoils the scale by which the others are judged.
    """
    asked = [_Asked(fitted(i, frozenset())) for i in range(count)]
    found: list[Suspect] = []
    gone: dict[int, frozenset[str]] = {}
    for _ in range(ROUNDS):
        beside = [partial(_beside, fitted, i, gone.get(i, frozenset())) for i in range(count)]
        worst = _worst(asked, rate, beside)
        if not worst:
            break
        found += worst.values()
        for i, one in worst.items():
            gone[i] = gone.get(i, frozenset()) | set(one.where)
            asked[i] = _Asked(fitted(i, gone[i]))
    return tuple(sorted(found, key=lambda one: -abs(one.t)))


def _beside(
    fitted: Callable[[int, frozenset[str]], Readings], i: int, gone: frozenset[str], where: tuple[str, ...]
) -> Readings:
    """A curve fitted without some further readings."""
    return fitted(i, gone | set(where))


def _worst(
    asked: Sequence[_Asked], rate: float, beside: Sequence[Callable[[tuple[str, ...]], Readings]]
) -> dict[int, Suspect]:
    """The worst reading or dose of every curve that has one, by the number of the curve.

    beside: gives each curve without some readings.
    """
    single = [(i, one) for i, curve in enumerate(asked) for one in curve.singles()]
    whole = [(i, one) for i, curve in enumerate(asked) for one in curve.whole_doses(rate, beside[i])]
    doses = [(i, one) for i, one in _discovered(whole, OF_DOSES * rate) if asked[i].without_its_worst(one)]
    covered = {(i, place) for i, one in doses for place in one.where}
    readings = [(i, one) for i, one in _discovered(single, rate) if (i, one.where[0]) not in covered]
    worst: dict[int, Suspect] = {}
    for i, one in [*doses, *readings]:
        if i not in worst or one.p_value < worst[i].p_value:
            worst[i] = one
    return {
        i: replace(one, instead=_instead(one, [x for j, x in whole if j == i])) for i, one in worst.items()
    }


def _instead(found: Suspect, doses: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """The doses beside one that is off whose shift would explain the curve nearly as well."""
    levels = sorted({one.level for one in doses})
    if not found.dose:
        return ()
    at = levels.index(found.level)
    beside = levels[max(at - 1, 0) : at + 2]
    return tuple(
        one
        for one in doses
        if one.level in beside and one.level != found.level
        if one.p_value < LEFT and found.t**2 - one.t**2 < NOT_TOLD
    )


def _discovered(found: Sequence[tuple[int, Suspect]], rate: float) -> list[tuple[int, Suspect]]:
    flags = discoveries(np.array([one.p_value for _, one in found]), rate)
    return [one for one, flag in zip(found, flags, strict=True) if flag]


def discoveries(p_values: Floats, rate: float = DISCOVERY) -> Flags:
    """Which of these p (n,) are discoveries at a false discovery rate; NaN never is.

    Source: Benjamini and Hochberg 1995, as above.
    """
    known = np.isfinite(p_values)
    p = np.where(known, p_values, 2.0)
    ordered = np.sort(p)
    passed = ordered <= rate * np.arange(1, p.size + 1) / max(int(known.sum()), 1)
    cut = ordered[passed].max() if passed.any() else -1.0
    return np.asarray(p <= cut)


class _Asked:
    """A curve with the space that its parameters span, which most tests share."""

    def __init__(self, one: Readings) -> None:
        self.one = one
        self.measured = np.isfinite(one.level)
        self.usual = (one.weights > 0.0) & ~one.aside
        self.basis = spanned(one, self.usual)

    def singles(self) -> list[Suspect]:
        """Each reading on its own: all that share the usual space at once, the others one by one."""
        one, used, basis = self.one, self.usual, self.basis
        rows = np.flatnonzero(used)
        root = np.sqrt(one.weights[used])
        miss = (one.value - one.fitted)[used] * root
        left = miss - basis @ (basis.T @ miss)
        free = 1.0 - np.sum(basis**2, axis=1)
        dof = rows.size - basis.shape[1] - 1
        found = []
        if dof >= LEAST_DOF:
            told = (free >= 1.0 - MOST_LEVERAGE) & self.measured[used]
            safe = np.where(told, free, 1.0)
            scale = (float(left @ left) - left**2 / safe) / dof
            told &= scale > float(np.sum((ROUNDING * one.value[used] * root) ** 2))
            t = left / np.sqrt(safe * np.where(told, scale, 1.0))
            p = 2.0 * stdtr(dof, -np.abs(t))
            shift = left / safe / root
            found = [
                self._suspect(rows[i : i + 1], (t[i], shift[i], p[i]), dose=False)
                for i in np.flatnonzero(told)
            ]
        others = np.flatnonzero(self.measured & one.aside & (one.weights > 0.0))
        return found + self.tested([np.arange(used.size) == i for i in others])

    def doses(self) -> list[Flags]:
        """The replicates of every dose above zero that has several."""
        if not self.one.groups:
            return []
        level = self.one.level
        groups = [level == one for one in np.unique(level[self.measured & (level > 0.0)])]
        return [group for group in groups if group.sum() > 1]

    def whole_doses(self, rate: float, beside: Callable[[tuple[str, ...]], Readings]) -> list[Suspect]:
        """A `Suspect` for every dose that the curve can judge, significant or not.

        A dose that is far off bends the curve, so that others miss it as well; where that alone would save
        it, the others are asked by the curve without it.
        """
        found = []
        for group in self.doses():
            rows = np.flatnonzero(group)
            t, shift, p = self.shift(group, dose=True)
            if np.isfinite(p) and p > rate and self.shift(group, dose=False)[2] <= OF_DOSES * rate:
                where = tuple(self.one.where[i] for i in rows)
                t, shift, p = self.shift(group, dose=True, beside=beside(where))
            if np.isfinite(p):
                found.append(self._suspect(rows, (t, shift, p), dose=True))
        return found

    def tested(self, groups: Sequence[Flags]) -> list[Suspect]:
        """A `Suspect` for every group that the curve can judge, significant or not."""
        tests = [(np.flatnonzero(group), self.shift(group, dose=False)) for group in groups]
        return [self._suspect(rows, test, dose=False) for rows, test in tests if np.isfinite(test[2])]

    def _suspect(self, rows: NDArray[np.int64], test: tuple[float, float, float], *, dose: bool) -> Suspect:
        one, (t, shift, p) = self.one, test
        value = float(np.average(one.value[rows], weights=one.weights[rows]))
        expected = value - float(shift)
        where, level = tuple(one.where[i] for i in rows), float(one.level[rows[0]])
        value, expected = (float(np.exp(value)), float(np.exp(expected))) if one.log else (value, expected)
        return Suspect(one.name, where, level, dose, value, expected, value - expected, float(t), float(p))

    def without_its_worst(self, found: Suspect) -> bool:
        """Whether a dose stands out without the reading that is farthest off, which else explains it."""
        one = self.one
        group = (one.level == found.level) & (one.weights > 0.0)
        expected = np.log(found.expected) if one.log else found.expected
        miss = np.where(group, np.abs(one.value - expected), -1.0)
        left = group & (np.arange(group.size) != int(np.argmax(miss)))
        dropped = replace(one, weights=np.where(group & ~left, 0.0, one.weights))
        t, _, p = _Asked(dropped).shift(left, dose=False)
        return bool(p < LEFT and np.sign(t) == np.sign(found.t))

    def shift(
        self, group: Flags, *, dose: bool, beside: Readings | None = None
    ) -> tuple[float, float, float]:
        """t, size and p of a common shift of some readings; NaN where the curve cannot tell.

        dose: doses that scatter about the curve more than their replicates are the scale.   beside: the
        curve without these readings, which then says how doses scatter.
        """
        one, nothing = self.one, (np.nan, np.nan, np.nan)
        used = (one.weights > 0.0) & (group | ~one.aside)
        if not (used & group).any():
            return nothing
        basis = self.basis if (used == self.usual).all() else spanned(one, used)
        root = np.sqrt(one.weights[used])
        miss, mark = (one.value - one.fitted)[used] * root, group[used] * root
        mark_left, miss_left = mark - basis @ (basis.T @ mark), miss - basis @ (basis.T @ miss)
        free, size = float(mark_left @ mark_left), float(mark @ mark)
        dof = int(used.sum()) - basis.shape[1] - 1
        if free < (1.0 - MOST_LEVERAGE) * size or dof < LEAST_DOF:
            return nothing
        shift = float(mark_left @ miss_left) / free
        rest = miss_left - shift * mark_left
        scale = float(rest @ rest) / dof
        rounding = ROUNDING * one.value[used] * root
        if scale <= float(rounding @ rounding):
            return nothing
        if dose:
            level, within, spent = one.level[used], (scale, dof), basis.shape[1] + 1
            if beside is not None:
                rest, level = self._rest(beside, used & ~group)
                spent -= 1
                left = rest.size - spent
                within = (float(rest @ rest) / left, left) if left >= LEAST_DOF else within
            scale, dof = _between(level, rest, within, spent)
        t = float(shift * np.sqrt(free / scale))
        return t, shift, float(2.0 * stdtr(dof, -abs(t)))

    def _rest(self, beside: Readings, used: Flags) -> tuple[Floats, Floats]:
        """What some readings miss the curve of `beside` by, by the weights of this one, and their levels."""
        one = self.one
        place = {name: i for i, name in enumerate(beside.where)}
        rows = np.array([i for i in np.flatnonzero(used) if one.where[i] in place])
        fitted = np.array([beside.fitted[place[one.where[i]]] for i in rows])
        return (one.value[rows] - fitted) * np.sqrt(one.weights[rows]), one.level[rows]


def _between(level: Floats, rest: Floats, within: tuple[float, int], spent: int) -> tuple[float, int]:
    """The scale of doses about the curve, where it is larger than that of their replicates.

    spent: parameters of the curve and of a shift beside it.
    """
    groups, place = np.unique(level, return_inverse=True)
    size = np.bincount(place)
    means = np.bincount(place, rest) / size
    between = float(size @ means**2)
    dof = groups.size - spent
    spare = rest.size - groups.size
    inside = float(rest @ rest) - between
    if dof < 1 or spare < 1 or inside <= 0.0:
        return within
    ratio = (between / dof) / (inside / spare)
    return (between / dof, dof) if fdtrc(dof, spare, ratio) < MISSED else within


def spanned(one: Readings, used: Flags) -> Floats:
    """Orthonormal columns (k, r) that span the derivatives of the k readings used."""
    design = one.jacobian[used] * np.sqrt(one.weights[used])[:, None]
    norm = np.sqrt(np.sum(design**2, axis=0))
    scaled = design[:, norm > 0.0] / norm[norm > 0.0]
    if not scaled.size:
        return np.zeros((design.shape[0], 0))
    left, singular, _ = np.linalg.svd(scaled, full_matrices=False)
    return np.asarray(left[:, singular > SINGULAR * singular[0]])
