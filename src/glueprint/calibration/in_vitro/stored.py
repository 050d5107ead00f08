"""The in-vitro posterior that comes with Glueprint, and others in folders."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import polars as pl

from glueprint import evidence
from glueprint.calibration.in_vitro.claims import data
from glueprint.calibration.in_vitro.parameters import beliefs
from glueprint.calibration.in_vitro.result import InVitroPosterior
from glueprint.calibration.stored import Form, standing

__all__ = ["digest", "load", "posterior", "save"]

DRAWS, PARAMETERS = "in_vitro_draws", "in_vitro_parameters"
FORM = Form(
    kind="in-vitro posterior",
    about="in_vitro_posterior.toml",
    code="GP-K005",
    made_by="`glueprint calibrate in-vitro --out`",
)
STALE = "the claims or priors have changed since; run `glueprint calibrate in-vitro --out`"


@lru_cache(maxsize=1)
def posterior() -> InVitroPosterior:
    """The posterior that comes with Glueprint; "stale" if claims or priors have changed since."""
    return load(Path(str(files("glueprint.calibration") / "data")))


def save(found: InVitroPosterior, folder: Path) -> tuple[Path, ...]:
    """Write a posterior to a folder; returns the paths of draws, parameters and description.

    Raises EnvironmentProblemError GP-R001 or GP-R002 if it cannot be written.
    """
    facts = {
        "status": found.status,
        "reason": found.reason,
        "digest": found.digest,
        "accepted": round(found.accepted, 4),
        "evaluations": found.evaluations,
    }
    lines = list[str]()
    for row in found.diagnostics.iter_rows(named=True):
        lines += [
            "[[diagnostics]]",
            f"coordinate = {json.dumps(row['coordinate'])}",
            *(f"{key} = {row[key]:.4f}" for key in ("r_hat", "effective_draws", "autocorrelation_steps")),
            "",
        ]
    tables = {DRAWS: found.draws, PARAMETERS: found.parameters}
    return FORM.save(folder, tables, facts, found.settings, more=lines)


def load(folder: Path) -> InVitroPosterior:
    """A posterior that `save` wrote.

    Raises InputError GP-K005 for a folder without one or of another version, GP-R003 for the draws.
    """
    about, tables = FORM.load(folder, (DRAWS, PARAMETERS))
    status, reason = standing(about, fresh=about["digest"] == digest(), stale=STALE)
    return InVitroPosterior(
        draws=tables[DRAWS],
        parameters=tables[PARAMETERS],
        diagnostics=pl.DataFrame(about["diagnostics"]),
        accepted=about["accepted"],
        evaluations=about["evaluations"],
        settings=about["settings"],
        digest=about["digest"],
        status=status,
        reason=reason,
    )


def digest() -> str:
    """SHA-256 of all priors and fitted claims: what a posterior follows from, with its seed and steps."""
    priors = sorted(f"{b.name} {b.unit} {b}" for b in beliefs().values())
    fitted = sorted(f"{d.claim_id} {d.value:.9g} {d.error:.9g}" for d in data(evidence.load()).values())
    return hashlib.sha256("\n".join([*priors, *fitted]).encode()).hexdigest()
