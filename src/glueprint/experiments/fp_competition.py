"""Fluorescence polarisation competition: exact three-species binding to the wells of a plate, read like a
lab."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.assays import polarization
from glueprint.assays.plate import row_letters
from glueprint.assays.polarization import Amount, Conditions, Optics, Settings, signal
from glueprint.experiments import lab, provenance
from glueprint.experiments.description import Bench, Description, Measured
from glueprint.experiments.experiment import Panel, Reading
from glueprint.experiments.settings import Setting, amounts, at_least, concentration
from glueprint.mechanism import Quantity, binding

__all__ = ["DESCRIPTION", "Plate", "exact_ic50_nm", "implied_ki_nm"]

# Anisotropies of a small dye in water and on a large complex: typical values, for the scale and not the IC50.
FREE_ANISOTROPY, BOUND_ANISOTROPY = 0.05, 0.25
# Counts of tracer and of buffer in both channels together: a bright plate on a usual reader.
LIGHT, BUFFER = 300_000.0, 3_000.0
# A sample's name on the plate.
SAMPLE = "compound"
COLUMNS_OF_384 = 24
ABOVE = "IC50 is above Ki in every competitive assay"

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


def _titrate(bench: Bench) -> Measured:
    """Titrate a compound against a tracer, and read Ki and IC50 from the counts of the wells."""
    plate = Plate(bench["protein_nm"], bench["tracer_kd_nm"], bench["tracer_nm"] or bench["tracer_kd_nm"])
    quantity, known = bench.glue.kd(), (bench["protein_cv"], bench["tracer_kd_cv"])
    wells = _wells(plate, bench["doses_nm"], quantity.typical, bench.error)
    conditions = Conditions(
        Amount(plate.protein_nm, known[0]), Amount(plate.tracer_nm, 0.0), Amount(plate.tracer_kd_nm, known[1])
    )
    result = polarization.analyse(wells, Settings(conditions, Optics(g_factor=1.0)))
    return Measured(
        table=wells,
        readings=(*_truth(bench, plate, quantity), *_read(bench, result, quantity)),
        panels=(_panel(bench, plate, result),),
        behind={"compound": {"kd_nm": quantity}},
        assumptions=(
            f"protein {plate.protein_nm:g} nM (the guide states none), tracer {plate.tracer_nm:g} nM "
            f"with Kd {plate.tracer_kd_nm:g} nM",
            f"the lab knows protein to {100 * known[0]:g} % and tracer Kd to {100 * known[1]:g} %",
            "equal brightness of free and bound tracer; equilibrium reached",
        ),
        settings={"ki_nm": quantity.typical, "tracer_nm": plate.tracer_nm},
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
    single = replace(error, replicates=1)
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


def _truth(bench: Bench, plate: Plate, quantity: Quantity) -> tuple[Reading, ...]:
    """What was put in, and the IC50 that follows without an assay."""
    claims = bench.claims("ic50")
    label, exact = bench.label(claims, {"ki_nm": quantity}), exact_ic50_nm(quantity.typical, plate)
    note = f"total competitor at half of the bound tracer; {ABOVE}"
    return (
        Reading("Ki put in", quantity.typical, "nM", "input", claims=quantity.evidence),
        Reading("IC50, exact", exact, "nM", label, claims=claims, note=note),
    )


def _read(bench: Bench, result: polarization.Result, quantity: Quantity) -> list[Reading]:
    """What the lab reads from the wells."""
    claims, found = bench.claims("ic50"), list[Reading]()
    label = bench.label(claims, {"ki_nm": quantity})
    for potency in result.potencies:
        if potency.kind == "Ki":
            back = "the Ki that was put in, read back"
            reading = Reading.of(
                "Ki read from the wells", potency, "input", claims=quantity.evidence, note=back
            )
        else:
            name = f"IC50 {potency.definition} read from the wells"
            reading = Reading.of(name, potency, label, claims=claims, note=ABOVE)
        found.append(bench.error.read(reading))
    (relative,) = (reading for reading in found if reading.name.startswith("IC50 relative"))
    for method, value in result.tables["conversions"].select("method", "ki_nm").rows():
        if value is not None and "heng" in method:
            # It is proportional to the IC50, and so are the ends of its interval.
            ends = (
                e and relative.value and value * e / relative.value for e in (relative.low, relative.high)
            )
            note = "IC50 / (1 + L/Kd): wrong where protein is not far below Kd"
            found.append(Reading.measured("Ki by Cheng-Prusoff", (value, *ends), "nM", "input", note=note))
    return found


def _panel(bench: Bench, plate: Plate, result: polarization.Result) -> Panel:
    name, claims = bench.glue.name, bench.claims("ic50")
    wells = result.tables["wells"].filter(pl.col("role") == "competitor")
    fine = lab.grid(bench["doses_nm"])
    y = signal.mp_from_anisotropy(plate.anisotropy(fine, bench.glue.kd().typical))
    return Panel(
        "Competition",
        "dose",
        "polarisation, mP",
        lab.points({name: (wells["concentration_nm"], wells["polarization_mp"])}),
        lab.points({name: (fine, y)}),
        provenance.marks(name, claims),
        y_zero=False,
    )


KNOWN = partial(at_least, least=0.0, most=3.0)
DESCRIPTION = Description(
    name="fp_competition",
    title="Cereblon binding by fluorescence polarisation competition",
    question="What is the Ki, and how far from it is the IC50 of this plate?",
    settings={
        "doses_nm": Setting(lab.decades(1.0, 10.0**5.5), amounts),
        # In place of the compound's Kd.
        "ki_nm": Setting(None, concentration),
        "protein_nm": Setting(50.0, concentration),
        "tracer_kd_nm": Setting(120.0, concentration),
        # None puts it at its Kd, as the guide does.
        "tracer_nm": Setting(None, concentration),
        # How well the lab knows them; 0 is exactly.
        "protein_cv": Setting(0.2, KNOWN),
        "tracer_kd_cv": Setting(0.15, KNOWN),
    },
    columns=("well", "channel", "value", "role", "sample", "concentration", "concentration_unit"),
    protocol=_titrate,
    assumptions=(),
    needs=("kd_nm",),
    affinity="ki_nm",
    noise_percent=0.4,
    replicates=3,
)
