"""Every parameter of the fit with its prior, and where the walkers' numbers become values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.calibration.beliefs import Belief, of_quantity
from glueprint.calibration.in_vitro.potencies import ABOUT, MONOCYTE, MYELOMA, PARTS
from glueprint.experiments import grow
from glueprint.mechanism import Scenario

__all__ = [
    "ASSAYS",
    "COORDINATES",
    "OTHER_KD",
    "OTHER_RHO",
    "beliefs",
    "errors",
    "free",
    "solved_names",
    "values",
]

Floats = NDArray[np.float64]
# Binding assays of the compound: what the fit calls the constant each of them shows, and the claim.
ASSAYS: Mapping[str, str] = {assay.name: assay.claim for assay in ABOUT.assays}
# Parameters of the second glue.
OTHER_KD, OTHER_RHO = f"{ABOUT.comparator.compound}_kd_nm", f"{ABOUT.comparator.compound}_rho"
LINES = ("MM1S", "RPMI8226", "OPM2")
OWN = ("kd_nm", "tau_log10", "fp_protein_nm", "fp_tracer_kd_nm", OTHER_KD, OTHER_RHO)


def solved_names() -> dict[str, str]:
    """Name of the parameter that is solved for each potency, by `Part.name`."""
    return {part.name: f"{part.name}_rho" if part.solved == "rho" else part.solved for part in PARTS}


def free() -> tuple[str, ...]:
    """Parameters that the walkers carry as standard normal numbers, in their order."""
    shared = [name for name in (*MYELOMA, *MONOCYTE, "treg_per_h") if name not in OWN]
    return (*OWN, *shared, "assay_days", *(f"{line}_doubling_h" for line in LINES))


@lru_cache(maxsize=1)
def beliefs() -> Mapping[str, Belief]:
    """Prior of every parameter by name: the file's own, or the one that replaces it."""
    given = {
        name: Belief(name=name, source="calibration/data/in_vitro.toml", **body)
        for name, body in _settings()["beliefs"].items()
    }
    found = {name: given[name] if name in given else _from_file(name) for name in free()}
    return found | {name: given[name] for name in solved_names().values()}


def errors() -> Mapping[str, float]:
    """Standard errors, log10, of claims that print none."""
    return dict(_settings()["errors"])


# The walkers' numbers: standard normal ones, then log10 nM of the constant in each assay and of each potency.
COORDINATES: tuple[str, ...] = (
    *free(),
    *(f"assay:{name}" for name in ASSAYS),
    *(f"potency:{part.name}" for part in PARTS),
)


def values(vectors: Floats) -> dict[str, Floats]:
    """Parameters (n,) by name, and "assay:..." and "potency:..." in log10 nM, of walkers (n, p)."""
    priors, count = beliefs(), len(free())
    found = {name: priors[name].value(vectors[:, k]) for k, name in enumerate(free())}
    return found | {name: vectors[:, count + k] for k, name in enumerate(COORDINATES[count:])}


def _from_file(name: str) -> Belief:
    """The prior that the parameter's own file states."""
    if name.endswith("_doubling_h"):
        line = name.removesuffix("_doubling_h")
        return of_quantity(
            name,
            grow("culture_myeloma", Scenario.of(line=line)).quantities["doubling_h"],
            f"lines/{line}.toml",
        )
    myeloma = grow("culture_myeloma", Scenario.of(line="MM1S"))
    if name == "assay_days":
        assert myeloma.line is not None
        assert myeloma.line.assay_days is not None
        return of_quantity(name, myeloma.line.assay_days, "lines/MM1S.toml")
    if name == "kdeg_per_h":
        return of_quantity(name, myeloma.quantities["ikzf1_kdeg_per_h"], "lines/MM1S.toml")
    for model in ("culture_myeloma", "culture_monocyte", "culture_treg"):
        known = grow(model, Scenario.of()).quantities
        if name in known:
            return of_quantity(name, known[name], "parameters_culture.toml")
    raise KeyError(name)


@lru_cache(maxsize=1)
def _settings() -> dict[str, Any]:
    text = (files("glueprint.calibration") / "data" / "in_vitro.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
