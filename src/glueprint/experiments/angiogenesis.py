"""Sprouting of endothelium under VEGF and bFGF: an empirical arm of assumed potency, without cereblon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from glueprint.experiments import lab
from glueprint.experiments.cultures import grow
from glueprint.experiments.experiment import Experiment, Panel, Reading
from glueprint.experiments.settings import amounts, at_least, concentration, prepared
from glueprint.mechanism import Scenario, compounds

__all__ = ["CULTURES", "TITLE", "run"]

TITLE = "Angiogenesis: sprouting under VEGF and bFGF (assumed)"
CULTURES = ("culture_endothelium",)
DOSES_NM = lab.decades(10.0, 1e5)
FACTORS = {"VEGF": "vegf", "bFGF": "bfgf"}
ASSUMED = "assumed: no potency is in the evidence; cereblon does not drive it (BIN-019)"


def run(
    compound: str | Path = compounds.REFERENCE,
    *,
    doses_nm: Sequence[float] = DOSES_NM,
    days: float = 4.0,
    kd_nm: float | None = None,
    vegf_ic50_nm: float | None = None,
    bfgf_ic50_nm: float | None = None,
    noise_percent: float = 0.0,
    replicates: int = 3,
    seed: int = 1,
    parameters: Mapping[str, float] | None = None,
) -> Experiment:
    """Measure sprouts after some days, and read the IC50 against each growth factor.

    compound: built-in name or TOML path.   doses_nm: above zero; vehicle is added.   vegf_ic50_nm,
    bfgf_ic50_nm: in place of the assumed 1000 nM.
    Returns `Experiment`; its table has factor, dose_nm, replicate, sprouting (1 is no drug).
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 for a compound without affinity (only
    its name matters here, but a culture needs it).
    """
    tested = lab.doses(amounts("doses_nm", doses_nm))
    error = lab.errors(noise_percent, replicates, seed)
    span = 24.0 * at_least("days", days, 0.0, above=True, most=365.0)
    given = {"vegf_ic50_nm": vegf_ic50_nm, "bfgf_ic50_nm": bfgf_ic50_nm}
    stated = {name: concentration(name, value) for name, value in given.items() if value is not None}
    glue, _ = prepared(compound, ("kd_nm",), kd_nm=kd_nm)
    cells, values = grow("culture_endothelium", Scenario.of(glue)), {**(parameters or {}), **stated}
    columns = [f"{short}_response" for short in FACTORS.values()]
    wells = lab.dose_series(cells, tested, span, columns, values, error=error, purpose="angiogenesis")
    tables, curves, readings = {}, {}, []
    for factor, column in zip(FACTORS, columns, strict=True):
        tables[factor] = wells.select(
            pl.lit(factor).alias("factor"), "dose_nm", "replicate", pl.col(column).alias("sprouting")
        )
        fine, line = lab.model_line(cells, tested, span, column, values)
        curves[factor] = fine, 100.0 * line
        potency, fits = lab.read_potency(tables[factor], "sprouting")
        readings.append(error.read(Reading.of(f"IC50 relative, {factor}", potency, "input", note=ASSUMED)))
        readings.append(lab.plateau(f"sprouting left, {factor}", fits, "input", unit="of vehicle"))
    return Experiment(
        name="angiogenesis",
        title=TITLE,
        compound=glue.name,
        table=pl.concat(list(tables.values())),
        readings=tuple(readings),
        assumptions=(
            "potency and plateau are assumed: no IC50 is in the evidence (ANG-002)",
            "not driven by cereblon: binding and the anti-angiogenic effect do not go together (BIN-019)",
            "alike for every compound until a potency is given",
            error.said,
        ),
        panels=(_panel(tables, curves),),
        parameters=lab.sources({"culture": cells.behind}),
    )


def _panel(tables: Mapping[str, pl.DataFrame], curves: Mapping[str, tuple[lab.Floats, lab.Floats]]) -> Panel:
    points = lab.points({f: (t["dose_nm"], 100.0 * t["sprouting"]) for f, t in tables.items()})
    title = "Sprouting (assumed potency)"
    return Panel(title, "dose", "sprouting, % of vehicle", points, lab.points(curves))
