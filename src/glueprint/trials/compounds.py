"""Which drugs a protocol may name, and where in the trial model their doses go."""

from __future__ import annotations

from functools import lru_cache

from glueprint.mechanism import compounds

__all__ = ["DEFAULT_GLUE", "DEXAMETHASONE", "known_compounds", "target_of"]

DEXAMETHASONE = "dexamethasone"
DEFAULT_GLUE = "pomalidomide"


@lru_cache(maxsize=1)
def known_compounds() -> tuple[str, ...]:
    """Names of the drugs that the trial model can dose."""
    return (*compounds.names(), DEXAMETHASONE)


def target_of(compound: str) -> str:
    """The species of the trial model that takes a dose of `compound`, mg."""
    return "dex_depot" if compound == DEXAMETHASONE else "glue_gut"
