"""Parameters of the trial model: the table with its sources, and the values of single patients."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from pydantic import field_validator

from glueprint.documents import Document, read, validate
from glueprint.errors import InputError, nearest
from glueprint.mechanism.compounds import Compound, load
from glueprint.mechanism.quantities import CODES, Covariance, Quantity, believed, need_priors

__all__ = [
    "COVARIATES",
    "baselines",
    "culture",
    "frame",
    "individual",
    "quantities",
    "random_effects",
    "read_system",
    "system",
    "table",
    "typical",
]

Floats = NDArray[np.float64]

# Covariates of a patient, with their units; the four baselines set where each lineage starts and rests.
COVARIATES = (
    "sex_female",
    "weight_kg",
    "total_protein_g_per_l",
    "age_y",
    "anc0",
    "platelets0",
    "haemoglobin0",
    "m_protein0",
)
BASELINE_OF = {
    "anc0": "anc0_1e9_per_l",
    "platelets0": "platelets0_1e9_per_l",
    "haemoglobin0": "haemoglobin0_g_per_dl",
    "m_protein0": "m_protein0_g_per_l",
}
POOLS = ("progenitors", "arrested", "maturing", "releasing")


class Group(Document):
    """One section of the parameter file."""

    quantities: dict[str, Quantity]
    covariance: tuple[Covariance, ...] = ()

    @field_validator("quantities", mode="after")
    @classmethod
    def _have_priors(cls, value: dict[str, Quantity]) -> dict[str, Quantity]:
        need_priors(value)
        return value


class System(Document):
    """All parameters that do not belong to a compound, by section."""

    kind: Literal["parameters"]
    version: Literal[1]
    groups: dict[str, Group]


@lru_cache(maxsize=2)
def _read(file: str) -> System:
    return read_system(Path(str(files("glueprint.mechanism") / "data" / file)))


def read_system(path: Path) -> System:
    """A file of parameters. Raises InputError GP-M002 to GP-M004 (a bad field, a missing prior), GP-M010."""
    content = read(path, CODES)
    head = {key: content.pop(key) for key in ("kind", "version")}
    groups = {
        section: {
            "quantities": {name: value for name, value in body.items() if name != "covariance"},
            "covariance": body.get("covariance", []),
        }
        for section, body in content.items()
    }
    return validate(System, head | {"groups": groups}, CODES, where=str(path))


def _system() -> System:
    return _read("parameters.toml")


def system() -> dict[str, tuple[str, Quantity]]:
    """Parameters of body and disease: name -> (section, quantity)."""
    return _flat(_system())


def culture() -> dict[str, tuple[str, Quantity]]:
    """Parameters of cells in culture: name -> (section, quantity); they count before those of `system`."""
    return system() | _flat(_read("parameters_culture.toml"))


def _flat(content: System) -> dict[str, tuple[str, Quantity]]:
    return {
        name: (section, quantity)
        for section, group in content.groups.items()
        for name, quantity in group.quantities.items()
    }


def quantities(compound: Compound) -> dict[str, tuple[str, Quantity]]:
    """Every parameter of the trial model: name -> (section, quantity), the compound's first."""
    found = {name: (f"compound {compound.name}", q) for name, q in compound.trial_quantities().items()}
    return found | system()


def table(compound: str | Path | Compound = "pomalidomide") -> pl.DataFrame:
    """All parameters of the trial model with unit, spread, role and source.

    Returns a frame with the columns name, section, typical, unit, prior, variability, omega2, role, evidence,
    why.
    Raises what `compounds.load` and `Compound.trial_quantities` raise.
    """
    return frame(quantities(_compound(compound)))


def frame(given: Mapping[str, tuple[str, Quantity]]) -> pl.DataFrame:
    """Quantities as a table; given: name -> (section, quantity). Columns as in `table`."""
    rows = [
        {
            "name": name,
            "section": section,
            "typical": quantity.typical,
            "unit": quantity.unit,
            "prior": str(believed(quantity)),
            "variability": quantity.variability,
            "omega2": quantity.omega2,
            "role": quantity.role,
            "evidence": list(quantity.evidence),
            "why": quantity.why,
        }
        for name, (section, quantity) in given.items()
    ]
    return pl.DataFrame(rows, schema_overrides={"typical": pl.Float64, "evidence": pl.List(pl.String)})


def typical(compound: str | Path | Compound = "pomalidomide") -> dict[str, float]:
    """Typical value of every parameter of the trial model, in the unit its name or the table says."""
    return {name: quantity.typical for name, (_, quantity) in quantities(_compound(compound)).items()}


def baselines() -> dict[str, Quantity]:
    """Baselines before treatment by covariate name (anc0, ...), with their spread between patients."""
    quantities = _system().groups["covariates"].quantities
    return {covariate: quantities[name] for covariate, name in BASELINE_OF.items()}


def random_effects(compound: str | Path | Compound = "pomalidomide") -> tuple[tuple[str, ...], Floats]:
    """Which parameters vary between patients, and how.

    Returns names (k) and the covariance matrix (k, k) of the effects, on the log (lognormal) or logit scale.
    Baselines are covariates and not among them.
    """
    chosen = _compound(compound)
    varied = {
        name: quantity
        for name, (section, quantity) in quantities(chosen).items()
        if quantity.variability != "none" and section != "covariates"
    }
    names = tuple(varied)
    matrix = np.diag([quantity.omega2 for quantity in varied.values()])
    pairs = [*(chosen.pk.covariance if chosen.pk else ())]
    pairs += [pair for group in _system().groups.values() for pair in group.covariance]
    for pair in pairs:
        i, j = names.index(pair.between[0]), names.index(pair.between[1])
        matrix[i, j] = matrix[j, i] = pair.value
    return names, matrix


def individual(
    covariates: Mapping[str, ArrayLike],
    etas: ArrayLike,
    compound: str | Path | Compound = "pomalidomide",
) -> dict[str, Floats]:
    """Parameters and initial values of n patients, by engine name, only where patients differ.

    covariates: each of COVARIATES as (n,): sex_female 0 or 1, weight_kg kg, total_protein_g_per_l g/L,
    age_y years, anc0 and platelets0 1e9/L, haemoglobin0 g/dL, m_protein0 g/L.
    etas: (n, k) random effects in the order of `random_effects`.
    Returns (n,) arrays; `models.split` parts them into parameters and initial values. Every lineage starts
    at its steady state for the patient's baseline.
    Raises InputError GP-M006 for a missing or impossible covariate or etas of another shape.
    Source: covariate model of Li 2015 (PK060-PK062); steady state of docs/mechanism.md, "Marrow".
    """
    chosen = _compound(compound)
    given, effects = _checked(covariates, np.asarray(etas, dtype=np.float64), len(random_effects(chosen)[0]))
    known = quantities(chosen)
    values = {
        name: _apply(known[name][1], effects[:, column])
        for column, name in enumerate(random_effects(chosen)[0])
    }
    for effect in chosen.pk.covariate if chosen.pk else ():
        x = given[effect.covariate]
        factor = (
            (x / effect.reference) ** effect.coefficient
            if effect.form == "power"
            else 1.0 + effect.coefficient * (x - effect.reference)
        )
        base = values.get(effect.parameter, np.full(x.size, known[effect.parameter][1].typical))
        values[effect.parameter] = base * factor
    values |= {name: given[covariate] for covariate, name in BASELINE_OF.items()}
    return values | _initial(values, {name: q.typical for name, (_, q) in known.items()})


def _initial(values: Mapping[str, Floats], typical_values: Mapping[str, float]) -> dict[str, Floats]:
    """Species of each patient at the steady state of the patient's baselines."""
    initial = {
        "haemoglobin_g_per_dl": values["haemoglobin0_g_per_dl"],
        "log_m_protein": np.log(values["m_protein0_g_per_l"]),
    }
    for lineage, circulating, baseline in (
        ("neutrophil", "anc_1e9_per_l", "anc0_1e9_per_l"),
        ("platelet", "platelets_1e9_per_l", "platelets0_1e9_per_l"),
    ):
        initial[circulating] = values[baseline]
        removal, mtt = (
            values.get(f"{lineage}_{name}", typical_values[f"{lineage}_{name}"])
            for name in ("removal_per_h", "mtt_h")
        )
        pool = np.asarray(removal * values[baseline] * mtt / 4.0)
        initial |= {f"{lineage}_{name}": pool for name in POOLS}
    return initial


def _apply(quantity: Quantity, eta: Floats) -> Floats:
    if quantity.variability == "lognormal":
        return np.asarray(quantity.typical * np.exp(eta))
    odds = quantity.typical / (1.0 - quantity.typical) * np.exp(eta)
    return np.asarray(odds / (1.0 + odds))


def _checked(
    covariates: Mapping[str, ArrayLike], etas: Floats, count: int
) -> tuple[dict[str, Floats], Floats]:
    if etas.ndim != 2 or etas.shape[1] != count or not np.all(np.isfinite(etas)):
        raise _refusal(f"etas of shape {etas.shape}", f"finite numbers of shape (patients, {count})", "etas")
    given = {}
    for name in COVARIATES:
        if name not in covariates:
            hint = nearest(name, covariates)
            raise _refusal(f'covariate "{name}" is missing{hint}', ", ".join(COVARIATES), name)
        given[name] = np.asarray(covariates[name], dtype=np.float64)
        low = 0.0 if name == "sex_female" else np.finfo(float).tiny
        if given[name].shape != (etas.shape[0],) or not np.all(
            np.isfinite(given[name]) & (given[name] >= low)
        ):
            raise _refusal(f'covariate "{name}"', f"{etas.shape[0]} finite positive numbers", name)
    return given, etas


def _refusal(message: str, expected: str, field: str) -> InputError:
    return InputError(
        "GP-M006",
        f"{message} cannot be used",
        where=f"individual, {field}",
        expected=expected,
        next_step="give every patient each covariate and one random effect per name of random_effects()",
    )


def _compound(compound: str | Path | Compound) -> Compound:
    return compound if isinstance(compound, Compound) else load(compound)
