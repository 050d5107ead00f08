"""One potency from several experiments and donors: averaged on the log scale, limits entering as limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from scipy.special import stdtrit

from glueprint.curves.potency import Potency, Reason, Relation
from glueprint.errors import InputError, nearest
from glueprint.inference import NestedEffects, nested_effects

__all__ = ["PARTS", "Method", "PooledPotency", "pool"]

Method = Literal["hierarchical", "average"]

PARTS = pl.Schema(
    {
        "donor": pl.String(),
        "experiment": pl.String(),
        "relation": pl.String(),
        "value_nm": pl.Float64(),
        "low_nm": pl.Float64(),
        "high_nm": pl.Float64(),
        "log10_se": pl.Float64(),
        "used": pl.Boolean(),
        "left_out": pl.String(),
        "expected_nm": pl.Float64(),
    }
)


@dataclass(frozen=True)
class PooledPotency:
    """What several experiments say together.

    potency: the mean over donors (over experiments, where donors are not told apart); `n` counts experiments.
    donors, experiments: how many entered.   tau_donor, tau_experiment: standard deviations in log10 between
    donors and between experiments of a donor, None where the design cannot tell.
    tau_low, tau_high: interval of the upper one of the two, None where open.
    i2: share of the scatter in the variance of a donor's (or experiment's) own mean, None where unknown.
    prediction_low_nm, prediction_high_nm: where the next donor (or experiment) is expected, None where open.
    parts: one row per potency given, columns `PARTS`; `expected_nm` is the donor's (or experiment's) own
    potency in the light of the others.
    """

    potency: Potency
    method: Method
    donors: int
    experiments: int
    tau_donor: float | None
    tau_experiment: float | None
    tau_low: float | None
    tau_high: float | None
    i2: float | None
    prediction_low_nm: float | None
    prediction_high_nm: float | None
    parts: pl.DataFrame

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, the parts as rows, for `--json`."""
        plain = {name: value for name, value in vars(self).items() if name not in ("potency", "parts")}
        return {"potency": self.potency.as_dict()} | plain | {"parts": self.parts.to_dicts()}


@dataclass(frozen=True)
class _Design:
    """donors, experiments: (k,) labels.   used: positions that enter.   nested: a donor has several.
    group: (k,) label of the level whose mean is sought: donors if there are several, else experiments.
    """

    donors: tuple[str, ...]
    experiments: tuple[str, ...]
    used: tuple[int, ...]
    group: tuple[str, ...]
    nested: bool
    by_donor: bool


def pool(
    potencies: Sequence[Potency], *, donor: Sequence[str] | None = None,
    experiment: Sequence[str] | None = None, method: Method = "hierarchical", confidence: float = 0.95,
) -> PooledPotency:  # fmt: skip
    """Pool the potencies of independent experiments, one each, over donors where there are several.

    potencies: of one kind, definition and time; wells of one experiment are fitted together beforehand.
    donor, experiment: one label a potency; without them every potency is an experiment of its own.
    method: "hierarchical" weighs every experiment by its own error and the scatter between them; "average"
    takes them all alike. Limits enter by their probability, never as numbers.
    Returns `PooledPotency`. With fewer than two values there is only a limit of the mean, or nothing.
    Raises InputError GP-C044 (labels, options), GP-C045 (kinds mixed), GP-C046 (one experiment twice).
    Source: own derivation, docs/potencies.md.

    >>> from glueprint import curves
    >>> dose, ec50 = np.array([1.0, 10.0, 100.0, 1000.0, 10000.0]), np.array([[80.0], [100.0], [130.0]])
    >>> fits = curves.fit("4pl", dose, 1 - dose / (dose + ec50) + 0.01 * np.sin(dose))
    >>> three = curves.relative(fits, "IC50")
    >>> 80 < pool(three).potency.value_nm < 130
    True
    """
    _check(potencies, method, confidence)
    design = _design(potencies, donor, experiment, method)
    chosen = [potencies[i] for i in design.used]
    common = replace(
        potencies[0], value_nm=None, low_nm=None, high_nm=None, relation="none", reasons=(), notes=(),
        confidence=confidence, n=len(chosen), log10_se=None,
    )  # fmt: skip
    values = sum(found.relation == "=" for found in chosen)
    if values < 2 or len(set(design.group)) < 2:
        return _result(_few(chosen, common), method, design, potencies, None)
    relation = np.array([found.relation for found in chosen])
    errors = np.array([found.log10_se or 0.0 for found in chosen]) * (method == "hierarchical")
    limits = relation != "="
    ends = [_ends(found) for found in chosen]
    # A limit has no error of its own; it was measured like the others.
    errors[limits] = np.median(errors[~limits])
    found = nested_effects(
        np.array([low for low, _ in ends]), np.array([high for _, high in ends]), errors,
        [design.group[i] for i in design.used], level=confidence,
    )  # fmt: skip
    potency = _pooled(found, common, has_limits=bool(limits.any()))
    if not design.by_donor and donor is not None:
        potency = replace(potency, reasons=(*potency.reasons, Reason.ONE_DONOR))
    return _result(potency, method, design, potencies, found)


def _check(potencies: Sequence[Potency], method: str, confidence: float) -> None:
    if method not in get_args(Method) or not potencies or not 0.0 < confidence < 1.0:
        raise InputError(
            "GP-C044",
            f'{len(potencies)} potencies, method "{method}"{nearest(method, get_args(Method))}, '
            f"confidence {confidence:g}",
            where="pool",
            expected='one or more potencies, "hierarchical" or "average", a confidence between 0 and 1',
            next_step="correct the call",
        )
    kinds = {(found.kind, found.definition, found.time_h) for found in potencies}
    if len(kinds) > 1:
        names = [f"{kind} ({definition}, {time_h} h)" for kind, definition, time_h in sorted(kinds, key=str)]
        raise InputError(
            "GP-C045",
            ", ".join(names),
            where="potencies",
            expected="one kind, by one definition, after one time",
            next_step="pool them apart: their means answer different questions",
        )


def _design(
    potencies: Sequence[Potency], donor: Sequence[str] | None, experiment: Sequence[str] | None, method: str
) -> _Design:
    count = len(potencies)
    donors = tuple(str(name) for name in donor) if donor is not None else ("",) * count
    experiments = tuple(str(i + 1) for i in range(count))
    if experiment is not None:
        experiments = tuple(str(name) for name in experiment)
    if not len(donors) == len(experiments) == count:
        raise InputError(
            "GP-C044",
            f"{count} potencies, {len(donors)} donors, {len(experiments)} experiments",
            where="pool",
            expected="one donor and one experiment a potency",
            next_step="give every potency its labels, or none",
        )
    pairs = list(zip(donors, experiments, strict=True))
    twice = next((pair for pair in pairs if pairs.count(pair) > 1), None)
    if twice:
        raise InputError(
            "GP-C046",
            f'donor "{twice[0]}", experiment "{twice[1]}"',
            where="experiment",
            expected="one potency an experiment: wells are not independent",
            next_step="fit the wells of one experiment together, or label the experiments apart",
        )
    used = tuple(i for i, found in enumerate(potencies) if not _left_out(found, method))
    held = {donors[i] for i in used}
    by_donor = len(held) > 1
    nested = by_donor and len(held) < len(used)
    group = donors if by_donor else experiments
    return _Design(donors, experiments, used, group, nested, by_donor)


def _left_out(found: Potency, method: str) -> str:
    """Why a potency does not enter; empty where it does."""
    if found.relation == "none":
        return "no potency"
    if method == "hierarchical" and found.relation == "=" and found.log10_se is None:
        return "no error to weigh it by"
    return ""


def _few(chosen: Sequence[Potency], common: Potency) -> Potency:
    """The mean of fewer than two values: one experiment as it is, or a limit that the mean cannot pass."""
    if not chosen:
        return replace(common, reasons=(Reason.NOTHING_TO_POOL,), n=0)
    if len(chosen) == 1:
        only = chosen[0]
        return replace(only, reasons=(*only.reasons, Reason.ONE_EXPERIMENT), n=1)
    # The mean of these experiments lies between the means of their ends, whatever the values behind them.
    low, high = np.mean([_ends(found) for found in chosen], axis=0).tolist()
    few = (Reason.TOO_FEW_VALUES,)
    if np.isfinite(low) and np.isfinite(high):
        return replace(common, low_nm=_nm(low), high_nm=_nm(high), relation="between", reasons=few)
    if not np.isfinite(low) and not np.isfinite(high):
        return replace(common, reasons=(Reason.LIMITS_ON_BOTH_SIDES,))
    relation: Relation = ">" if np.isfinite(low) else "<"
    edge = _nm(low if relation == ">" else high)
    return replace(common, value_nm=edge, relation=relation, reasons=few)


def _ends(found: Potency) -> tuple[float, float]:
    """Log10 nM between which a potency lies: equal for a value, infinite on the open side of a limit."""
    value, low, high = (
        float(np.log10(np.nan if end is None else end))
        for end in (found.value_nm, found.low_nm, found.high_nm)
    )
    if found.relation == "between":
        return low, high
    return -np.inf if found.relation == "<" else value, np.inf if found.relation == ">" else value


def _pooled(found: NestedEffects, common: Potency, *, has_limits: bool) -> Potency:
    low, high = found.interval
    reasons = (
        *((Reason.CENSORED_PARTS,) if has_limits else ()),
        *((Reason.OPEN_LOW,) if np.isinf(low) else ()),
        *((Reason.OPEN_HIGH,) if np.isinf(high) else ()),
    )
    half = 0.5 * (high - low) / float(stdtrit(found.groups - 1, 0.5 + 0.5 * found.level))
    return replace(
        common, value_nm=float(10.0**found.mean), relation="=", reasons=reasons,
        low_nm=_nm(min(low, found.mean)), high_nm=_nm(max(high, found.mean)), log10_se=_finite(half),
    )  # fmt: skip


def _result(
    potency: Potency,
    method: Method,
    design: _Design,
    potencies: Sequence[Potency],
    found: NestedEffects | None,
) -> PooledPotency:
    upper, lower = (found.tau_group, found.tau_unit) if found else (None, None)
    named = dict.fromkeys(design.group[i] for i in design.used)
    expected = dict(zip(named, found.group_means.tolist(), strict=True)) if found else {}
    rows = []
    for i, part in enumerate(potencies):
        used, mean = i in design.used, expected.get(design.group[i])
        row = {"donor": design.donors[i], "experiment": design.experiments[i], "used": used}
        row |= {"left_out": _left_out(part, method)}
        row |= {"expected_nm": 10.0**mean if used and mean is not None else None}
        rows.append(part.as_dict() | row)
    return PooledPotency(
        potency=potency, method=method,
        donors=len({design.donors[i] for i in design.used}), experiments=len(design.used),
        tau_donor=upper if design.by_donor else None,
        tau_experiment=(lower if design.nested else None) if design.by_donor else upper,
        tau_low=_finite(found.tau_interval[0]) if found else None,
        tau_high=_finite(found.tau_interval[1]) if found else None,
        i2=_finite(found.i2) if found else None,
        prediction_low_nm=_nm(found.prediction[0]) if found else None,
        prediction_high_nm=_nm(found.prediction[1]) if found else None,
        parts=pl.DataFrame([{name: row[name] for name in PARTS} for row in rows], schema=PARTS),
    )  # fmt: skip


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _nm(log10_nm: float) -> float | None:
    # Two donors can leave an interval of hundreds of decades, which no number holds.
    return float(10.0**log10_nm) if abs(log10_nm) < 300.0 else None
