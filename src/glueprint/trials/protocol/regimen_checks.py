"""Checks of what a protocol gives: dose rules, conditions and care without effect, drugs given twice."""

from __future__ import annotations

from collections.abc import Callable

from glueprint.errors import InputError, nearest
from glueprint.mechanism import Compound
from glueprint.trials.protocol.document import Protocol
from glueprint.trials.protocol.regimen_rules import rules_suit_the_drugs

__all__ = ["REGIMEN_CHECKS", "known_conditions"]

# Covariates of a clearance that a condition of the arm switches on; the others are drawn from the case-mix.
SWITCHED = ("fluvoxamine", "dialysis")


def known_conditions(glue: Compound) -> tuple[str, ...]:
    """Conditions that the compound's file knows an effect of."""
    effects = {effect.covariate for effect in glue.pk.covariate} if glue.pk else set()
    return tuple(name for name in SWITCHED if name in effects)


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
    rules_suit_the_drugs,
    conditions_are_known,
    gcsf_has_a_glue,
    kept_drugs_are_given_once,
)
