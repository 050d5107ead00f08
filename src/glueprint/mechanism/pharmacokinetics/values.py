"""Parameters of a compound's pharmacokinetics by the names of the model, with variances and covariates."""

from __future__ import annotations

from glueprint.mechanism.pharmacokinetics.composing import OWN_PREFIX
from glueprint.mechanism.pharmacokinetics.scaling import Finding, Scaled, scale
from glueprint.mechanism.pharmacokinetics.section import Pharmacokinetics
from glueprint.mechanism.quantities import Covariance, CovariateEffect, FixedPrior, Quantity

__all__ = ["conduct_quantities", "covariances", "covariates", "findings", "quantities", "scaled"]


def quantities(pk: Pharmacokinetics, fraction_unbound: Quantity | None = None) -> dict[str, Quantity]:
    """The parameters that the model reads, by their names there.

    fraction_unbound: in human plasma, from the compound's pharmacology; needed to scale incubations.
    Raises NotSupportedError GP-M114 where it is needed and missing.
    """
    if pk.is_own_module:
        return {f"{OWN_PREFIX}{name}": quantity for name, quantity in pk.parameters.items()}
    from_rows = scaled(pk, fraction_unbound)
    known = from_rows.quantities if from_rows else {}
    return {name: getattr(pk, name) or known[name] for name in pk.engine_fields}


def conduct_quantities(pk: Pharmacokinetics) -> dict[str, Quantity]:
    """What is read when a dose is given and not by the model: lag, bioavailability, time of absorption."""
    given = {name: getattr(pk, name) for name in pk.conduct_fields}
    return {name: quantity or _whole() for name, quantity in given.items()}


def _whole() -> Quantity:
    why = "not in the compound's file: clearance and volumes are taken as those over bioavailability"
    prior = FixedPrior(distribution="fixed", why="by definition")
    return Quantity(typical=1.0, unit="dimensionless", role="assumed", why=why, prior=prior)


def covariances(pk: Pharmacokinetics) -> tuple[Covariance, ...]:
    """Covariances between random effects, with the parameters' names in the model."""
    return tuple(
        pair.model_copy(update={"between": tuple(_name(pk, name) for name in pair.between)})
        for pair in pk.covariance
    )


def covariates(pk: Pharmacokinetics) -> tuple[CovariateEffect, ...]:
    """Effects of covariates, with the parameters' names in the model."""
    return tuple(
        effect.model_copy(update={"parameter": _name(pk, effect.parameter)}) for effect in pk.covariate
    )


def _name(pk: Pharmacokinetics, name: str) -> str:
    return f"{OWN_PREFIX}{name}" if name in pk.parameters else name


def scaled(pk: Pharmacokinetics, fraction_unbound: Quantity | None = None) -> Scaled | None:
    """What animals and vials say of people, None where the file has no such rows. Raises as `quantities`."""
    if pk.scaling is None:
        return None
    return scale(pk.scaling, fraction_unbound.typical if fraction_unbound else None)


def findings(pk: Pharmacokinetics, fraction_unbound: Quantity | None = None) -> tuple[Finding, ...]:
    """What a reader should know before believing scaled numbers. Raises as `quantities`."""
    from_rows = scaled(pk, fraction_unbound)
    return from_rows.findings if from_rows else ()
