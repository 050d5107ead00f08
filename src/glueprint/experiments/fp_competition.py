"""Fluorescence polarisation competition: exact three-species binding to a plate, and the IC50 a lab reads
from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import curves
from glueprint.experiments.experiment import Experiment, Reading
from glueprint.experiments.settings import NO_ERROR, affinity, amounts, concentration
from glueprint.mechanism import binding, compounds

__all__ = ["DOSES_NM", "Plate", "exact_ic50_nm", "implied_ki_nm", "run"]

DOSES_NM = tuple(float(d) for d in np.round(10.0 ** np.arange(0.0, 5.6, 0.5), 3))
# Anisotropies of a small dye in water and on a large complex: typical values, for the scale and not the IC50.
FREE_ANISOTROPY, BOUND_ANISOTROPY = 0.05, 0.25
# The guide's FP IC50, in its own table and in the mechanism table.
CLAIMS = ("G1-ic50-fp", "BIN-003")
TITLE = "Cereblon binding by fluorescence polarisation competition"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Plate:
    """Totals on the plate, nM. The guide puts the tracer at its Kd and states no protein concentration."""

    protein_nm: float = 50.0
    tracer_kd_nm: float = 120.0
    tracer_nm: float = 120.0

    def anisotropy(self, dose_nm: Floats, ki_nm: float) -> Floats:
        """Anisotropy (n,) at total competitor `dose_nm` (n,), equal brightness free and bound."""
        bound = self.bound(dose_nm, ki_nm) / self.tracer_nm
        return FREE_ANISOTROPY + (BOUND_ANISOTROPY - FREE_ANISOTROPY) * bound

    def bound(self, dose_nm: Floats, ki_nm: float) -> Floats:
        """Bound tracer, nM (n,), with protein, tracer and competitor all depleted."""
        found = binding.competition(
            self.protein_nm, self.tracer_nm, dose_nm, tracer_kd=self.tracer_kd_nm, ki=ki_nm
        )
        return found.tracer_bound


def run(
    compound: str | Path = "pomalidomide",
    *,
    doses_nm: Sequence[float] = DOSES_NM,
    ki_nm: float | None = None,
    protein_nm: float = 50.0,
    tracer_kd_nm: float = 120.0,
    tracer_nm: float | None = None,
) -> Experiment:
    """Titrate a compound against a tracer and read the IC50 from the polarisation curve.

    compound: built-in name or TOML path.   doses_nm: total competitor, above zero; a well without is added.
    ki_nm: true Ki, in place of the compound's Kd.   protein_nm, tracer_kd_nm: totals and constant on the
    plate.
    tracer_nm: total tracer; None puts it at its Kd, as the guide does.
    Returns `Experiment`; its table has dose_nm, tracer_bound_nm, anisotropy, polarisation_mp.
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 without an affinity.
    Source: mechanism.binding.competition; P = 3 r / (2 + r), docs/experiments.md.
    """
    doses = np.concatenate([[0.0], amounts("doses_nm", doses_nm, zero=False)])
    glue = compounds.load(compound)
    true_ki, evidence, said = affinity(glue, ki_nm, "ki_nm")
    tracer_kd = concentration("tracer_kd_nm", tracer_kd_nm)
    tracer = tracer_kd if tracer_nm is None else concentration("tracer_nm", tracer_nm)
    plate = Plate(concentration("protein_nm", protein_nm), tracer_kd, tracer)
    anisotropy = plate.anisotropy(doses, true_ki)
    table = pl.DataFrame(
        {
            "dose_nm": doses,
            "tracer_bound_nm": plate.bound(doses, true_ki),
            "anisotropy": anisotropy,
            "polarisation_mp": 3000.0 * anisotropy / (2.0 + anisotropy),
        }
    )
    fits = curves.fit(doses, table["polarisation_mp"].to_numpy())
    (potency,) = curves.relative(fits, "IC50")
    return Experiment(
        name="fp_competition",
        title=TITLE,
        compound=glue.name,
        table=table,
        readings=_readings(plate, true_ki, potency, evidence),
        assumptions=(
            said,
            f"protein {plate.protein_nm:g} nM (the guide states none), tracer {plate.tracer_nm:g} nM "
            f"with Kd {plate.tracer_kd_nm:g} nM",
            "equal brightness of free and bound tracer; equilibrium reached",
            NO_ERROR,
        ),
        settings={"doses_nm": tuple(doses[1:].tolist()), "ki_nm": true_ki, "protein_nm": plate.protein_nm,
                  "tracer_nm": plate.tracer_nm, "tracer_kd_nm": plate.tracer_kd_nm},
    )  # fmt: skip


def exact_ic50_nm(ki_nm: float, plate: Plate) -> float:
    """Total competitor, nM, that halves the bound tracer: always above `ki_nm`.

    Source: the exact mass balance solved at half of the tracer, own derivation, docs/experiments.md.
    """
    protein_free, competitor_bound = _at_half(plate)
    return competitor_bound * (1.0 + ki_nm / protein_free)


def implied_ki_nm(ic50_nm: float, plate: Plate) -> float | None:
    """The Ki, nM, that gives this IC50 on this plate; None if the plate cannot give so low an IC50.

    Source: `exact_ic50_nm` inverted; it is linear in Ki.
    """
    protein_free, competitor_bound = _at_half(plate)
    if ic50_nm <= competitor_bound:
        return None
    return protein_free * (ic50_nm / competitor_bound - 1.0)


def _at_half(plate: Plate) -> tuple[float, float]:
    """Free protein and bound competitor, nM, where half of the tracer has left; the same for every Ki."""
    half = 0.5 * float(binding.binary_complex(plate.protein_nm, plate.tracer_nm, plate.tracer_kd_nm))
    protein_free = half * plate.tracer_kd_nm / (plate.tracer_nm - half)
    return protein_free, plate.protein_nm - protein_free - half


def _readings(
    plate: Plate, ki_nm: float, potency: curves.Potency, evidence: tuple[str, ...]
) -> tuple[Reading, ...]:
    exact, total = exact_ic50_nm(ki_nm, plate), "total competitor at half of the bound tracer"
    above = "IC50 is above Ki in every competitive assay"
    read = [
        Reading("Ki put in", ki_nm, "nM", "input", claims=evidence),
        Reading.of(
            "IC50 read from the curve", potency, "predicted", claims=CLAIMS, note=above
        ).without_interval(),
        Reading("IC50, exact", exact, "nM", "predicted", claims=CLAIMS, note=total),
    ]
    if potency.value_nm is not None and potency.relation == "=":
        naive = potency.value_nm / (1.0 + plate.tracer_nm / plate.tracer_kd_nm)
        note = "IC50 / (1 + L/Kd): wrong where protein is not far below Kd"
        read.append(Reading("Ki by Cheng-Prusoff", naive, "nM", "predicted", note=note))
    return tuple(read)
