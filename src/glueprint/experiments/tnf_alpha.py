"""TNF-alpha from LPS-stimulated cells, in medium and in whole blood: the guide's ELISA, read as percent
inhibition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import curves
from glueprint.experiments.experiment import Experiment, Label, Reading
from glueprint.experiments.settings import NO_ERROR, affinity, amounts, at_least, missing_number
from glueprint.mechanism import binding, compounds

__all__ = ["DOSES_NM", "run"]

DOSES_NM = tuple(float(d) for d in np.round(10.0 ** np.arange(-0.5, 4.1, 0.5), 3))
# The cell type whose rho was derived from the TNF-alpha potency (DRV-001).
RHO_OF = "ikzf1_myeloma"
# Guide table 2 and its rows in the mechanism table.
PBMC_CLAIMS, BLOOD_CLAIMS = ("G2-tnf-pbmc", "IMM-001"), ("G2-tnf-blood", "IMM-002")
TITLE = "TNF-alpha inhibition in LPS-stimulated PBMC and whole blood"

Floats = NDArray[np.float64]


def run(
    compound: str | Path = "pomalidomide",
    *,
    doses_nm: Sequence[float] = DOSES_NM,
    kd_nm: float | None = None,
    rho: float | None = None,
    fraction_unbound: float | None = None,
) -> Experiment:
    """Stimulate cells in medium and in blood under a dilution series, and read the dose of 50 % inhibition.

    compound: built-in name or TOML path.   doses_nm: total drug, above zero; vehicle is added.
    kd_nm, rho, fraction_unbound: in place of the compound's; unbound is the free fraction in blood, (0, 1].
    Returns `Experiment`; its table has system, dose_nm, inhibition_percent.
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 without one of the three numbers.
    Source: TNF-alpha follows the neosubstrate at steady state (DRV-001), docs/experiments.md.
    """
    doses = np.concatenate([[0.0], amounts("doses_nm", doses_nm, zero=False)])
    glue = compounds.load(compound)
    kd, evidence, said = affinity(glue, kd_nm, "kd_nm")
    strength, free = _rho(glue, rho), _unbound(glue, fraction_unbound)
    systems = {"PBMC": 1.0, "whole blood": free}
    left = {
        name: binding.fraction_remaining(share * doses, kd=kd, rho=strength)
        for name, share in systems.items()
    }
    return Experiment(
        name="tnf_alpha",
        title=TITLE,
        compound=glue.name,
        table=pl.concat([_table(system, doses, found) for system, found in left.items()]),
        readings=(
            # rho was derived from the potency in PBMC; the potency in blood was not used.
            _reading("PBMC", doses, left["PBMC"], "calibrated", (*PBMC_CLAIMS, *evidence)),
            _reading("whole blood", doses, left["whole blood"], "predicted", (*BLOOD_CLAIMS, *evidence)),
        ),
        assumptions=(
            said,
            f"rho {strength:g}; TNF-alpha is proportional to the neosubstrate left at steady state (DRV-001)",
            f"all drug in medium is free, and {free:g} of it in blood; nothing else differs",
            NO_ERROR,
        ),
        settings={
            "doses_nm": tuple(doses[1:].tolist()), "kd_nm": kd, "rho": strength, "fraction_unbound": free,
        },
    )  # fmt: skip


def _table(system: str, doses: Floats, left: Floats) -> pl.DataFrame:
    return pl.DataFrame(
        {"system": [system] * doses.size, "dose_nm": doses, "inhibition_percent": 100.0 * (1.0 - left)}
    )


def _reading(system: str, doses: Floats, left: Floats, label: Label, claims: tuple[str, ...]) -> Reading:
    """The dose of 50 % inhibition, read from the curve."""
    fits = curves.fit(doses, left, intervals=False)
    (potency,) = curves.absolute(fits, 0.5, "IC50", control=1.0, intervals=False)
    return Reading.of(f"IC50, {system}", potency, label, claims=claims)


def _rho(glue: compounds.Compound, given: float | None) -> float:
    if given is not None:
        return at_least("rho", given, 0.0)
    known = {str(name): quantity.typical for name, quantity in glue.pharmacology.rho.items()}
    if RHO_OF not in known:
        raise missing_number(glue.name, "rho for IKZF1", "rho")
    return known[RHO_OF]


def _unbound(glue: compounds.Compound, given: float | None) -> float:
    known = glue.pharmacology.fraction_unbound
    if given is None and known is None:
        raise missing_number(glue.name, "fraction unbound in plasma", "fraction_unbound")
    value = given if given is not None else known.typical if known is not None else 1.0
    return at_least("fraction_unbound", value, 0.0, above=True, most=1.0)
