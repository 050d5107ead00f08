"""Covariates that a protocol leaves out: drawn from the reference population, given those that it states."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.sampling import draw_level, draw_quantity
from glueprint.trials.patients.staging import iss_stage
from glueprint.trials.protocol import CaseMix, Count, Levels, LogNormal, Normal, load_protocol

__all__ = ["unstated"]

Floats = NDArray[np.float64]
Names = NDArray[np.str_]
Distribution = Normal | LogNormal | Count | Levels
FARTHEST = 3.0  # a stated value beyond what the reference population has speaks as its last one in a thousand


@dataclass(frozen=True)
class _Reference:
    """Distributions by covariate; (k, k) correlations of the normal scores of the numbers in `correlated`;
    how levels follow scores of numbers, slopes by name."""

    distributions: Mapping[str, Distribution]
    correlated: tuple[str, ...]
    correlation: Floats
    follows: Mapping[str, Mapping[str, float]]


@lru_cache(maxsize=1)
def _reference() -> _Reference:
    text = (files("glueprint.trials.patients") / "reference_population.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    like = load_protocol(content["like"]).case_mix
    levels = {name: Levels.model_validate(body) for name, body in content["levels"].items()}
    follows = {name: body["on"] for name, body in content["follows"].items()}
    known = {name: getattr(like, name) for name in like.names} | levels
    return _Reference(known, like.correlated, like.correlation_matrix(), follows)


def unstated(
    case_mix: CaseMix, values: Mapping[str, Floats], number: NDArray[np.int64], stream: Stream
) -> tuple[dict[str, Names], dict[str, Floats]]:
    """Levels and numbers, (n,) each, of the covariates that a protocol leaves out and the reference
    population has; the stage with them where the protocol alone does not tell it.

    case_mix: of the protocol.   values: (n,) numbers that it states.   number: (n,) of the patients.
    Source: conditional normal scores (Gaussian copula) of `reference_population.toml`; docs/trials.md.
    """
    known, levels, found = _reference(), {}, {}
    missing = [name for name in known.distributions if name not in case_mix.names]
    own = {name: stream.normals(f"unstated/{name}", number)[:, 0] for name in missing}
    scores = _scores(known, own, values)
    for name in missing:
        distribution = known.distributions[name]
        if isinstance(distribution, Levels):
            slopes = known.follows.get(name, {})
            left = np.sqrt(1.0 - sum(slope**2 for slope in slopes.values()))
            followed = sum(slope * scores[one] for one, slope in slopes.items())
            score = left * own[name] + followed
            levels[name] = draw_level(distribution, np.asarray(ndtr(score)))
        else:
            found[name] = draw_quantity(distribution, np.asarray(ndtr(scores[name])))
    if not case_mix.derived:
        whole = {**values, **found}
        found["iss_stage"] = iss_stage(whole["albumin_g_per_l"], whole["beta2_microglobulin_mg_per_l"])
    return levels, found


def _scores(known: _Reference, own: Mapping[str, Floats], values: Mapping[str, Floats]) -> dict[str, Floats]:
    """(n,) normal scores of all numbers: of what is stated, and of what is missing given that.

    own: (n,) standard normal numbers of what is missing.
    """
    place = {name: k for k, name in enumerate(known.correlated)}
    stated = {name: _score(known.distributions[name], values[name]) for name in place if name in values}
    wanted = [name for name in place if name in own]
    if not wanted:
        return {**own, **stated}
    w, s = [place[name] for name in wanted], [place[name] for name in stated]
    weights = np.linalg.solve(known.correlation[np.ix_(s, s)], known.correlation[np.ix_(s, w)])
    left = known.correlation[np.ix_(w, w)] - known.correlation[np.ix_(w, s)] @ weights
    normal = np.stack([own[name] for name in wanted], axis=1)
    drawn = np.stack(list(stated.values()), axis=1) @ weights + normal @ np.linalg.cholesky(left).T
    return {**own, **stated, **dict(zip(wanted, drawn.T, strict=True))}


def _score(distribution: Distribution, values: Floats) -> Floats:
    """(n,) normal scores of stated values in the reference population."""
    if isinstance(distribution, Levels):
        raise TypeError("levels have no score")
    score = (
        (values - distribution.mean) / distribution.sd
        if isinstance(distribution, Normal)
        else np.log(np.maximum(values, np.finfo(float).tiny) / distribution.median) / distribution.log_sd
    )
    return np.asarray(np.clip(score, -FARTHEST, FARTHEST))
