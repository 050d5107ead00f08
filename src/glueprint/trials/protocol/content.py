"""What a protocol comes to, whatever it is called: a digest of what decides its patients and their fate."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel

from glueprint.mechanism import Compound
from glueprint.trials.protocol.document import Drug, Protocol
from glueprint.trials.protocol.rules_loading import rules_in_force

__all__ = ["content_of"]

# Words about a protocol, and what is read off its tables, which decide nobody's fate.
WORDS = (
    "name",
    "title",
    "registry",
    "population",
    "sources",
    "assumed",
    "landmark_months",
    "pools",
    "records",
)


def content_of(protocol: Protocol) -> str:
    """SHA-256 of arms, doses, rules, compounds, randomisation, visits, follow-up, case-mix and measurement.

    Names, titles and sources, of arms as well, months of landmarks, and what is left at its default are left
    out; a compound counts by its own digest, dose rules by what they say.

    >>> from glueprint.trials import load_protocol
    >>> mm003 = load_protocol("mm003")
    >>> content_of(mm003) == content_of(mm003.model_copy(update={"name": "another"}))
    True
    """
    arms = []
    for arm in protocol.arms:
        then = arm.after_progression
        later = {**_said(then, "drugs"), "drugs": _drugs(then.drugs)} if then else None
        own = _said(arm, "drugs", "after_progression")
        arms.append({**own, "drugs": _drugs(arm.drugs), "after_progression": later})
    whole = {**_said(protocol, "arms"), "arms": arms}
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _drugs(drugs: tuple[Drug, ...]) -> list[dict[str, Any]]:
    found = []
    for drug in drugs:
        rules, glue = rules_in_force(drug.rules), drug.compound
        said = _said(drug, "compound", "rules")
        said["compound"] = glue.digest if isinstance(glue, Compound) else glue.name
        said["rules"] = rules and _said(rules, "compounds")
        found.append(said)
    return found


def _said(part: BaseModel, *without: str) -> dict[str, Any]:
    """What a part of a protocol says besides words and defaults."""
    dumped = part.model_dump(mode="json", exclude_defaults=True, exclude=set(without))
    return {key: _bare(value) for key, value in dumped.items() if key not in WORDS}


def _bare(value: Any) -> Any:
    """The value without words, at any depth."""
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items() if key not in WORDS}
    return [_bare(item) for item in value] if isinstance(value, list) else value
