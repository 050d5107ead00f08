"""From fitted constants to potencies: a value, or a limit where the profile stays open, and findings."""

from __future__ import annotations

import math
from dataclasses import dataclass

from glueprint.assays.findings import Finding
from glueprint.assays.polarization.penalised import LOG10_CONSTANT, Estimates
from glueprint.assays.polarization.settings import Conditions
from glueprint.curves import Potency
from glueprint.curves.potency import Kind, Reason

__all__ = ["constant", "fitted_inputs", "of_ki", "refused"]

# A fitted protein or tracer Kd this far from its statement, in standard deviations of the statement.
FAR = 2.0


@dataclass(frozen=True)
class Interval:
    """The best value and its bounds, nM; a bound is None where the profile stays open."""

    best_nm: float
    low_nm: float | None
    high_nm: float | None


def interval(found: Estimates, i: int = 0) -> Interval:
    """Estimate and profile bounds of the constant of curve i."""
    low, high = float(found.log10_low[i]), float(found.log10_high[i])
    return Interval(
        float(10.0 ** found.theta[i, LOG10_CONSTANT]),
        10.0**low if math.isfinite(low) else None,
        10.0**high if math.isfinite(high) else None,
    )


def constant(kind: Kind, found: Estimates, i: int = 0) -> Potency:
    """Ki or Kd of curve i: a value where the profile closes on both sides, a limit where on one, else none.

    The limit is the bound on the closed side: beyond the open one the likelihood no longer falls.
    """
    got = interval(found, i)
    se = math.sqrt(float(found.covariance[i, LOG10_CONSTANT, LOG10_CONSTANT]))
    if not found.converged[i]:
        return Potency(kind, "exact", None, None, None, "none", reasons=(Reason.NOT_CONVERGED,))
    reasons: tuple[Reason, ...]
    if got.low_nm is None and got.high_nm is None:
        reasons = (Reason.OPEN_LOW, Reason.OPEN_HIGH)
        return Potency(kind, "exact", None, None, None, "none", found.confidence, reasons=reasons)
    if got.low_nm is None:
        reasons = (Reason.ASSAY_FLOOR if kind == "Ki" else Reason.OPEN_LOW,)
        return Potency(kind, "exact", got.high_nm, None, got.high_nm, "<", found.confidence, reasons=reasons)
    if got.high_nm is None:
        reasons = (Reason.OPEN_HIGH,)
        return Potency(kind, "exact", got.low_nm, got.low_nm, None, ">", found.confidence, reasons=reasons)
    return Potency(kind, "exact", got.best_nm, got.low_nm, got.high_nm, "=", found.confidence, log10_se=se)


def refused(conditions: Conditions) -> Potency:
    """No Ki, because an input is missing."""
    reason = Reason.PROTEIN_UNKNOWN if conditions.protein is None else Reason.TRACER_UNKNOWN
    if conditions.protein and conditions.tracer and conditions.tracer_kd:
        note = ("refused without " + ", ".join(conditions.missing()),)
        return Potency("Ki", "exact", None, None, None, "none", notes=note)
    return Potency("Ki", "exact", None, None, None, "none", reasons=(reason,))


def of_ki(ki: Potency, ic50: tuple[Potency, ...], where: str) -> list[Finding]:
    """What the Ki of a compound asks to be said: a limit, none at all, or one that its IC50 contradicts."""
    if ki.relation == "none":
        return [
            Finding(
                "GP-A076", "refusal", f"no Ki: {'; '.join(ki.explanations)}", where=where,
                expected="a curve that falls from the tracer with protein to the tracer alone",
                next_step="look at the curve; measure more doses on both sides of the fall",
            )
        ]  # fmt: skip
    if ki.relation == "<":
        return [
            Finding(
                "GP-A072", "warning",
                f"tighter than this plate can tell: Ki < {ki.value_nm:.3g} nM, below it the likelihood no "
                "longer falls",
                where=where, expected="a Ki well above a tenth of the protein concentration",
                next_step="use less protein and a tighter tracer: here the IC50 measures the protein",
            )
        ]  # fmt: skip
    if ki.relation == ">":
        return [
            Finding(
                "GP-A073", "warning",
                f"weaker than these doses can tell: Ki > {ki.value_nm:.3g} nM", where=where,
                expected="doses that displace most of the tracer", next_step="measure higher doses",
            )
        ]  # fmt: skip
    below = [
        p for p in ic50 if p.value_nm is not None and p.relation in "<=" and p.value_nm < (ki.low_nm or 0.0)
    ]
    return [
        Finding(
            "GP-A074", "warning",
            f"IC50 {p.relation} {p.value_nm:.3g} nM is below the Ki of {ki.value_nm:.3g} nM", where=where,
            expected="an IC50 above the Ki, as in every competitive assay at equilibrium",
            next_step="check units, protein and tracer Kd; or the competition is not simple",
        )
        for p in below[:1]
    ]  # fmt: skip


def fitted_inputs(shifts: dict[str, tuple[float, float]], where: str) -> list[Finding]:
    """Stated numbers that the curve itself contradicts.

    shifts: name -> fitted value, nM, and its distance from the statement in standard deviations of that.
    """
    return [
        Finding(
            "GP-A074", "warning",
            f"the curve asks for a {name} of {value:.3g} nM, {abs(away):.1f} standard deviations "
            f"{'above' if away > 0.0 else 'below'} what is stated",
            where=where, expected=f"a fitted value within {FAR:g} standard deviations",
            next_step="measure the active protein by titration, or state a wider uncertainty",
        )
        for name, (value, away) in shifts.items()
        if abs(away) > FAR
    ]  # fmt: skip
