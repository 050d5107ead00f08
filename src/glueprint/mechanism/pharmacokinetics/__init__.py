"""Pharmacokinetics as data: structures, a user's own module, doses, and scaling from animals and vials."""

from glueprint.mechanism.pharmacokinetics.composing import parts
from glueprint.mechanism.pharmacokinetics.doses import Intake, doses_of, due, together
from glueprint.mechanism.pharmacokinetics.module_file import with_module
from glueprint.mechanism.pharmacokinetics.preclinical import Scaling
from glueprint.mechanism.pharmacokinetics.scaling import Estimate, Finding, Scaled, scale
from glueprint.mechanism.pharmacokinetics.section import Pharmacokinetics
from glueprint.mechanism.pharmacokinetics.values import (
    conduct_quantities,
    covariances,
    covariates,
    findings,
    quantities,
    scaled,
)

__all__ = [
    "Estimate",
    "Finding",
    "Intake",
    "Pharmacokinetics",
    "Scaled",
    "Scaling",
    "conduct_quantities",
    "covariances",
    "covariates",
    "doses_of",
    "due",
    "findings",
    "parts",
    "quantities",
    "scale",
    "scaled",
    "together",
    "with_module",
]
