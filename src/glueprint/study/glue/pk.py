"""Pharmacokinetics of a project: its own file, or those of the reference, marked as borrowed."""

from __future__ import annotations

from dataclasses import dataclass

from glueprint.assays.findings import Finding
from glueprint.mechanism import Compound, Quantity
from glueprint.mechanism.pharmacokinetics import Pharmacokinetics
from glueprint.study.glue.project import BORROWED, Project, read_pk

__all__ = ["Known", "known"]

# Clearance and volumes of two compounds of one class differ about twofold (95 %: fourfold); assumed.
BORROWED_SD_LOG10 = 0.3
BORROWED_SD_LOGIT = 1.0
SCALED = ("absorption_per_h", "clearance_l_per_h", "central_l", "intercompartment_l_per_h", "peripheral_l")


@dataclass(frozen=True)
class Known:
    """What is known of the pharmacokinetics; None for what is not.   source: in words."""

    pk: Pharmacokinetics | None
    fraction_unbound: Quantity | None
    source: str
    findings: tuple[Finding, ...]


def known(project: Project, reference: Compound) -> Known:
    """The pharmacokinetics of a project.

    reference: whose are borrowed where the project says so.   Raises as `read_pk`.
    """
    own = read_pk(project)
    if own is not None:
        assert project.pk is not None
        return Known(own.pk, own.fraction_unbound, project.pk.source, ())
    if project.pk is not None and project.pk.source == BORROWED:
        return _borrowed(reference)
    missing = Finding(
        "GP-S030",
        "warning",
        f"no pharmacokinetics of {project.compound}: there is no trial without them",
        where="glue.toml, [pk]",
        expected='source = "pk.toml" with fraction unbound and [pk], or source = "borrowed"',
        next_step="add them; docs/pharmacokinetics.md says how a first guess comes from animals and vials",
    )
    return Known(None, None, "none", (missing,))


def _borrowed(reference: Compound) -> Known:
    why = f"borrowed from {reference.name}: nobody measured it"

    def wide(quantity: Quantity, prior: dict[str, object]) -> Quantity:
        said = {"role": "assumed", "evidence": (), "why": why, "prior": prior}
        return Quantity.model_validate(quantity.model_dump(exclude_none=True) | said)

    lognormal: dict[str, object] = {"distribution": "lognormal", "sd_log10": BORROWED_SD_LOG10}
    pk, unbound = reference.pk, reference.pharmacology.fraction_unbound
    assert pk is not None
    assert unbound is not None
    numbers = {
        field: wide(quantity, lognormal) for field in SCALED if (quantity := getattr(pk, field)) is not None
    }
    note = Finding(
        "GP-S031",
        "warning",
        f"pharmacokinetics are {why}; each may be a factor of 4 off",
        where="glue.toml, [pk]",
        expected="a file of this compound's own",
        next_step="measure them, or scale them from animals and vials (docs/pharmacokinetics.md)",
    )
    return Known(
        pk.model_copy(update=numbers),
        wide(unbound, {"distribution": "logit-normal", "sd_logit": BORROWED_SD_LOGIT}),
        f"borrowed from {reference.name}",
        (note,),
    )
