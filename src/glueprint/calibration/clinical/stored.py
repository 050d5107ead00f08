"""The clinical posteriors that come with Glueprint, and others in folders."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from glueprint import evidence
from glueprint.calibration.clinical.parameters import SCOPES, STRUCTURES, TRIALS, free
from glueprint.calibration.clinical.result import ClinicalPosterior
from glueprint.calibration.clinical.summaries import published
from glueprint.calibration.stored import Form, standing
from glueprint.calibration.targets import clinical_targets
from glueprint.errors import InputError, nearest
from glueprint.mechanism import BASELINE_OF, Scenario, models, parameters
from glueprint.trials import content_of, load_protocol

__all__ = ["SHIPPED", "digest", "load", "posterior", "save"]

TABLES = ("draws", "parameters", "summaries", "diagnostics")
CHECK = "held_out"  # one more table, of a fit to the arms
STALE = (
    "claims, priors, protocols or the mechanism have changed since; run `glueprint calibrate clinical --out`"
)
STANDING = ("status", "reason", "digest")
NUMBERS = ("log_evidence", "misfit", "targets", "simulations")


# The fits that come with Glueprint: of the first structure in every scope, each with its prediction of what
# it has not read, of claret also that to the arms.
SHIPPED = (
    *(("burden", scope) for scope in SCOPES),
    ("claret", "trials"),
    ("claret", "arms"),
    ("two-clone", "trials"),
)


@lru_cache(maxsize=8)
def posterior(structure: str = STRUCTURES[0], scope: str = "trials") -> ClinicalPosterior:
    """The posterior of a structure that comes with Glueprint; "stale" if what it follows from has changed.

    scope: what was fitted, one of SCOPES.
    Raises InputError GP-K010 for an unknown structure or scope, or a pair that is not in SHIPPED.

    >>> posterior().structure
    'burden'
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
        option = {"trials": "", "arms": "--arms-only "}.get(scope, f"--only {scope} ")
        raise InputError(
            "GP-K010",
            f'a fit of structure "{structure}" to the {scope} does not come with Glueprint',
            expected=" or ".join(f"{one} to the {what}" for one, what in SHIPPED),
            next_step=f"glueprint calibrate clinical --structure {structure} {option}--out FOLDER",
        )
    return load(Path(str(files("glueprint.calibration") / "data")), structure, scope)


def save(found: ClinicalPosterior, folder: Path) -> tuple[Path, ...]:
    """Write a posterior to a folder; returns the paths. Raises EnvironmentProblemError GP-R001 or GP-R002."""
    form, stem = _form(found.structure, found.scope)
    tables = {f"{stem}_{name}": getattr(found, name) for name in _tables(found.scope)}
    facts = {name: getattr(found, name) for name in ("structure", "scope", *STANDING, *NUMBERS)}
    return form.save(folder, tables, facts, found.settings)


def load(folder: Path, structure: str, scope: str = "trials") -> ClinicalPosterior:
    """A posterior that `save` wrote.

    Raises InputError GP-K011 for a folder without one or of another version, GP-R003 for its tables.
    """
    form, stem = _form(structure, scope)
    about, read = form.load(folder, [f"{stem}_{name}" for name in _tables(scope)])
    tables = {name: read[f"{stem}_{name}"] for name in _tables(scope)}
    missing = [name for name in free(structure).names if name not in tables["draws"].columns]
    if missing:
        raise form.refused(folder, f"draws of {', '.join(missing)} are not in it")
    status, reason = standing(about, fresh=about["digest"] == digest(structure, scope), stale=STALE)
    return ClinicalPosterior(
        structure=structure,
        scope=scope,
        draws=tables["draws"],
        parameters=tables["parameters"],
        summaries=tables["summaries"],
        diagnostics=tables["diagnostics"],
        settings=about["settings"],
        digest=about["digest"],
        held_out=tables.get(CHECK),
        **{name: about[name] for name in NUMBERS},
        status=status,
        reason=reason,
    )


def digest(structure: str, scope: str = "trials") -> str:
    """SHA-256 of what a posterior follows from: priors, published summaries, protocols, the model.

    The model's own values of the free parameters and of baselines are left out: every draw and every patient
    replaces them.
    """
    given = free(structure)
    priors = [f"{b.name} {b.unit} {b}" for b in given.beliefs]
    priors += [f"{x:.9g}" for x in (*given.centre, *given.root.ravel(), given.study_sd_log10)]
    priors += [f"{b.name} {b}" for b in given.carried]
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


def _form(structure: str, scope: str) -> tuple[Form, str]:
    """How a posterior lies in a folder, and how the names of its files begin."""
    stem = f"clinical_{structure}" if scope == "trials" else f"clinical_{structure}_{scope}"
    made_by = "`glueprint calibrate clinical --out`"
    return Form("clinical posterior", f"{stem}.toml", "GP-K011", made_by), stem


def _tables(scope: str) -> tuple[str, ...]:
    return TABLES if scope == "trials" else (*TABLES, CHECK)
