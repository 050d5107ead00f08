"""What the wells of one plate say before any fit: controls, brightness, titration, compounds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.assays.findings import Finding
from glueprint.assays.polarization import signal
from glueprint.assays.polarization.channels import COMPETITOR, FREE, TOP
from glueprint.assays.polarization.settings import Conditions, Optics
from glueprint.curves import equilibria

__all__ = ["Brightness", "Contents", "brightness", "contents", "interference"]

Floats = NDArray[np.float64]

# Fewer protein concentrations are a control at several levels, not a titration.
LEAST_TITRATED = 4
SAME_PROTEIN = 0.01
# A change of total intensity that displacement of the tracer cannot explain.
LARGEST_CHANGE = 0.2


@dataclass(frozen=True)
class Contents:
    """The used wells of a plate, sorted by role.

    free, top: tracer without and with protein.   titrated: tracer with protein of several concentrations.
    compounds: sample -> its wells, by concentration.
    """

    plate: str
    free: pl.DataFrame
    top: pl.DataFrame
    titrated: pl.DataFrame
    compounds: dict[str, pl.DataFrame]

    @property
    def where(self) -> str:
        """The plate in words for findings."""
        return f'plate "{self.plate}"' if self.plate else "plate"


@dataclass(frozen=True)
class Brightness:
    """Total intensity with over without protein, the standard deviation of its logarithm, and the Q behind it
    (None where unknown)."""

    ratio: float = 1.0
    log_sd: float = 0.0
    q: float | None = None


def contents(table: pl.DataFrame, conditions: Conditions) -> tuple[Contents, ...]:
    """The used wells of every plate; with a titration, only its wells at the stated protein are the top."""
    found = []
    order = ["concentration_nm", "anisotropy", "well"]
    for (plate,), part in table.sort("plate").group_by(["plate"], maintain_order=True):
        used = part.filter((pl.col("note") == "") & pl.col("anisotropy").is_not_null()).sort(order)
        top = used.filter(pl.col("role") == TOP)
        titrated = top.clear()
        levels = top.filter(pl.col("concentration_nm") > 0.0)["concentration_nm"].n_unique()
        if levels >= LEAST_TITRATED:
            titrated = top.filter(pl.col("concentration_nm").is_not_null())
            level = conditions.protein.value_nm if conditions.protein else math.nan
            near = (pl.col("concentration_nm") / level - 1.0).abs() < SAME_PROTEIN
            top = top.filter(pl.col("concentration_nm").is_null() | near)
        rivals = used.filter(pl.col("role") == COMPETITOR)
        compounds = {
            str(sample): wells for (sample,), wells in rivals.sort("sample", *order).group_by(
                ["sample"], maintain_order=True
            )
        }  # fmt: skip
        found.append(Contents(str(plate), used.filter(pl.col("role") == FREE), top, titrated, compounds))
    return tuple(found)


def brightness(plate: Contents, conditions: Conditions, optics: Optics) -> tuple[Brightness, list[Finding]]:
    """How much brighter the tracer is with protein than without, from the controls or from a given Q.

    Source: total intensity is 1 - f + Q f of that without protein, docs/polarization.md.
    """
    bound = None
    if conditions.protein and conditions.tracer and conditions.tracer_kd:
        amounts = (conditions.protein, conditions.tracer, conditions.tracer_kd)
        protein, tracer, tracer_kd = (np.asarray(amount.value_nm) for amount in amounts)
        bound = float(equilibria.binary(protein, tracer, tracer_kd)) / float(tracer)
    if optics.brightness_ratio is not None:
        q = optics.brightness_ratio
        return Brightness(1.0 if bound is None else 1.0 + (q - 1.0) * bound, 0.0, q), []
    free, top = (part["intensity"].drop_nulls().to_numpy() for part in (plate.free, plate.top))
    if free.size == 0 or top.size == 0:
        return Brightness(), []
    ratio = float(top.mean() / free.mean())
    spread = [np.std(values, ddof=1) / values.mean() / math.sqrt(values.size) for values in (free, top)
              if values.size > 1]  # fmt: skip
    log_sd = float(np.hypot(*spread)) if len(spread) == 2 else 0.0
    if bound is None:
        return Brightness(ratio, log_sd), []
    q = signal.brightness_ratio(float(top.mean()), float(free.mean()), bound)
    findings = [] if q > 0.0 else [_impossible(q, bound, plate.where)]
    return Brightness(ratio, log_sd, q), findings


def interference(plate: Contents) -> list[Finding]:
    """Compounds that change the total intensity by more than displacement of the tracer can."""
    levels = [part["intensity"].mean() for part in (plate.free, plate.top)]
    known = [float(level) for level in levels if isinstance(level, float)]
    findings = []
    for sample, wells in plate.compounds.items():
        doses = wells.filter(pl.col("intensity").is_not_null())
        if not known or doses.is_empty():
            continue
        mean = doses.group_by("concentration_nm").agg(pl.col("intensity").mean()).sort("concentration_nm")
        light = mean["intensity"].to_numpy()
        change = np.where(light > max(known), light / max(known), light / min(known)) - 1.0
        change = np.where((light >= min(known)) & (light <= max(known)), 0.0, change)
        odd = np.flatnonzero(np.abs(change) > LARGEST_CHANGE)
        if odd.size:
            worst = int(odd[np.argmax(np.abs(change[odd]))])
            findings.append(
                _interferes(sample, mean["concentration_nm"].to_numpy(), odd, change[worst], plate)
            )
    return findings


def _interferes(
    sample: str, doses: Floats, odd: NDArray[np.int64], change: float, plate: Contents
) -> Finding:
    kind = "fluorescent" if change > 0.0 else "quenching or absorbing"
    named = ", ".join(f"{dose:g}" for dose in doses[odd])
    return Finding(
        "GP-A071",
        "warning",
        f"total intensity changes by {100.0 * change:+.0f} % against the controls: a {kind} compound, or an "
        f"error of pipetting; at {named} nM",
        where=f"{plate.where}, {sample}",
        expected=f"a change within {100.0 * LARGEST_CHANGE:g} % of the controls",
        next_step="leave those wells out (exclude) and see whether the result moves, or use a red tracer",
    )


def _impossible(q: float, bound: float, where: str) -> Finding:
    return Finding(
        "GP-A079",
        "warning",
        f"the intensities would need a brightness ratio of {q:.2g} at {100.0 * bound:.0f} % bound tracer",
        where=where,
        expected="a brightness ratio above 0",
        next_step="check protein, tracer and tracer Kd, and whether the protein absorbs light or sticks",
    )
