"""What a protocol may give: glues as compounds by name, path or value, and the partner drugs of the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic_core import PydanticCustomError

from glueprint.errors import GlueprintError, nearest
from glueprint.mechanism import Compound, Partner, compounds, partners

__all__ = ["GLUE_TARGET", "drug_of", "target_of"]

# The species of the trial model that takes a dose of a glue, mg.
GLUE_TARGET = "glue_gut"


def drug_of(given: Any, folder: Path | None = None) -> Compound | Partner:
    """The drug that a protocol names.

    given: name of a compound or partner, path of a compound's TOML file, the value itself, or its fields.
    folder: where a relative path begins, here if None.
    Raises PydanticCustomError GP-T008 for an unknown name, and what `compounds.load` raises.
    """
    if isinstance(given, Compound | Partner):
        return given
    if isinstance(given, dict):
        return (Partner if given.get("kind") == "partner" else Compound).model_validate(given)
    if not isinstance(given, str | Path):
        raise PydanticCustomError("GP-T006", "{given} has the wrong type", _help(given))
    if str(given) in partners.rows():
        return partners.rows()[str(given)]
    try:
        return compounds.load(given, folder=folder)
    except GlueprintError as error:
        if error.code != "GP-M001":
            raise
        known = (*compounds.names(), *partners.rows())
        hint = nearest(str(given), known)
        raise PydanticCustomError("GP-T008", 'unknown drug "{given}"{hint}', _help(given, hint)) from error


def _help(given: object, hint: str = "") -> dict[str, object]:
    known = (*compounds.names(), *partners.rows())
    return {
        "given": str(given),
        "hint": hint,
        "expected": f"one of {', '.join(known)}, or the path of a compound file in TOML",
        "next_step": "correct the name; `glueprint compound template FILE` writes a compound of your own",
    }


def target_of(drug: Compound | Partner) -> str:
    """The species of the trial model that takes a dose of this drug, mg."""
    return drug.dose_target if isinstance(drug, Partner) else GLUE_TARGET
