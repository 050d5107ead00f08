"""Dose rules as a protocol names them: their files are read, and each set has to suit its drug and dose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from glueprint.errors import GlueprintError, InputError, nearest, together
from glueprint.trials.protocol.document import Arm, Drug, Protocol
from glueprint.trials.protocol.ladder import ROUNDING
from glueprint.trials.protocol.rules_document import DoseRules
from glueprint.trials.protocol.rules_loading import NO_RULES, available_rules, rules_in_force, rules_to_keep

__all__ = ["drugs_of", "read_rules", "rules_suit_the_drugs"]


def drugs_of(arm: Arm) -> Iterator[tuple[str, Drug]]:
    """Every drug of an arm, at first and after progression, with its field in the arm."""
    for number, drug in enumerate(arm.drugs):
        yield f"drugs[{number}]", drug
    for number, drug in enumerate(arm.after_progression.drugs if arm.after_progression else ()):
        yield f"after_progression.drugs[{number}]", drug


def read_rules(protocol: Protocol, where: str, folder: Path | None = None) -> Protocol:
    """The protocol with the content of every file of rules that it names, so that it stays what it is
    wherever and whenever it runs; rules that come with Glueprint keep their names.

    folder: of the protocol's file, to which paths are relative.
    Raises InputError GP-T015 and GP-T060 to GP-T067, all findings of all files together.
    """
    known: dict[str, str | DoseRules] = {}
    findings: list[GlueprintError] = []

    def loaded(field: str, drug: Drug) -> Drug:
        name = drug.rules
        if not isinstance(name, str):
            return drug
        try:
            if name not in known:
                known[name] = rules_to_keep(name, folder)
        except InputError as error:
            findings.append(_placed(error, f"{where}, {field}.rules"))
            return drug
        return drug.model_copy(update={"rules": known[name]})

    arms = tuple(_with_drugs(arm, f"arms[{index}]", loaded) for index, arm in enumerate(protocol.arms))
    if findings:
        raise together(findings)
    return protocol.model_copy(update={"arms": arms})


def _with_drugs(arm: Arm, field: str, change: Callable[[str, Drug], Drug]) -> Arm:
    """The arm with every drug changed."""
    changes: dict[str, object] = {
        "drugs": tuple(change(f"{field}.drugs[{number}]", drug) for number, drug in enumerate(arm.drugs))
    }
    if then := arm.after_progression:
        place = f"{field}.after_progression.drugs"
        drugs = tuple(change(f"{place}[{number}]", drug) for number, drug in enumerate(then.drugs))
        changes["after_progression"] = then.model_copy(update={"drugs": drugs})
    return arm.model_copy(update=changes)


def _placed(error: InputError, field: str) -> InputError:
    """A finding in a file of rules, with the field of the protocol that names the file before it."""
    return InputError(
        error.code,
        error.message,
        where=f"{field}, {error.where}" if error.where else field,
        expected=error.expected,
        next_step=error.next_step,
    )


def rules_suit_the_drugs(protocol: Protocol, where: str) -> None:
    """GP-T015, GP-T051, GP-T068, GP-T069: every glue has rules, or says that it has none, which exist, are
    for it, and know what to do with its starting dose."""
    findings: list[GlueprintError] = []
    for index, arm in enumerate(protocol.arms):
        for field, drug in drugs_of(arm):
            place = f"{where}, arms[{index}].{field}"
            try:
                _check(drug, place)
            except InputError as error:
                findings.append(error)
    if findings:
        raise together(findings)


def _check(drug: Drug, place: str) -> None:
    is_glue = drug.glue is not None
    if drug.rules is None and is_glue:
        raise InputError(
            "GP-T068",
            f"nothing says which dose rules hold for {drug.name}",
            where=f"{place}.rules",
            expected=f"one of {', '.join(available_rules())}, the path of a .toml file, or "
            f'rules = "{NO_RULES}" for a fixed dose, which nothing holds or lowers',
            next_step=f'add `rules`, such as rules = "{NO_RULES}"',
        )
    try:
        rules = rules_in_force(drug.rules)
    except InputError as error:
        raise _placed(error, f"{place}.rules") from error
    if rules is None:
        return
    if not is_glue or not rules.are_for(drug.name):
        raise _of_another(rules, drug, place, is_glue=is_glue)
    _check_start(rules, drug.name, (drug.dose_mg, f"{place}.dose_mg"))
    if drug.above_age is not None:
        _check_start(rules, drug.name, (drug.above_age.dose_mg, f"{place}.above_age.dose_mg"))


def _of_another(rules: DoseRules, drug: Drug, place: str, *, is_glue: bool) -> InputError:
    owners, hint = ", ".join(rules.compounds), nearest(drug.name, rules.compounds)
    if not is_glue:
        return InputError(
            "GP-T051",
            f'dose rules "{rules.name}" are for {owners}, not for {drug.name}, whose dose is fixed',
            where=f"{place}.rules",
            expected=f'rules = "{NO_RULES}", or no `rules` here; they go with the glue',
            next_step="remove `rules` here",
        )
    return InputError(
        "GP-T051",
        f'dose rules "{rules.name}" are for {owners}, not for {drug.name}{hint}',
        where=f"{place}.rules",
        expected=f'rules for {drug.name} or for "any" compound, or rules = "{NO_RULES}" for a fixed dose',
        next_step="write rules of your own (`glueprint trial rules template my-rules.toml`) and give their "
        "path here",
    )


def _check_start(rules: DoseRules, compound: str, start: tuple[float, str]) -> None:
    """GP-T069: a dose with which the rules can begin; of a drug that nobody is given they say nothing."""
    dose_mg, field = start
    if dose_mg == 0:
        return
    reductions, levels = rules.reductions, rules.reductions.levels_mg
    if dose_mg < reductions.least_mg * (1.0 - ROUNDING):
        problem = f"is below {reductions.least_mg:g} mg, the lowest dose"
    elif levels and reductions.other_starts == "refused" and not _among(dose_mg, levels):
        problem = "is no level"
    else:
        return
    allowed = f"at least {reductions.least_mg:g} mg"
    if levels and reductions.other_starts == "refused":
        allowed = f"one of the levels {', '.join(f'{level:g}' for level in levels)} mg"
    raise InputError(
        "GP-T069",
        f'{dose_mg:g} mg of {compound} {problem} of dose rules "{rules.name}", which do not say how it falls',
        where=field,
        expected=allowed,
        next_step="begin at such a dose, or give rules of your own (`glueprint trial rules template "
        f'my-rules.toml`) with this dose or with steps, or rules = "{NO_RULES}" for a fixed dose',
    )


def _among(dose_mg: float, levels: tuple[float, ...]) -> bool:
    return any(abs(dose_mg - level) <= ROUNDING * level for level in levels)
