"""Fluorescence polarisation competition: exact three-species binding to the wells of a plate, read like a
lab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.assays import polarization
from glueprint.assays.plate import row_letters
from glueprint.assays.polarization import Amount, Conditions, Optics, Settings, signal
from glueprint.experiments import lab, provenance
from glueprint.experiments.experiment import Experiment, Label, Panel, Reading
from glueprint.experiments.settings import amounts, at_least, concentration, prepared
from glueprint.mechanism import Compound, binding, compounds

__all__ = ["CULTURES", "DOSES_NM", "TITLE", "Plate", "exact_ic50_nm", "implied_ki_nm", "run"]

TITLE = "Cereblon binding by fluorescence polarisation competition"
CULTURES: tuple[str, ...] = ()
DOSES_NM = lab.decades(1.0, 10.0**5.5)
# Anisotropies of a small dye in water and on a large complex: typical values, for the scale and not the IC50.
FREE_ANISOTROPY, BOUND_ANISOTROPY = 0.05, 0.25
# Counts of tracer and of buffer in both channels together: a bright plate on a usual reader.
LIGHT, BUFFER = 300_000.0, 3_000.0
# Without scatter or uncertainty a Ki is only arithmetic: a sample's name on the plate.
SAMPLE = "compound"
COLUMNS_OF_384 = 24
INPUT: Label = "input"

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
    compound: str | Path = compounds.REFERENCE,
    *,
    doses_nm: Sequence[float] = DOSES_NM,
    ki_nm: float | None = None,
    protein_nm: float = 50.0,
    tracer_kd_nm: float = 120.0,
    tracer_nm: float | None = None,
    protein_cv: float = 0.2,
    tracer_kd_cv: float = 0.15,
    noise_percent: float = 0.0,
    replicates: int = 2,
    seed: int = 1,
) -> Experiment:
    """Titrate a compound against a tracer, and read Ki and IC50 from the counts of the wells.

    compound: built-in name or TOML path.   doses_nm: total competitor, above zero.   ki_nm: true Ki, in place
    of the compound's Kd.   protein_nm, tracer_kd_nm: totals and constant on the plate.   tracer_nm: total
    tracer; None puts it at its Kd, as the guide does.   protein_cv, tracer_kd_cv: how well the lab knows
    them, 0 is exactly.
    Returns `Experiment`; its table has the wells: well, channel, value (counts), role, sample, concentration.
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 without an affinity.
    Source: mechanism.binding.competition; read by assays.polarization.
    """
    doses = amounts("doses_nm", doses_nm)
    given = None if ki_nm is None else concentration("ki_nm", ki_nm)
    glue, said = prepared(compound, ("kd_nm",), kd_nm=given)
    quantity = glue.kd()
    error = lab.errors(noise_percent, replicates, seed)
    tracer_kd = concentration("tracer_kd_nm", tracer_kd_nm)
    tracer = tracer_kd if tracer_nm is None else concentration("tracer_nm", tracer_nm)
    plate = Plate(concentration("protein_nm", protein_nm), tracer_kd, tracer)
    known = [
        at_least(n, v, 0.0, most=3.0) for n, v in (("protein_cv", protein_cv), ("tracer_kd_cv", tracer_kd_cv))
    ]
    wells = _wells(plate, doses, quantity.typical, error)
    conditions = Conditions(
        Amount(plate.protein_nm, known[0]), Amount(tracer, 0.0), Amount(tracer_kd, known[1])
    )
    result = polarization.analyse(wells, Settings(conditions, Optics(g_factor=1.0)))
    claims = provenance.about(glue, "fp_competition", "ic50")
    return Experiment(
        name="fp_competition",
        title=TITLE,
        compound=glue.name,
        table=wells,
        readings=_readings(plate, glue, result, claims, error),
        assumptions=(
            *said,
            f"protein {plate.protein_nm:g} nM (the guide states none), tracer {plate.tracer_nm:g} nM "
            f"with Kd {plate.tracer_kd_nm:g} nM",
            f"the lab knows protein to {100 * known[0]:g} % and tracer Kd to {100 * known[1]:g} %",
            "equal brightness of free and bound tracer; equilibrium reached",
            error.said,
        ),
        settings={"ki_nm": quantity.typical, "tracer_nm": plate.tracer_nm},
        panels=(_panel(plate, doses, quantity.typical, result, glue.name, claims),),
        parameters=lab.sources({"compound": {"kd_nm": quantity}}),
        tables={name: result.tables[name] for name in result.SCHEMAS},
    )


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


def _wells(plate: Plate, doses: Floats, ki_nm: float, error: lab.Error) -> pl.DataFrame:
    """A plate with blanks, both controls and the titration, in counts of both channels."""
    controls = 4 * max(1, error.replicates // 2)
    dose = np.repeat(doses, error.replicates)
    roles = ["blank"] * controls + ["tracer_only"] * controls + ["tracer_protein"] * controls
    roles += ["competitor"] * dose.size
    r = np.concatenate(
        [
            np.full(2 * controls, FREE_ANISOTROPY),
            np.full(controls, plate.anisotropy(np.zeros(1), ki_nm)[0]),
            plate.anisotropy(dose, ki_nm),
        ]
    )
    light = np.where(np.arange(r.size) < controls, 0.0, LIGHT)
    single = lab.Error(error.noise_percent, 1, error.seed)
    parts = []
    for channel, counts in zip(("parallel", "perpendicular"), signal.channels(r, light), strict=True):
        noisy = (counts + BUFFER / 2.0) * single.factors(f"fp_competition/{channel}", r.size)[:, 0]
        parts.append(
            pl.DataFrame(
                {
                    "well": [
                        f"{row_letters(i // COLUMNS_OF_384)}{i % COLUMNS_OF_384 + 1}" for i in range(r.size)
                    ],
                    "channel": channel,
                    "value": np.round(noisy),  # a reader counts photons
                    "role": roles,
                    "sample": [SAMPLE if role == "competitor" else "" for role in roles],
                    "concentration": [None] * (3 * controls) + dose.tolist(),
                    "concentration_unit": "nM",
                },
                schema_overrides={"concentration": pl.Float64},
            )
        )
    return pl.concat(parts)


def _readings(
    plate: Plate,
    glue: Compound,
    result: polarization.Result,
    claims: tuple[str, ...],
    error: lab.Error,
) -> tuple[Reading, ...]:
    quantity = glue.kd()
    ki_nm, evidence = quantity.typical, quantity.evidence
    of_ic50 = provenance.label(claims, {"ki_nm": quantity}, glue)
    above = "IC50 is above Ki in every competitive assay"
    found = [
        Reading("Ki put in", ki_nm, "nM", "input", claims=evidence),
        Reading(
            "IC50, exact",
            exact_ic50_nm(ki_nm, plate),
            "nM",
            of_ic50,
            claims=claims,
            note="total competitor at half of the bound tracer; " + above,
        ),
    ]
    for potency in result.potencies:
        if potency.kind == "Ki":
            name, label, ids, note = "Ki", INPUT, evidence, "the Ki that was put in, read back"
        else:
            name, label, ids, note = f"IC50 {potency.definition}", of_ic50, claims, above
        reading = Reading.of(f"{name} read from the wells", potency, label, claims=ids, note=note)
        found.append(error.read(reading))
    for method, value in result.tables["conversions"].select("method", "ki_nm").rows():
        if value is not None and "heng" in method:
            note = "IC50 / (1 + L/Kd): wrong where protein is not far below Kd"
            found.append(Reading("Ki by Cheng-Prusoff", value, "nM", "input", note=note))
    return tuple(found)


def _panel(
    plate: Plate, doses: Floats, ki_nm: float, result: polarization.Result, name: str, claims: tuple[str, ...]
) -> Panel:
    wells = result.tables["wells"].filter(pl.col("role") == "competitor")
    fine = lab.grid(doses)
    y = signal.mp_from_anisotropy(plate.anisotropy(fine, ki_nm))
    marks = provenance.marks(name, claims)
    return Panel(
        "Competition",
        "dose",
        "polarisation, mP",
        lab.points({name: (wells["concentration_nm"], wells["polarization_mp"])}),
        lab.points({name: (fine, y)}),
        marks,
        y_zero=False,
    )
