"""Proliferation of regulatory T cells under IL-2 and a dilution series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from glueprint.experiments import lab, provenance
from glueprint.experiments.cultures import Culture, grow
from glueprint.experiments.experiment import Experiment, Panel, Reading
from glueprint.experiments.settings import amounts, at_least, prepared
from glueprint.mechanism import Scenario, compounds

__all__ = ["CULTURES", "TITLE", "run"]

TITLE = "Regulatory T cells: proliferation under IL-2"
CULTURES = ("culture_treg",)
DOSES_NM = lab.decades(10.0, 1e5)
# A usual time; the source of the potency states none.
DAYS = 3.0


def run(
    compound: str | Path = compounds.REFERENCE,
    *,
    doses_nm: Sequence[float] = DOSES_NM,
    days: float = DAYS,
    line: str | Path = "t_cell",
    kd_nm: float | None = None,
    rho: float | None = None,
    noise_percent: float = 0.0,
    replicates: int = 3,
    seed: int = 1,
    parameters: Mapping[str, float] | None = None,
) -> Experiment:
    """Count regulatory T cells after some days, and read the relative IC50 and the largest inhibition.

    compound: built-in name or TOML path.   doses_nm: above zero; vehicle is added.   line: name or TOML path
    of a T-cell type.   kd_nm, rho: in place of the compound's and the cells'.
    Returns `Experiment`; its table has dose_nm, replicate, proliferation (1 is no drug).
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 for missing numbers.
    """
    tested = lab.doses(amounts("doses_nm", doses_nm))
    error = lab.errors(noise_percent, replicates, seed)
    span = 24.0 * at_least("days", days, 0.0, above=True, most=365.0)
    glue, said = prepared(compound, kd_nm=kd_nm, rho=rho)
    cells = grow("culture_treg", Scenario.of(glue, line=line))
    values = dict(parameters or {}) | ({} if rho is None else {"rho": rho})
    table = lab.dose_series(
        cells, tested, span, ["treg_proliferation"], values, error=error, purpose="treg"
    ).rename({"treg_proliferation": "proliferation"})
    fine, line_y = lab.model_line(cells, tested, span, "treg_proliferation", values)
    panel = Panel(
        "Treg proliferation",
        "dose",
        "proliferation, % of vehicle",
        lab.points({"Treg": (table["dose_nm"], 100.0 * table["proliferation"])}),
        lab.points({"Treg": (fine, 100.0 * line_y)}),
        provenance.marks("Treg", provenance.about(glue, "treg", "ic50")),
    )
    return Experiment(
        name="treg",
        title=TITLE,
        compound=glue.name,
        table=table,
        readings=_readings(table, cells, error),
        assumptions=(
            *said,
            "an arm of its own, a power of the occupancy of cereblon; its shape was not measured",
            f"{span / 24.0:g} days under IL-2; the source of the potency states no time",
            "blood Treg of patients move the other way (IMM-010): not for extrapolation",
            error.said,
        ),
        panels=(panel,),
        parameters=lab.sources({"culture": cells.behind}),
    )


def _readings(table: pl.DataFrame, cells: Culture, error: lab.Error) -> tuple[Reading, ...]:
    potency, fits = lab.read_potency(table, "proliferation")
    claims, most = (provenance.about(cells.glue, "treg", reading) for reading in ("ic50", "largest"))
    largest = 100.0 * (1.0 - float(fits.back[0]) / float(fits.front[0]))
    note = "fitted plateau; at most treg_max in the model (IMM-007 says up to 50 %)"
    label, worth = (provenance.label(ids, cells.behind, cells.glue) for ids in (claims, most))
    return (
        error.read(Reading.of("IC50 relative, Treg", potency, label, claims=claims)),
        Reading("largest inhibition, Treg", largest, "%", worth, claims=most, note=note),
    )
