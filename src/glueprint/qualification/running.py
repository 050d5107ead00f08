"""All checks in their order, and how they are run: one that raises has failed, and the others go on."""

from __future__ import annotations

import getpass
import os
import platform
import re
import time
from collections.abc import Callable, Sequence
from importlib import metadata

import glueprint
from glueprint.boundary import clock
from glueprint.qualification import installation, operation, performance
from glueprint.qualification.contract import FAILED, PASSED, Check, Outcome, Qualification

__all__ = ["CHECKS", "qualify"]

NAME = re.compile(r"[A-Za-z0-9._-]+")

CHECKS: tuple[Check, ...] = (
    Check("IQ-01", "R-01", "Packages within their limits", installation.packages),
    Check("IQ-02", "R-01", "Files as they were shipped", installation.files_as_shipped),
    Check("OQ-01", "R-02", "Models with a closed form", operation.constructs),
    Check("OQ-02", "R-03", "What cannot be run exactly is refused", operation.refusals),
    Check("OQ-03", "R-04", "NIST's certified regression", operation.nist),
    Check("OQ-04", "R-05", "Survival statistics of R", operation.r_survival),
    Check("PQ-01", "R-06", "A plate gives its truth back", performance.plate),
    Check("PQ-02", "R-07", "A glue in its own place is itself", performance.identity),
    Check("PQ-03", "R-08", "Same seed, same bits", performance.same_bits),
    Check("PQ-04", "R-09", "Posteriors are of this model", performance.posteriors),
    Check("PQ-05", "R-09", "Likelihoods computed once more", performance.likelihood),
    Check("PQ-06", "R-07", "The whole trial with the glue in its own place", performance.whole, quick=False),
    Check("PQ-07", "R-08", "The same bits in several processes", performance.processes, quick=False),
    Check("PQ-08", "R-10", "A prediction is reproduced", performance.prediction, quick=False),
)


def qualify(
    *,
    quick: bool = False,
    checks: Sequence[Check] = CHECKS,
    told: Callable[[Check], None] | None = None,
) -> Qualification:
    """Make all checks, or the quick ones, which take seconds on an idle machine.

    told: called with each check before it is made.
    """
    chosen = [check for check in checks if check.quick or not quick]
    outcomes = []
    for check in chosen:
        if told is not None:
            told(check)
        outcomes.append(_made(check))
    left_out = tuple(check.id for check in checks if check not in chosen)
    return Qualification(tuple(outcomes), left_out, _about())


def _made(check: Check) -> Outcome:
    begun = time.perf_counter()
    try:
        seen = check.look()
        status, expected, found = PASSED if seen.good else FAILED, seen.expected, seen.found
    except Exception as error:  # whatever a broken installation raises is the finding
        status, expected, found = FAILED, "an answer", f"{type(error).__name__}: {error}"[:400]
    seconds = round(time.perf_counter() - begun, 3)
    return Outcome(check.id, check.requirement, check.title, status, expected, found, seconds)


def _about() -> dict[str, object]:
    """Machine, user and versions; nothing that is secret."""
    needed = {match[0] for text in metadata.requires("glueprint") or () if (match := NAME.match(text))}
    versions = {}
    for name in sorted(needed):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "utc": clock.text(),
        "user": _user(),
        "machine": platform.node(),
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "glueprint": glueprint.__version__,
        "source": installation.source_digest(),
        "packages": versions,
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a process without a name in the system's list, as in many containers
        return "unknown"
