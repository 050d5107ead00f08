"""An arm alone, and the same arm with another glue: for two compounds in the same virtual patients."""

from __future__ import annotations

from glueprint.errors import InputError
from glueprint.mechanism import Compound
from glueprint.trials.protocol.checks import check_protocol
from glueprint.trials.protocol.document import Arm, Drug, Protocol
from glueprint.trials.protocol.rules_document import ANY, DoseRules, Reductions
from glueprint.trials.protocol.rules_loading import rules_in_force
from glueprint.trials.protocol.variants import arm_of, lone

__all__ = ["alone", "glue_of", "in_proportion", "with_glue"]


def glue_of(protocol: Protocol, arm: str | None = None) -> tuple[Arm, Drug]:
    """An arm of a protocol and the glue that it gives: the named one, or the first that gives any.

    Raises InputError GP-T070 for an unknown arm, GP-T079 where there is no glue to be found.
    """
    arms = protocol.arms if arm is None else (arm_of(protocol, arm),)
    for one in arms:
        for drug in one.drugs:
            if drug.glue:
                return one, drug
    raise InputError(
        "GP-T079",
        f"no glue is given in {'any arm' if arm is None else f'arm {arm!r}'}",
        where=f"{protocol.name}, arms",
        expected="an arm with a glue among its drugs, whose place another takes",
        next_step=f"name another arm; `glueprint trial show {protocol.name}` lists them",
    )


def alone(protocol: Protocol, arm: str | None = None, *, patients: int | None = None) -> Protocol:
    """An arm as written and alone, called by its glue and dose; the protocol keeps its name, so that all
    protocols made of it enrol the same patients.

    patients: those of the arm if None.   Raises as `glue_of`.
    """
    chosen, drug = glue_of(protocol, arm)
    return _called(lone(protocol, chosen, patients), drug)


def with_glue(
    protocol: Protocol,
    glue: Compound,
    *,
    dose_mg: float,
    days: str | None = None,
    rules: DoseRules | str | None = None,
    arm: str | None = None,
    patients: int | None = None,
) -> Protocol:
    """The arm of `alone` with another glue in the place of its own.

    dose_mg, days: of the glue; days as written if None.   rules: its dose rules, "none" for a fixed dose;
    None: those of the glue that it replaces, with their doses in proportion.
    Where the arm gives its glue after progression as well, the other takes that place, too.
    Raises as `glue_of`, and what the checks of a protocol raise.
    """
    chosen, old = glue_of(protocol, arm)
    law = rules_in_force(old.rules) if rules is None else rules_in_force(rules)
    if rules is None and law is not None and old.dose_mg:
        law = in_proportion(law, dose_mg, old.dose_mg)

    def replaced(drug: Drug) -> Drug:
        if drug.compound != old.compound:
            return drug
        share = drug.dose_mg / old.dose_mg if old.dose_mg else 1.0
        changes = {"compound": glue, "dose_mg": share * dose_mg, "rules": law or "none", "above_age": None}
        return drug.model_copy(update=changes | ({"days": days} if days and drug is old else {}))

    then = chosen.after_progression
    if then is not None:
        # A patient can have one glue: what stands in for later lines is the new one, too.
        then = then.model_copy(update={"drugs": tuple(map(replaced, then.drugs))})
    drugs = tuple(map(replaced, chosen.drugs))
    new = chosen.model_copy(update={"drugs": drugs, "after_progression": then})
    changed = _called(lone(protocol, new, patients), replaced(old))
    check_protocol(changed, f"{protocol.name} with {glue.name}")
    return changed


def in_proportion(rules: DoseRules, dose_mg: float, of_mg: float) -> DoseRules:
    """Rules for a starting dose with the limits of those for another: every dose in them in proportion.

    dose_mg: of the new glue.   of_mg: the starting dose that the rules are written for.
    """

    def scaled(value: float | None) -> float | None:
        # The starting dose itself must come out as it is, and not one rounding away.
        return None if value is None else value / of_mg * dose_mg

    old = rules.reductions
    doses = {name: scaled(getattr(old, name)) for name in ("step_mg", "first_mg", "lowest_mg")}
    levels = tuple(level / of_mg * dose_mg for level in old.levels_mg)
    falls: Reductions = old.model_copy(update={"levels_mg": levels, **doses})
    why = f"the limits of {rules.name}, with its doses in proportion, {dose_mg:g} mg for {of_mg:g} mg"
    return rules.model_copy(
        update={
            "name": f"{rules.name}-in-proportion",
            "title": f"{rules.title}, doses in proportion",
            "compounds": (ANY,),
            "reductions": falls,
            "assumed": why,
        }
    )


def _called(protocol: Protocol, drug: Drug) -> Protocol:
    """A protocol of one arm, which is called by its glue and dose."""
    (arm,) = protocol.arms
    named = arm.model_copy(update={"name": f"{drug.name} {drug.dose_mg:g} mg"})
    return protocol.model_copy(update={"arms": (named,)})
