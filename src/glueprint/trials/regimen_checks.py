"""Checks of what a protocol gives: rules of other drugs, care without effect, drugs given twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from glueprint.errors import InputError, nearest
from glueprint.mechanism.compounds import Compound
from glueprint.trials.doserules import load_rules
from glueprint.trials.protocol import Arm, Drug, Protocol

__all__ = ["REGIMEN_CHECKS", "drugs_of", "known_conditions"]

# Covariates of a clearance that a condition of the arm switches on; the others are drawn from the case-mix.
SWITCHED = ("fluvoxamine", "dialysis")


def known_conditions(glue: Compound) -> tuple[str, ...]:
    """Conditions that the compound's file knows an effect of."""
    effects = {effect.covariate for effect in glue.pk.covariate} if glue.pk else set()
    return tuple(name for name in SWITCHED if name in effects)


def drugs_of(arm: Arm) -> Iterator[tuple[str, Drug]]:
    """Every drug of an arm, at first and after progression, with its field in the arm."""
    for number, drug in enumerate(arm.drugs):
        yield f"drugs[{number}]", drug
    for number, drug in enumerate(arm.after_progression.drugs if arm.after_progression else ()):
        yield f"after_progression.drugs[{number}]", drug


def rules_fit_the_drug(protocol: Protocol, where: str) -> None:
    """GP-T051: dose rules speak of one drug's doses in mg."""
    for index, arm in enumerate(protocol.arms):
        for field, drug in drugs_of(arm):
            meant_for = load_rules(drug.rules).compound if drug.rules is not None else drug.name
            if meant_for != drug.name:
                raise InputError(
                    "GP-T051",
                    f'dose rules "{drug.rules}" are for {meant_for}, not for {drug.name}',
                    where=f"{where}, arms[{index}].{field}.rules",
                    expected=f"rules for {drug.name}, or no `rules` at all",
                    next_step="remove `rules` here",
                )


def conditions_are_known(protocol: Protocol, where: str) -> None:
    """GP-T052: the file of the arm's glue gives the effect of every condition."""
    for index, arm in enumerate(protocol.arms):
        known = known_conditions(arm.glue) if arm.glue else ()
        for condition in arm.conditions:
            if condition not in known:
                raise InputError(
                    "GP-T052",
                    f'unknown condition "{condition}"{nearest(condition, known)}',
                    where=f"{where}, arms[{index}].conditions",
                    expected=f"one of {', '.join(known)}" if known else "none: no glue here has one",
                    next_step="correct the name; smoking and hepatic impairment belong to `case_mix`",
                )


def gcsf_has_a_glue(protocol: Protocol, where: str) -> None:
    """GP-T050: G-CSF goes with a glue."""
    if protocol.supportive_care.gcsf != "none" and not protocol.glues:
        raise InputError(
            "GP-T050",
            f"{protocol.supportive_care.gcsf} G-CSF, but no arm gives a glue",
            where=f"{where}, supportive_care.gcsf",
            expected='gcsf = "none", or an arm with a glue',
            next_step="correct one of the two",
        )


def kept_drugs_are_given_once(protocol: Protocol, where: str) -> None:
    """GP-T053: what is added at progression is not what goes on."""
    for index, arm in enumerate(protocol.arms):
        then = arm.after_progression
        twice = {drug.name for drug in arm.drugs} & {drug.name for drug in then.drugs} if then else {}
        if then and then.keep_current and twice:
            raise InputError(
                "GP-T053",
                f"{', '.join(sorted(twice))} would be given twice after progression",
                where=f"{where}, arms[{index}].after_progression",
                expected="with keep_current = true only drugs that the arm does not give already",
                next_step="remove the drug, or write keep_current = false and list all drugs",
            )


REGIMEN_CHECKS: tuple[Callable[[Protocol, str], None], ...] = (
    rules_fit_the_drug,
    conditions_are_known,
    gcsf_has_a_glue,
    kept_drugs_are_given_once,
)
