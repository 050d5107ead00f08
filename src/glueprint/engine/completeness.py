"""What a file must say before it is a model that can run: contents, rates and stoichiometries."""

from __future__ import annotations

from typing import Any

from glueprint.errors import InputError

__all__ = ["check"]

PARTS = ("Compartments", "Species", "Parameters", "Reactions", "Rules", "Events")


def check(document: Any, where: str) -> None:
    """Raise InputError where a document is valid and yet leaves open what it means.

    GP-N042 (nothing in it), GP-N044 (a stoichiometry without value), GP-N045 (a reaction without rate).
    """
    model = document.getModel()
    if not any(getattr(model, f"getNum{part}")() for part in PARTS):
        raise InputError(
            "GP-N042",
            "holds no model: no species, parameter, reaction, rule or event",
            where=where,
            expected="a model in Antimony or SBML",
            next_step="check that the file is complete: a download that failed leaves such files",
        )
    set_elsewhere = _set_elsewhere(model)
    for i in range(model.getNumReactions()):
        reaction = model.getReaction(i)
        _check_stoichiometries(reaction, set_elsewhere, where)
        _check_rate(model, reaction, where)


def _set_elsewhere(model: Any) -> set[str]:
    """Names that rules or initial assignments give a value."""
    names = {model.getRule(i).getVariable() for i in range(model.getNumRules())}
    return names | {
        model.getInitialAssignment(i).getSymbol() for i in range(model.getNumInitialAssignments())
    }


def _participants(reaction: Any) -> list[Any]:
    return [
        *(reaction.getReactant(i) for i in range(reaction.getNumReactants())),
        *(reaction.getProduct(i) for i in range(reaction.getNumProducts())),
    ]


def _check_stoichiometries(reaction: Any, set_elsewhere: set[str], where: str) -> None:
    if reaction.getLevel() < 3:  # where 1 is the value of what is not said
        return
    for item in _participants(reaction):
        if not (item.isSetStoichiometry() or (item.isSetId() and item.getId() in set_elsewhere)):
            raise InputError(
                "GP-N044",
                f'reaction "{reaction.getId()}": the stoichiometry of "{item.getSpecies()}" has no value',
                where=where,
                expected='an attribute such as stoichiometry="1"; Level 3 of SBML has no default',
                next_step="write it into the file (other programs take 1)",
            )


def _check_rate(model: Any, reaction: Any, where: str) -> None:
    law = reaction.getKineticLaw()
    if law is not None and law.getMath() is not None:
        return
    for item in _participants(reaction):
        species = model.getSpecies(item.getSpecies())
        if not (species.getBoundaryCondition() or species.getConstant()):
            raise InputError(
                "GP-N045",
                f'reaction "{reaction.getId()}" has no rate, so "{species.getId()}" has no course',
                where=where,
                expected="a kinetic law for every reaction",
                next_step="write the kinetic law, or remove the reaction",
            )
