"""The posteriors that come with Glueprint: tables as Parquet, the rest as TOML beside them."""

from __future__ import annotations

import hashlib
import json
import tomllib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from glueprint import evidence
from glueprint.boundary import read_text
from glueprint.calibration.clinical.parameters import SCOPES, STRUCTURES, TRIALS, free
from glueprint.calibration.clinical.result import ClinicalPosterior
from glueprint.calibration.clinical.summaries import published
from glueprint.calibration.targets import clinical_targets
from glueprint.errors import InputError, nearest
from glueprint.mechanism import BASELINE_OF, Scenario, models, parameters
from glueprint.runs import store
from glueprint.trials import content_of, load_protocol

__all__ = ["SHIPPED", "digest", "load", "posterior", "save"]

KIND, VERSION = "clinical posterior", 1
TABLES = ("draws", "parameters", "summaries", "diagnostics")
CHECK = "held_out"  # one more table, of a fit to the arms
STALE = (
    "claims, priors, protocols or the mechanism have changed since; run `glueprint calibrate clinical --out`"
)
NUMBERS = ("log_evidence", "misfit", "targets", "simulations")


# The fits that come with Glueprint: of the usual structure also that to the arms, with its check.
SHIPPED = (("claret", "trials"), ("claret", "arms"), ("two-clone", "trials"))


@lru_cache(maxsize=4)
def posterior(structure: str = "claret", scope: str = "trials") -> ClinicalPosterior:
    """The posterior of a structure that comes with Glueprint; "stale" if what it follows from has changed.

    scope: what was fitted, one of SCOPES.
    Raises InputError GP-K010 for an unknown structure or scope, or a pair that is not in SHIPPED.
    """
    for what, name, names in (("structure", structure, STRUCTURES), ("scope", scope, SCOPES)):
        if name not in names:
            raise InputError(
                "GP-K010",
                f'unknown {what} "{name}"{nearest(name, names)}',
                expected=f"one of {', '.join(names)}",
                next_step="correct the name",
            )
    if (structure, scope) not in SHIPPED:
        raise InputError(
            "GP-K010",
            f'a fit of structure "{structure}" to the {scope} does not come with Glueprint',
            expected=" or ".join(f"{one} to the {what}" for one, what in SHIPPED),
            next_step=f"glueprint calibrate clinical --structure {structure} --arms-only --out FOLDER",
        )
    return load(Path(str(files("glueprint.calibration") / "data")), structure, scope)


def save(found: ClinicalPosterior, folder: Path) -> tuple[Path, ...]:
    """Write a posterior to a folder; returns the paths. Raises EnvironmentProblemError GP-R001 or GP-R002."""
    stem = _stem(found.structure, found.scope)
    tables = {f"{stem}_{name}": getattr(found, name) for name in _tables(found.scope)}
    store.write_tables(folder, tables)
    about = {
        "kind": KIND,
        "version": VERSION,
        "structure": found.structure,
        "scope": found.scope,
        "status": found.status,
        "reason": found.reason,
        "digest": found.digest,
        **{name: getattr(found, name) for name in NUMBERS},
    }
    lines = ["# Written by `glueprint calibrate clinical --out`; the tables lie beside it."]
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in about.items()]
    lines += ["", "[settings]", *(f"{key} = {json.dumps(value)}" for key, value in found.settings.items())]
    path = folder / f"{stem}.toml"
    store.write_file(path, "\n".join(lines) + "\n")
    return (*(folder / f"{name}.parquet" for name in tables), path)


def load(folder: Path, structure: str, scope: str = "trials") -> ClinicalPosterior:
    """A posterior that `save` wrote.

    Raises InputError GP-K011 for a folder without one or of another version, GP-R003 for its tables.
    """
    stem = _stem(structure, scope)
    path = folder / f"{stem}.toml"
    try:
        about = tomllib.loads(read_text(path))
    except (OSError, ValueError, RecursionError) as problem:
        raise _no_posterior(path, str(problem)) from problem
    if (about.get("kind"), about.get("version")) != (KIND, VERSION):
        raise _no_posterior(path, f"kind {about.get('kind')!r}, version {about.get('version')!r}")
    tables = {
        name: store.read_table(folder / f"{stem}_{name}.parquet", f"{stem}_{name}") for name in _tables(scope)
    }
    missing = [name for name in free(structure).names if name not in tables["draws"].columns]
    if missing:
        raise _no_posterior(path, f"draws of {', '.join(missing)} are not in it")
    fresh = about["digest"] == digest(structure, scope)
    return ClinicalPosterior(
        structure=structure,
        scope=scope,
        draws=tables["draws"],
        parameters=tables["parameters"],
        summaries=tables["summaries"],
        diagnostics=tables["diagnostics"],
        log_evidence=about["log_evidence"],
        misfit=about["misfit"],
        targets=about["targets"],
        simulations=about["simulations"],
        settings=about["settings"],
        status=about["status"] if fresh else "stale",
        reason=about["reason"] if fresh else STALE,
        digest=about["digest"],
        held_out=tables.get(CHECK),
    )


def digest(structure: str, scope: str = "trials") -> str:
    """SHA-256 of what a posterior follows from: priors, published summaries, protocols, the model.

    The model's own values of the free parameters and of baselines are left out: every draw and every patient
    replaces them.
    """
    given = free(structure)
    priors = [f"{b.name} {b.unit} {b}" for b in given.beliefs]
    priors += [f"{x:.9g}" for x in (*given.centre, *given.root.ravel(), given.study_sd_log10)]
    targets = clinical_targets(evidence.load()).targets
    wanted = [f"{s.key} {s.readings} {s.n}" for s in published(targets, scope)]
    protocols = [content_of(load_protocol(name)) for name in TRIALS]
    # A capacity acts as the compound's rho.
    replaced = {name.replace("_capacity", "_rho") for names in given.sets.values() for name in names}
    scenario = Scenario.of(structure=structure)
    source = models.source(models.TRIALS[structure], scenario).splitlines()
    replaced |= set(BASELINE_OF.values())
    model = [line for line in source if line.split("=")[0].strip() not in replaced]
    varied, covariance = parameters.random_effects(scenario)
    spread = [
        f"{name} {covariance[k, k]:.9g}" for k, name in enumerate(varied) if f"omega2.{name}" not in replaced
    ]
    return hashlib.sha256("\n".join([*priors, *wanted, *protocols, *model, *spread]).encode()).hexdigest()


def _stem(structure: str, scope: str) -> str:
    """How the files of a posterior begin."""
    return f"clinical_{structure}" if scope == "trials" else f"clinical_{structure}_{scope}"


def _tables(scope: str) -> tuple[str, ...]:
    return TABLES if scope == "trials" else (*TABLES, CHECK)


def _no_posterior(path: Path, what: str) -> InputError:
    return InputError(
        "GP-K011",
        f"no clinical posterior can be read: {what}",
        where=str(path),
        expected=f'a file of kind "{KIND}", version {VERSION}, with its tables beside it',
        next_step="write one with `glueprint calibrate clinical --out FOLDER`",
    )
