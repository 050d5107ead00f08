"""The posterior that comes with Glueprint: draws as Parquet, the rest as TOML beside them."""

from __future__ import annotations

import hashlib
import json
import tomllib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import polars as pl

from glueprint import evidence
from glueprint.boundary import read_text
from glueprint.calibration.in_vitro.claims import data
from glueprint.calibration.in_vitro.parameters import beliefs
from glueprint.calibration.in_vitro.result import InVitroPosterior
from glueprint.errors import InputError
from glueprint.runs import store

__all__ = ["digest", "load", "posterior", "save"]

KIND, VERSION = "in-vitro posterior", 1
DRAWS, PARAMETERS, ABOUT = "in_vitro_draws", "in_vitro_parameters", "in_vitro_posterior.toml"
STALE = "the claims or priors have changed since; run `glueprint calibrate in-vitro --out`"


@lru_cache(maxsize=1)
def posterior() -> InVitroPosterior:
    """The posterior that comes with Glueprint; "stale" if claims or priors have changed since."""
    return load(Path(str(files("glueprint.calibration") / "data")))


def save(found: InVitroPosterior, folder: Path) -> tuple[Path, ...]:
    """Write a posterior to a folder; returns the paths of draws, parameters and description.

    Raises EnvironmentProblemError GP-R001 or GP-R002 if it cannot be written.
    """
    store.write_tables(folder, {DRAWS: found.draws, PARAMETERS: found.parameters})
    about = {
        "kind": KIND,
        "version": VERSION,
        "status": found.status,
        "reason": found.reason,
        "digest": found.digest,
        "accepted": round(found.accepted, 4),
        "evaluations": found.evaluations,
    }
    # Names, short texts and numbers: JSON's way to write them is TOML's.
    lines = ["# Written by `glueprint calibrate in-vitro --out`; the draws lie beside it."]
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in about.items()]
    lines += ["", "[settings]", *(f"{key} = {value}" for key, value in found.settings.items()), ""]
    for row in found.diagnostics.iter_rows(named=True):
        lines += [
            "[[diagnostics]]",
            f"coordinate = {json.dumps(row['coordinate'])}",
            *(f"{key} = {row[key]:.4f}" for key in ("r_hat", "effective_draws", "autocorrelation_steps")),
            "",
        ]
    store.write_file(folder / ABOUT, "\n".join(lines).rstrip() + "\n")
    return folder / f"{DRAWS}.parquet", folder / f"{PARAMETERS}.parquet", folder / ABOUT


def load(folder: Path) -> InVitroPosterior:
    """A posterior that `save` wrote.

    Raises InputError GP-K005 for a folder without one or of another version, GP-R003 for the draws.
    """
    path = folder / ABOUT
    try:
        about = tomllib.loads(read_text(path))
    except (OSError, ValueError, RecursionError) as problem:
        raise _no_posterior(path, str(problem)) from problem
    if (about.get("kind"), about.get("version")) != (KIND, VERSION):
        raise _no_posterior(path, f"kind {about.get('kind')!r}, version {about.get('version')!r}")
    fresh = about["digest"] == digest()
    return InVitroPosterior(
        draws=store.read_table(folder / f"{DRAWS}.parquet", DRAWS),
        parameters=store.read_table(folder / f"{PARAMETERS}.parquet", PARAMETERS),
        diagnostics=pl.DataFrame(about["diagnostics"]),
        accepted=about["accepted"],
        evaluations=about["evaluations"],
        settings=about["settings"],
        status=about["status"] if fresh else "stale",
        reason=about["reason"] if fresh else STALE,
        digest=about["digest"],
    )


def digest() -> str:
    """SHA-256 of all priors and fitted claims: what a posterior follows from, with its seed and steps."""
    priors = sorted(f"{b.name} {b.unit} {b}" for b in beliefs().values())
    fitted = sorted(f"{d.claim_id} {d.value:.9g} {d.error:.9g}" for d in data(evidence.load()).values())
    return hashlib.sha256("\n".join([*priors, *fitted]).encode()).hexdigest()


def _no_posterior(path: Path, what: str) -> InputError:
    return InputError(
        "GP-K005",
        f"no posterior can be read: {what}",
        where=str(path),
        expected=f'a folder with {DRAWS}.parquet and {ABOUT} of kind "{KIND}", version {VERSION}',
        next_step="write one with `glueprint calibrate in-vitro --out FOLDER`",
    )
