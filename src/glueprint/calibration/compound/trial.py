"""Draws of a compound for a virtual trial: the reference's clinical draws, times the ratio to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from glueprint.calibration.beliefs import Belief, of_quantity
from glueprint.calibration.compound.latents import SUBSTRATES
from glueprint.calibration.compound.posterior import CompoundPosterior
from glueprint.errors import InputError
from glueprint.mechanism import Compound, Quantity, Scenario, believed, compounds, parameters
from glueprint.mechanism import substrates as rows
from glueprint.runs import streams
from glueprint.trials import ParameterDraws

__all__ = ["PREDICTED", "file_draws", "trial_draws"]

Floats = NDArray[np.float64]
PREDICTED = "predicted"
KD, INTAKE, PURPOSE = "kd_nm", "intake", "calibration/compound"
# What the fit and the clinical draws both speak of: column of the fit -> parameter of the trial.
TOGETHER: Mapping[str, str] = {
    "reference:kd_nm": KD,
    "reference:MM1S_rho": "ikzf1_myeloma_capacity",
    "reference:monocyte_rho": "ikzf1_tcell_capacity",
    "reference:kdeg_per_h": "ikzf1_myeloma_kdeg_per_h",
}
OF_FIT = ("kd_ratio", *(f"efficacy:{name}" for name in SUBSTRATES))


def trial_draws(
    posterior: CompoundPosterior, glue: Compound, clinical_draws: ParameterDraws, *, seed: int = 1
) -> ParameterDraws:
    """Draws for a trial of a compound, row by row beside the reference's.

    posterior: of `fit`.   glue: the compound that is dosed, such as `compound_of` gives.
    clinical_draws: of the reference, as `ClinicalPosterior.for_trial` gives them for the same trial.
    seed: pairs the draws, and draws the compound's pharmacokinetics from the priors of its file.
    Returns draws of the compound; patients on the reference keep the reference's own row. What the fit and
    the trials both speak of is the same in both: a ratio is taken at the clinical row's affinity.
    Raises InputError GP-K035 for clinical draws of another compound or without its affinity, and what
    `Compound.trial_quantities` raises.
    Source: own derivation, docs/your-glue-fit.md, "To the patient".
    """
    _check(posterior, clinical_draws)
    count = clinical_draws.values.shape[0]
    ratio, *fitted = _conditional(posterior, _columns(clinical_draws), count, seed)
    efficacies = _efficacies(glue, count, seed) | dict(zip(SUBSTRATES, fitted, strict=True))
    known = parameters.quantities(Scenario(glue, clinical_draws.structure))
    found = _of_glue(glue, known, clinical_draws, ratio, efficacies, seed)
    return replace(found, label=PREDICTED, beside=clinical_draws)


def file_draws(glue: Compound, clinical_draws: ParameterDraws, *, seed: int = 1) -> ParameterDraws:
    """Draws for a trial of a compound of which its file alone is known, row by row beside the reference's.

    glue, clinical_draws: as in `trial_draws`.   seed: draws the compound's numbers from the priors of its
    file: its affinity as a ratio to the reference's, its efficacies together, as nothing tells their errors
    apart, a rho that is stated directly, and pharmacokinetics.
    Returns draws of the compound; patients on the reference keep the reference's own row. Labelled as
    `clinical_draws`.   Raises what `Compound.trial_quantities` raises.
    """
    count, reference = clinical_draws.values.shape[0], clinical_draws.compound
    known = parameters.quantities(Scenario(glue, clinical_draws.structure))
    # Another molecule may have the same number, and is not known to bind alike for that.
    itself = glue.structure.smiles == reference.structure.smiles and _same(known[KD][1], reference.kd())
    if itself:
        ratio = np.ones(count)
    else:
        ratio = _drawn(of_quantity(KD, known[KD][1], glue.name), KD, count, seed) / reference.kd().typical
    efficacies = _efficacies(glue, count, seed)
    return replace(_of_glue(glue, known, clinical_draws, ratio, efficacies, seed), beside=clinical_draws)


def _drawn(belief: Belief, purpose: str, count: int, seed: int) -> Floats:
    """Values (count,) of a belief, a row of the draws each."""
    return belief.value(streams.normals(seed, f"{PURPOSE}/{purpose}", np.arange(count), 1)[:, 0])


def _efficacies(glue: Compound, count: int, seed: int) -> dict[str, Floats]:
    """The efficacies (count,) that a file gives, by substrate: high together, or low."""
    return {
        name: _drawn(of_quantity(name, quantity, glue.name), "efficacy", count, seed)
        for name, quantity in glue.pharmacology.efficacy.items()
    }


def _columns(draws: ParameterDraws) -> dict[str, Floats]:
    return {name: draws.values[:, k] for k, name in enumerate(draws.names)}


def _of_glue(
    glue: Compound,
    known: Mapping[str, tuple[str, Quantity]],
    clinical_draws: ParameterDraws,
    ratio: Floats,
    efficacies: Mapping[str, Floats],
    seed: int,
) -> ParameterDraws:
    """The system as the clinical draws have it, with a compound of this ratio and these efficacies (n,).

    known: every parameter of a trial of it.   What its file gives directly is drawn from the prior there.
    """
    column, count = _columns(clinical_draws), ratio.size
    own = {
        name for name, (section, _) in known.items() if section.startswith("compound") or section == INTAKE
    }
    system = known.keys() - own
    found = {name: column[name] for name in column if name.removeprefix("omega2.") in system}
    found[KD] = column[KD] * ratio
    for pair, (substrate, _cell) in rows.pairs(glue.known_substrates).items():
        capacity, rho = f"{pair}_capacity", f"{pair}_rho"
        # Efficacy counts on the capacity of a cell; a rho that the file states needs neither.
        if rho in known and substrate in efficacies and pair not in glue.pharmacology.rho:
            cell = column.get(capacity, np.full(count, known[capacity][1].typical))
            found[rho] = cell * efficacies[substrate]
    own -= found.keys()
    usual = parameters.quantities(Scenario(clinical_draws.compound, clinical_draws.structure))
    for name in sorted(own):
        quantity = known[name][1]
        if name in usual and _same(quantity, usual[name][1]):
            continue
        belief = of_quantity(name, quantity, glue.name)
        if belief.shape != "fixed":
            found[name] = _drawn(belief, name, count, seed)
    values = np.stack(list(found.values()), axis=1)
    return replace(clinical_draws, names=tuple(found), values=values, compound=glue)


def _same(one: Quantity, other: Quantity) -> bool:
    """Whether a number is the reference's own: the clinical draws were made with it, so it adds nothing."""
    return (one.typical, believed(one)) == (other.typical, believed(other))


def _conditional(
    posterior: CompoundPosterior, clinical: Mapping[str, Floats], count: int, seed: int
) -> list[Floats]:
    """Ratio and efficacies (count,) each, given what each clinical row says of the reference.

    Where no reference was on a plate, what is known is the compound's own constant: a row in which the
    reference binds more weakly must then say that the ratio is smaller. With a reference beside it the ratio
    does not depend on the row, and is used as it is.
    Source: Matheron's rule for draws of a conditional normal; Journel and Huijbregts 1978, on the log scale.
    """
    order = np.argsort(streams.uniforms(seed, f"{PURPOSE}/pairs", np.arange(posterior.draws.height), 1)[:, 0])
    own = np.log(np.stack([posterior.column(name) for name in OF_FIT], axis=1))
    names = [(ours, theirs) for ours, theirs in TOGETHER.items() if theirs in clinical]
    known = np.log(np.stack([posterior.column(ours) for ours, _ in names], axis=1))
    there = np.log(np.stack([clinical[theirs] for _, theirs in names], axis=1))
    joint = np.cov(np.concatenate([own, known], axis=1).T)
    k = own.shape[1]
    gain = np.linalg.solve(joint[k:, k:], joint[k:, :k])
    chosen = order[np.arange(count) % order.size]
    return list(np.exp(own[chosen] + (there - known[chosen]) @ gain).T)


def _check(posterior: CompoundPosterior, draws: ParameterDraws) -> None:
    reference = compounds.load(posterior.reference)
    problems = {
        f"draws of {draws.compound.name}": draws.compound.digest != reference.digest,
        f"draws without {KD}": KD not in draws.names,
    }
    for what, wrong in problems.items():
        if wrong:
            raise InputError(
                "GP-K035",
                f"{what} cannot be taken over to a compound measured against {posterior.reference}",
                where="clinical_draws",
                expected=f"draws of {posterior.reference} with its affinity, as of a clinical posterior",
                next_step="pass calibration.clinical.posterior().for_trial(PROTOCOL)",
            )
