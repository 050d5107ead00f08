"""Evidence: every published number with unit, interval, conditions, source, grade and role."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from glueprint import forks
from glueprint.evidence.accepted import (
    Accepted,
    builtin_accepted,
    not_accepted,
    read_accepted,
    write_accepted,
)
from glueprint.evidence.checks import CHECKS, Check, Finding, run_checks
from glueprint.evidence.claim import COLUMNS, GRADES, INTERVAL_KINDS, ROLES, Claim
from glueprint.evidence.claims import Claims
from glueprint.evidence.conflicts import Conflict
from glueprint.evidence.reading import read_builtin, read_file, require_unique
from glueprint.evidence.tables import TITLES, layout

__all__ = [
    "CHECKS",
    "COLUMNS",
    "GRADES",
    "INTERVAL_KINDS",
    "ROLES",
    "TITLES",
    "Accepted",
    "Check",
    "Claim",
    "Claims",
    "Conflict",
    "Finding",
    "builtin_accepted",
    "layout",
    "load",
    "not_accepted",
    "read_accepted",
    "run_checks",
    "write_accepted",
]


@lru_cache(maxsize=1)
def _builtin() -> Claims:
    claims = read_builtin()
    require_unique(claims)
    return Claims(claims)


def load(extra: str | Path | Sequence[str | Path] = ()) -> Claims:
    """The claims that come with Glueprint, and those of your own files after them.

    extra: path or paths of CSV files in the same schema (docs/evidence.md).
    Raises InputError GP-E003 to GP-E007 naming file, row and column; EnvironmentProblemError GP-E008.

    >>> len(load()) > 100
    True
    """
    forks.refuse()
    paths = [extra] if isinstance(extra, str | Path) else extra
    own = [claim for path in paths for claim in read_file(path)]
    if not own:
        return _builtin()
    claims = [*_builtin(), *own]
    require_unique(claims)
    return Claims(claims)
