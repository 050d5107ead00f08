"""From animals and vials to the parameters of people, each with what is known of the method's error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glueprint.errors import NotSupportedError
from glueprint.mechanism.fields import UNITS
from glueprint.mechanism.pharmacokinetics import allometry, liver
from glueprint.mechanism.pharmacokinetics.preclinical import Animal, Incubation, Scaling
from glueprint.mechanism.quantities import LognormalPrior, Quantity

__all__ = ["Estimate", "Finding", "Scaled", "scale", "sd_of_fold_error"]


def sd_of_fold_error(average_fold_error: float) -> float:
    """SD of log10 of predicted over observed that gives this average fold error, if errors are log-normal.

    Source: the average fold error is 10 to the mean of |log10 ratio|, which for a normal distribution about
    0 is the SD times sqrt(2/pi).
    """
    return math.log10(average_fold_error) * math.sqrt(math.pi / 2.0)


# Average fold errors of clearance in people, 81 small molecules, several species: simple allometry and with
# the rule of exponents. Huh, Smith and Feng 2011, Xenobiotica 41:972, doi 10.3109/00498254.2011.598582;
# table A.4 of the first author's dissertation.
SD_SIMPLE, SD_RULE = sd_of_fold_error(2.64), sd_of_fold_error(2.10)
# Fixed exponents. Those of 91 xenobiotics have an SD of 0.16: Hu and Hayton 2001, AAPS PharmSci 3:E29.
EXPONENTS = {
    "clearance_l_per_h": 0.75,
    "central_l": 1.0,
    "intercompartment_l_per_h": 0.75,
    "peripheral_l": 1.0,
}
EXPONENT_SD = 0.16
# Assumed: volumes scale better than clearance (Obach 1997, J Pharmacol Exp Ther 283:46: on average 60 to 90 %
# of the observed); no survey of clearances between compartments is known here.
SD_VOLUME, SD_INTERCOMPARTMENT = 0.3, 0.5
# Average fold errors of clearance, 29 drugs, human microsomes: with both bindings, and with that in plasma
# alone. Obach 1999, Drug Metab Dispos 27:1350, table 5. Hepatocytes: assumed alike.
SD_VIALS = {"well-stirred": sd_of_fold_error(2.31), "parallel-tube": sd_of_fold_error(2.14)}
SD_VIALS_TOTAL = {"well-stirred": sd_of_fold_error(4.39), "parallel-tube": sd_of_fold_error(4.20)}
# Outside, clearance is over- or underestimated: Mahmood and Balian 1996, Xenobiotica 26:887.
USUAL_EXPONENTS = (0.55, 1.3)
HUMAN_BRAIN_KG = 1.53  # gives the usual life span of 93.4 years, see allometry.life_span_y
MIN_PER_H, ML_PER_L = 60.0, 1000.0


@dataclass(frozen=True)
class Estimate:
    """One method's value of one parameter; sd_log10: of the decimal logarithm, the method's error."""

    parameter: str
    value: float
    sd_log10: float
    how: str


@dataclass(frozen=True)
class Finding:
    """What a reader should know before believing a scaled number."""

    code: str
    parameter: str
    message: str


@dataclass(frozen=True)
class Scaled:
    """Parameters of people by name, the estimates behind them, and what is to be said of them."""

    quantities: dict[str, Quantity]
    estimates: tuple[Estimate, ...]
    findings: tuple[Finding, ...]


def scale(scaling: Scaling, fraction_unbound: float | None) -> Scaled:
    """Typical values with log-normal priors for every parameter that the rows speak of.

    fraction_unbound: in human plasma; None if it is not known.
    Raises NotSupportedError GP-M114 where incubations cannot be scaled without it.
    Source: docs/pharmacokinetics.md, "No human data".
    """
    quantities, estimates, findings = {}, [], []
    for name in scaling.scaled:
        rows = [row for row in scaling.species if getattr(row, name) is not None]
        mine, said = _of_animals(name, rows, scaling, fraction_unbound) if rows else ([], [])
        if name == "clearance_l_per_h":
            vials = [_of_vial(row, scaling, fraction_unbound) for row in scaling.in_vitro]
            mine, said = [*mine, *(one for one, _ in vials)], [*said, *(f for _, more in vials for f in more)]
        value, sd, conflict = _pooled(mine)
        if conflict:
            said.append(
                Finding("GP-M115", name, f"estimates disagree: {_listed(mine)}; the prior is widened")
            )
        quantities[name] = _quantity(name, value, sd, mine, scaling)
        estimates += mine
        findings += said
    return Scaled(quantities, tuple(estimates), tuple(findings))


def _of_animals(
    name: str, rows: Sequence[Animal], scaling: Scaling, fraction_unbound: float | None
) -> tuple[list[Estimate], list[Finding]]:
    """Allometry: a fixed exponent for one or two species, a fitted one for more."""
    weights = [row.weight_kg for row in rows]
    values = [float(getattr(row, name)) for row in rows]
    species, human, findings = ", ".join(row.species for row in rows), 1.0, []
    unbound = [row.fraction_unbound for row in rows]
    if name == "clearance_l_per_h" and fraction_unbound is not None and None not in unbound:
        values = [value / share for value, share in zip(values, unbound, strict=True) if share is not None]
        human, species = fraction_unbound, f"{species}, unbound"
    elif name == "clearance_l_per_h" and set(unbound) != {None}:
        findings.append(Finding("GP-M116", name, "total clearance is scaled: a fraction unbound is missing"))
    if len(rows) < 3:
        estimate = _by_fixed_exponent(name, weights, values, scaling.weight_kg)
        return [_said(name, *estimate, species=species, human=human)], findings
    law = allometry.power_law(weights, values)
    if name != "clearance_l_per_h":
        sd = max(_usual_sd(name), law.sd_log10_at(scaling.weight_kg))
        how = f"exponent {law.exponent:.2f}"
        return [_said(name, law.at(scaling.weight_kg), sd, how, species=species, human=human)], findings
    value, sd, how, more = _by_rule(law, rows, values, scaling.weight_kg)
    return [_said(name, value, sd, how, species=species, human=human)], [*findings, *more]


def _said(name: str, value: float, sd: float, how: str, *, species: str, human: float) -> Estimate:
    return Estimate(name, value * human, sd, f"allometry ({species}), {how}")


def _usual_sd(name: str) -> float:
    known = {"clearance_l_per_h": SD_SIMPLE, "intercompartment_l_per_h": SD_INTERCOMPARTMENT}
    return known.get(name, SD_VOLUME)


def _by_fixed_exponent(
    name: str, weights: Sequence[float], values: Sequence[float], human_kg: float
) -> tuple[float, float, str]:
    """The method's error and the exponent's together; as wide as the species differ, if that is more."""
    exponent = EXPONENTS[name]
    value, spread = allometry.along_a_fixed_exponent(weights, values, exponent, human_kg)
    distance = math.log10(human_kg) - float(np.mean(np.log10(weights)))
    sd = math.hypot(_usual_sd(name), EXPONENT_SD * distance)
    return value, max(sd, spread), f"exponent {exponent:g} fixed"


def _by_rule(
    law: allometry.PowerLaw, rows: Sequence[Animal], values: Sequence[float], human_kg: float
) -> tuple[float, float, str, list[Finding]]:
    """Clearance by simple allometry, or corrected for life span or brain weight as the exponent asks."""
    name, findings = "clearance_l_per_h", []
    how, correction = f"exponent {law.exponent:.2f}", allometry.correction_of(law.exponent)
    if not USUAL_EXPONENTS[0] <= law.exponent <= USUAL_EXPONENTS[1]:
        side = "too low" if law.exponent < USUAL_EXPONENTS[0] else "too high"
        findings.append(
            Finding("GP-M117", name, f"exponent {law.exponent:.2f}: the estimate is likely {side}")
        )
    brains = [row.brain_g for row in rows]
    if correction == "none":
        return law.at(human_kg), max(SD_RULE, law.sd_log10_at(human_kg)), how, findings
    if None in brains:
        message = f"exponent {law.exponent:.2f} asks for the correction by {correction}, which needs brain_g"
        findings.append(Finding("GP-M118", name, f"{message} of every species; scaled without"))
        return law.at(human_kg), max(SD_SIMPLE, law.sd_log10_at(human_kg)), how, findings
    sizes = [(brain / 1000.0, row.weight_kg) for brain, row in zip(brains, rows, strict=True) if brain]
    factors = [_factor(correction, *size) for size in sizes]
    weights = [row.weight_kg for row in rows]
    fitted = allometry.power_law(weights, [v * f for v, f in zip(values, factors, strict=True)])
    value = fitted.at(human_kg) / _factor(correction, HUMAN_BRAIN_KG, human_kg)
    how = f"{how}, corrected by {correction}"
    return value, max(SD_RULE, fitted.sd_log10_at(human_kg)), how, findings


def _factor(correction: str, brain_kg: float, weight_kg: float) -> float:
    return allometry.life_span_y(brain_kg, weight_kg) if correction == "life span" else brain_kg


def _of_vial(
    row: Incubation, scaling: Scaling, fraction_unbound: float | None
) -> tuple[Estimate, list[Finding]]:
    """Clearance by the liver from one incubation, and what else clears the drug."""
    name, findings, human = "clearance_l_per_h", [], scaling.liver
    if fraction_unbound is None:
        raise NotSupportedError(
            "GP-M114",
            f"clearance in {row.system} cannot be scaled without the fraction unbound in human plasma",
            where="pk.scaling.in_vitro",
            expected="[pharmacology] fraction_unbound",
            next_step="add it to the compound's file, or leave out [[pk.scaling.in_vitro]]",
        )
    in_vial, sds = row.fraction_unbound_incubation, SD_VIALS
    if in_vial is None:
        in_vial, sds = 1.0, SD_VIALS_TOTAL
        findings.append(Finding("GP-M119", name, f"{row.system}: all drug in the vial is taken as unbound"))
    microsomes = row.system == "microsomes"
    intrinsic = liver.whole_liver(
        row.intrinsic_clearance,
        units_per_g=human.microsomal_protein_mg_per_g if microsomes else human.hepatocytes_1e6_per_g,
        liver_g=human.weight_g_per_kg * scaling.weight_kg,
        unbound_in_vial=in_vial,
    )
    hepatic = liver.hepatic_clearance(
        intrinsic,
        blood_flow_l_per_h=human.blood_flow_ml_per_min_per_kg * scaling.weight_kg * MIN_PER_H / ML_PER_L,
        fraction_unbound=fraction_unbound,
        blood_to_plasma=scaling.blood_to_plasma or 1.0,
        model=scaling.liver_model,
    )
    ratio = "" if scaling.blood_to_plasma else ", blood to plasma taken as 1"
    how = f"{row.system} ({row.said_by}), {scaling.liver_model}{ratio}"
    return Estimate(name, hepatic + scaling.other_clearance_l_per_h, sds[scaling.liver_model], how), findings


def _pooled(estimates: Sequence[Estimate]) -> tuple[float, float, bool]:
    """Mean of the logarithms weighted by inverse variance, its SD, and whether the estimates disagree.

    Where they scatter more than their errors say, the SD is widened by the Birge ratio.
    Source: Birge 1932, Phys Rev 40:207.
    """
    logs = np.log10([one.value for one in estimates])
    weights = np.array([one.sd_log10**-2 for one in estimates])
    mean, sd = float((weights * logs).sum() / weights.sum()), float(weights.sum() ** -0.5)
    if len(estimates) == 1:
        return float(10.0**mean), sd, False
    ratio = math.sqrt(float((weights * (logs - mean) ** 2).sum()) / (len(estimates) - 1))
    return float(10.0**mean), sd * max(ratio, 1.0), ratio > 1.0


def _listed(estimates: Sequence[Estimate]) -> str:
    return "; ".join(
        f"{one.how}: {one.value:.3g} {UNITS[one.parameter]}, x/: {10**one.sd_log10:.2g}" for one in estimates
    )


def _quantity(
    name: str, value: float, sd: float, estimates: Sequence[Estimate], scaling: Scaling
) -> Quantity:
    """The parameter as the model takes it: assumed, with how it was scaled."""
    animals = [row for row in scaling.species if getattr(row, name) is not None]
    rows = [*animals, *(scaling.in_vitro if name == "clearance_l_per_h" else ())]
    evidence = tuple(dict.fromkeys(key for row in rows for key in row.evidence))
    how = f"scaled to {scaling.weight_kg:g} kg: {_listed(estimates)}"
    if scaling.why and (name in scaling.variance or scaling.other_clearance_l_per_h):
        how = f"{how}; {scaling.why}"
    omega2 = scaling.variance.get(name, 0.0)
    why = "error of the method against people" if len(estimates) == 1 else "methods by inverse variance"
    return Quantity(
        typical=value,
        unit=UNITS[name],
        role="assumed",
        evidence=evidence,
        why=how,
        variability="lognormal" if omega2 else "none",
        omega2=omega2,
        prior=LognormalPrior(distribution="lognormal", sd_log10=sd, why=why),
    )
