"""NK cells beside T cells kill their targets, with and without dexamethasone."""

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

TITLE = "Killing by NK cells, with and without dexamethasone"
CULTURES = ("culture_nk",)
DOSES_NM = lab.decades(0.1, 1e4)
DAYS = 3.0
ARMS = {"alone": 0.0, "with dexamethasone": 1.0}
UNTREATED = ("IMM-021",)


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
    """Measure lysis of target cells after some days with drug, alone and with full dexamethasone.

    compound: built-in name or TOML path.   doses_nm: above zero; vehicle is added.   line: name or TOML path
    of the T cells beside the NK cells.   kd_nm, rho: in place of the compound's and the cells'.
    Returns `Experiment`; its table has arm, dose_nm, replicate, lysis_percent.
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 for missing numbers.
    """
    tested = lab.doses(amounts("doses_nm", doses_nm))
    error = lab.errors(noise_percent, replicates, seed)
    span = 24.0 * at_least("days", days, 0.0, above=True, most=365.0)
    glue, said = prepared(compound, kd_nm=kd_nm, rho=rho)
    cells = grow("culture_nk", Scenario.of(glue, line=line))
    own = dict(parameters or {}) | ({} if rho is None else {"rho": rho})
    tables, curves = {}, {}
    for arm, dex in ARMS.items():
        values = {**own, "dex_effect": dex}
        wells = lab.dose_series(cells, tested, span, ["nk_lysis"], values, error=error, purpose=f"nk/{arm}")
        tables[arm] = wells.select(
            pl.lit(arm).alias("arm"), "dose_nm", "replicate", lysis_percent=100.0 * pl.col("nk_lysis")
        )
        fine, lysis = lab.model_line(cells, tested, span, "nk_lysis", values)
        curves[arm] = fine, 100.0 * lysis
    panel = Panel(
        "Lysis of target cells",
        "dose",
        "lysis, %",
        lab.points({arm: (w["dose_nm"], w["lysis_percent"]) for arm, w in tables.items()}),
        lab.points(curves),
    )
    return Experiment(
        name="nk_killing",
        title=TITLE,
        compound=glue.name,
        table=pl.concat(list(tables.values())),
        readings=_readings(tables, cells, error),
        assumptions=(
            *said,
            "NK cells are primed by the IL-2 of T cells",
            "that dexamethasone abolishes the gain is an input (IMM-022, IMM-026)",
            "the size of the gain is lenalidomide's (IMM-021, IMM-022), taken as the full effect",
            f"{span / 24.0:g} days with drug before the targets",
            error.said,
        ),
        panels=(panel,),
        parameters=lab.sources({"culture": cells.behind}),
    )


def _readings(tables: Mapping[str, pl.DataFrame], cells: Culture, error: lab.Error) -> tuple[Reading, ...]:
    alone = tables["alone"]
    vehicle = float(alone.filter(pl.col("dose_nm") == 0.0)["lysis_percent"].mean())  # type: ignore[arg-type]
    found = [Reading("lysis untreated", vehicle, "%", "input", claims=UNTREATED)]
    for arm, wells in tables.items():
        claims = provenance.about(cells.glue, "nk_killing", arm)
        label = provenance.label(claims, cells.behind, cells.glue)
        top = float(wells.filter(pl.col("dose_nm") == wells["dose_nm"].max())["lysis_percent"].mean())  # type: ignore[arg-type]
        found.append(Reading(f"lysis at the highest dose, {arm}", top, "%", label, claims=claims))
    potency, _ = lab.read_potency(alone, "lysis_percent", kind="EC50")
    return (*found, error.read(Reading.of("EC50 relative, alone", potency, cells.worth)))
