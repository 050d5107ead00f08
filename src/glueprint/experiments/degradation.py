"""Ikaros and Aiolos over dose and time in myeloma cells: the guide's blot, simulated and read back like a
blot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import engine
from glueprint.assays import degradation as assay
from glueprint.experiments.experiment import Experiment, Reading
from glueprint.experiments.settings import NO_ERROR, affinity, amounts, at_least, missing_number
from glueprint.mechanism import binding, compounds, models, parameters
from glueprint.runs import streams

__all__ = ["GUIDE_DOSES_NM", "GUIDE_TIMES_H", "run"]

# Guide 1, "Ikaros and Aiolos Degradation Assay", procedure: 0.1, 1, 10 uM; 1, 3, 6, 24 h; vehicle control.
GUIDE_DOSES_NM = (100.0, 1000.0, 10000.0)
GUIDE_TIMES_H = (1.0, 3.0, 6.0, 24.0)
TARGETS = {"IKZF1": "ikzf1_myeloma", "IKZF3": "ikzf3_myeloma"}
# The stand-alone module follows one substrate, under this name.
SUBSTRATE = "ikzf1_myeloma"
TITLE = "Ikaros and Aiolos degradation, dose and time, myeloma cells"

Floats = NDArray[np.float64]


def run(
    compound: str | Path = "pomalidomide",
    *,
    doses_nm: Sequence[float] = GUIDE_DOSES_NM,
    times_h: Sequence[float] = GUIDE_TIMES_H,
    kd_nm: float | None = None,
    rho: float | None = None,
    replicates: int = 1,
    noise_log_sd: float = 0.0,
    seed: int = 1,
) -> Experiment:
    """Treat cells, lyse at each time, and read fractions remaining, Dmax and DC50s as a lab would.

    compound: built-in name or TOML path.   doses_nm: above zero; vehicle is added.   times_h: above zero.
    kd_nm, rho: in place of the compound's (rho for both targets).   replicates, noise_log_sd: blots per dose
    and time with lognormal error, drawn from `seed`.
    Returns `Experiment`; its table has target, time_h, dose_nm, replicate, fraction_remaining.
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 without Kd or rho.
    Source: reduced degradation model, docs/mechanism.md.
    """
    doses = np.concatenate([[0.0], amounts("doses_nm", doses_nm, zero=False)])
    times = amounts("times_h", times_h, zero=False)
    blots = int(at_least("replicates", replicates, 1))
    noise = at_least("noise_log_sd", noise_log_sd, 0.0)
    glue = compounds.load(compound)
    kd, evidence, said = affinity(glue, kd_nm, "kd_nm")
    strength = _rho(glue, rho)
    tables = [_simulate(target, doses, times, (kd, strength[target])) for target in TARGETS]
    table = _blot(pl.concat(tables), blots, noise, seed)
    claims = tuple(dict.fromkeys((*evidence, *_rho_evidence(glue, rho))))
    return Experiment(
        name="degradation",
        title=TITLE,
        compound=glue.name,
        table=table,
        readings=(*_readings(table, claims, exact=noise == 0.0), *_limits(kd, strength, claims)),
        assumptions=(
            said,
            *(
                f"rho {value:g} for {target} (induced over natural loss)"
                for target, value in strength.items()
            ),
            "drug in the medium is all free and its concentration stays",
            f"blot error {noise:g} (log SD), {blots} blot(s) per dose and time" if noise else NO_ERROR,
        ),
        settings={
            "doses_nm": tuple(doses[1:].tolist()),
            "times_h": tuple(times.tolist()),
            "kd_nm": kd,
            "rho": strength,
            "replicates": blots,
            "noise_log_sd": noise,
            "seed": seed,
        },
    )


def _simulate(target: str, doses: Floats, times: Floats, strength: tuple[float, float]) -> pl.DataFrame:
    """Fractions remaining without error: one virtual culture a dose."""
    model = engine.compile(models.source("degradation"))
    kdeg = parameters.typical()[f"{TARGETS[target]}_kdeg_per_h"]
    cultures = {
        "free_nm": doses,
        "kd_nm": np.full(doses.size, strength[0]),
        f"{SUBSTRATE}_rho": np.full(doses.size, strength[1]),
        f"{SUBSTRATE}_kdeg_per_h": np.full(doses.size, kdeg),
    }
    found = model.ensemble(cultures).simulate(times, outputs=[SUBSTRATE]).values[:, :, 0]
    return pl.DataFrame(
        {
            "target": [target] * found.size,
            "time_h": np.tile(times, doses.size),
            "dose_nm": np.repeat(doses, times.size),
            "fraction_remaining": found.ravel(),
        }
    )


def _blot(table: pl.DataFrame, blots: int, noise: float, seed: int) -> pl.DataFrame:
    """Every lane `blots` times, each with lognormal error of its own."""
    lanes = table.height
    errors = noise * streams.normals(seed, "experiments/degradation", np.arange(lanes), blots)
    lane = np.repeat(np.arange(lanes), blots)
    replicate = np.tile(np.arange(1, blots + 1), lanes)
    return table[lane].with_columns(
        pl.Series("replicate", replicate),
        pl.col("fraction_remaining") * np.exp(errors.ravel()),
    )


def _readings(table: pl.DataFrame, claims: tuple[str, ...], *, exact: bool) -> tuple[Reading, ...]:
    found: list[Reading] = []
    for point in assay.analyse(table).points:
        at = f"{point.target} at {point.time_h:g} h"
        # Kd and rho were derived from binding and TNF-alpha potencies, so what follows from them is no
        # prediction.
        for kind, potency in (("relative", point.relative), ("absolute", point.absolute)):
            reading = Reading.of(f"DC50 {kind}, {at}", potency, "calibrated", claims=claims)
            found.append(reading.without_interval() if exact else reading)
        note = "" if exact or point.dmax_se is None else f"standard error {point.dmax_se:.2g}"
        found.append(Reading(f"Dmax, {at}", point.dmax, "fraction", "calibrated", claims=claims, note=note))
    return tuple(found)


def _limits(kd: float, strength: dict[str, float], claims: tuple[str, ...]) -> tuple[Reading, ...]:
    """What the design would show with enough doses and time: the closed forms of the model."""
    found = []
    for target, rho in strength.items():
        for kind, value in (
            ("relative", binding.relative_dc50(kd, rho)),
            ("absolute", binding.absolute_dc50(kd, rho)),
        ):
            known = float(value) if np.isfinite(value) else None
            relation = "none" if known is None else "="
            note = "closed form of the model" if known else "50 % loss is never reached"
            name = f"DC50 {kind}, {target} at steady state"
            found.append(Reading(name, known, "nM", "calibrated", relation, claims=claims, note=note))
    return tuple(found)


def _rho(glue: compounds.Compound, given: float | None) -> dict[str, float]:
    if given is not None:
        return dict.fromkeys(TARGETS, at_least("rho", given, 0.0))
    known = {str(name): quantity.typical for name, quantity in glue.pharmacology.rho.items()}
    if any(name not in known for name in TARGETS.values()):
        raise missing_number(glue.name, "rho for IKZF1 and IKZF3 in myeloma cells", "rho")
    return {target: known[name] for target, name in TARGETS.items()}


def _rho_evidence(glue: compounds.Compound, given: float | None) -> tuple[str, ...]:
    if given is not None:
        return ()
    return tuple(
        e for name, q in glue.pharmacology.rho.items() if str(name) in TARGETS.values() for e in q.evidence
    )
