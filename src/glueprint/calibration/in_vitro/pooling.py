"""One dissociation constant from assays that do not agree."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from glueprint import references
from glueprint.calibration.excluded import Excluded
from glueprint.errors import InputError
from glueprint.evidence import Claim
from glueprint.inference import RandomEffects, random_effects

NM_PER_UNIT = {"pM": 1e-3, "nM": 1.0, "uM": 1e3, "µM": 1e3, "μM": 1e3, "mM": 1e6}
# Endpoints of the claims: an affinity of a compound for CRBN, up to the assay's own bias, and what is none.
AFFINITY, INHIBITION = "crbn_affinity", "crbn_ic50"
NOT_CONVERTIBLE = (
    "an IC50 of a competition assay depends on the concentrations of tracer and protein and on the Kd of "
    "the tracer, which the source does not give"
)


@dataclass(frozen=True)
class Assay:
    """One measured constant: claim_id, log10 of the value in nM, and its standard error (0: none printed)."""

    claim_id: str
    log10_nm: float
    std_error: float


@dataclass(frozen=True)
class PooledKd:
    """One constant for the compound and CRBN.

    kd_nm with (low_nm, high_nm): the mean over assays, of which each is one draw.
    prediction_nm: where one more assay would fall.   tau_log10 with tau_interval: scatter between assays.
    assays and weights: what was used and how far it counted.   excluded: what was not, and why.
    """

    kd_nm: float
    low_nm: float
    high_nm: float
    prediction_nm: tuple[float, float]
    tau_log10: float
    tau_interval: tuple[float, float]
    assays: tuple[Assay, ...]
    weights: tuple[float, ...]
    excluded: tuple[Excluded, ...]
    level: float
    label: str = "calibrated"


def pooled_kd(claims: Iterable[Claim], *, compound: str | None = None, level: float = 0.95) -> PooledKd:
    """The Kd of a compound and CRBN over all published binding assays.

    claims: evidence, e.g. evidence.load().   compound: its name in the claims; that of the
    default reference if None.
    Returns PooledKd, with every binding claim of the compound either used or listed as excluded.
    Raises InputError GP-K001 when fewer than two assays are left.
    Source: own derivation, docs/calibration.md; pooled by inference.random_effects (REML, Hartung-Knapp).
    """
    compound = compound or references.default().compound
    used: list[Assay] = []
    excluded: list[Excluded] = []
    seen: dict[float, str] = {}
    for claim in claims:
        if claim.compound != compound or claim.endpoint not in (AFFINITY, INHIBITION):
            continue
        reason = _reason_against(claim, seen)
        if reason:
            excluded.append(Excluded(claim.id, reason))
        else:
            used.append(_assay(claim))
    return pool(used, excluded, level=level)


def pool(assays: Sequence[Assay], excluded: Sequence[Excluded] = (), *, level: float = 0.95) -> PooledKd:
    """Pool assays in log10 with a between-assay random effect.

    assays: two or more.   excluded: carried into the result.
    Returns PooledKd.
    Raises InputError GP-K001 with fewer than two assays.
    Source: inference.random_effects.
    """
    if len(assays) < 2:
        raise InputError(
            "GP-K001",
            f"{len(assays)} binding assay(s) can be pooled",
            where="claims",
            expected="two or more claims of a Kd, Ki or apparent binding affinity with CRBN",
            next_step="; ".join(f"{e.claim_id}: {e.reason}" for e in excluded)
            or "look whether the compound is spelt as in the claims",
        )
    fit: RandomEffects = random_effects(
        [a.log10_nm for a in assays], [a.std_error for a in assays], level=level
    )
    return PooledKd(
        kd_nm=10**fit.mean,
        low_nm=10 ** fit.interval[0],
        high_nm=10 ** fit.interval[1],
        prediction_nm=(10 ** fit.prediction[0], 10 ** fit.prediction[1]),
        tau_log10=fit.tau,
        tau_interval=fit.tau_interval,
        assays=tuple(assays),
        weights=tuple(float(w) for w in fit.weights),
        excluded=tuple(excluded),
        level=level,
    )


def _reason_against(claim: Claim, seen: dict[float, str]) -> str:
    """Why the claim is not pooled, or an empty text; notes in `seen` what was taken."""
    if claim.endpoint == INHIBITION:
        return NOT_CONVERTIBLE
    if claim.value is None or claim.value <= 0 or claim.unit not in NM_PER_UNIT:
        return f"no concentration: {claim.value} {claim.unit}"
    nm = round(claim.value * NM_PER_UNIT[claim.unit], 6)
    if nm in seen:
        return f"the same number as {seen[nm]}"
    seen[nm] = claim.id
    return ""


def _assay(claim: Claim) -> Assay:
    """The claim in log10 nM; a printed plus-minus is read as one standard error."""
    assert claim.value is not None
    log10_nm = math.log10(claim.value * NM_PER_UNIT[claim.unit])
    error = 0.0
    if claim.low and claim.high and claim.interval_kind == "plus-minus":
        error = (math.log10(claim.high) - math.log10(claim.low)) / 2
    return Assay(claim.id, log10_nm, error)
