"""Substrates compete for one pool of cereblon: more of one spares the other. Kinetic form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from glueprint.experiments import lab
from glueprint.experiments.cultures import Culture, grow
from glueprint.experiments.experiment import Experiment, Label, Panel, Reading
from glueprint.experiments.settings import amounts, at_least, chosen, prepared
from glueprint.mechanism import Scenario, compounds

__all__ = ["CULTURES", "TITLE", "run"]

TITLE = "Competition of neosubstrates for cereblon"
CULTURES = ("culture_myeloma",)
FOLDS = (1.0, 3.0, 10.0, 30.0, 100.0)
DOSES_NM = lab.decades(1.0, 1e4)
OF_ALL = ("DEG-015",)


def run(
    compound: str | Path = compounds.REFERENCE,
    *,
    competitor: str = "IKZF3",
    target: str = "IKZF1",
    folds: Sequence[float] = FOLDS,
    doses_nm: Sequence[float] = DOSES_NM,
    time_h: float = 4.0,
    line: str | Path = "MM1S",
    kd_nm: float | None = None,
    rho: float | None = None,
    noise_percent: float = 0.0,
    replicates: int = 3,
    seed: int = 1,
    parameters: Mapping[str, float] | None = None,
) -> Experiment:
    """Over-express one substrate and blot another over dose.

    compound: built-in name or TOML path; it must give the cooperativity of both substrates.   competitor,
    target: substrates of the line that the compound degrades.   folds: of the competitor's usual level,
    ascending.
    Returns `Experiment`; its table has fold, dose_nm, replicate, fraction_remaining (of vehicle).
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 and GP-M011 for missing numbers.
    """
    tested = lab.doses(amounts("doses_nm", doses_nm))
    shares = amounts("folds", folds, most=1e4)
    error = lab.errors(noise_percent, replicates, seed)
    hours = at_least("time_h", time_h, 0.0, above=True, most=1e4)
    glue, said = prepared(compound, kd_nm=kd_nm, rho=rho)
    cells = grow("culture_myeloma", Scenario.of(glue, line=line, form="kinetic"))
    target = chosen("target", target, _followed(cells))
    competitor = chosen("competitor", competitor, [name for name in _followed(cells) if name != target])
    usual = cells.typical(f"{competitor.lower()}_abundance_nm")
    own = dict(parameters or {}) | ({} if rho is None else {"rho": rho})
    parts, curves = [], {}
    for fold in shares:
        values = {**own, f"{competitor.lower()}_abundance_nm": usual * float(fold)}
        parts.append(_blot(cells, tested, hours, target, values, fold=float(fold), error=error))
        curves[f"{fold:g} x {competitor}"] = _curve(cells, tested, hours, target, values)
    panel = Panel(
        f"{target} after {hours:g} h, {competitor} over-expressed",
        "dose",
        f"{target}, of vehicle",
        lab.points({n: (w["dose_nm"], w["fraction_remaining"]) for n, w in zip(curves, parts, strict=True)}),
        lab.points(curves),
    )
    return Experiment(
        name="neosubstrate_competition",
        title=TITLE,
        compound=glue.name,
        table=pl.concat(parts),
        readings=_readings(parts, shares, (target, competitor), error, cells.worth),
        assumptions=(
            *said,
            "every substrate draws on one pool of cereblon: that they compete is built in, how much follows",
            f"{competitor}: {usual:g} nM, assumed; cereblon: {cells.typical('crbn_nm'):g} nM (ABU-001)",
            error.said,
        ),
        panels=(panel,),
        parameters=lab.sources({"culture": cells.behind}),
    )


def _followed(cells: Culture) -> list[str]:
    """The substrates of the model, by the names that people write."""
    found = {
        name.removesuffix("_abundance_nm") for name in cells.quantities if name.endswith("_abundance_nm")
    }
    return [name for name in cells.glue.known_substrates if name.lower() in found]


def _curve(
    cells: Culture, tested: lab.Floats, hours: float, target: str, values: Mapping[str, float]
) -> tuple[lab.Floats, lab.Floats]:
    fine = lab.grid(tested)
    both = cells.at(np.concatenate([[0.0], fine]), hours, [target.lower()], values)[target.lower()]
    return fine, both[1:] / both[0]


def _blot(
    cells: Culture,
    tested: lab.Floats,
    hours: float,
    target: str,
    values: Mapping[str, float],
    *,
    fold: float,
    error: lab.Error,
) -> pl.DataFrame:
    found = cells.at(tested, hours, [target.lower()], values)[target.lower()]
    plain = pl.DataFrame({"fold": fold, "dose_nm": tested, "fraction_remaining": found / found[0]})
    return lab.wells(plain, ["fraction_remaining"], error, f"neosubstrate_competition/{fold:g}")


def _readings(
    parts: list[pl.DataFrame],
    shares: lab.Floats,
    names: tuple[str, str],
    error: lab.Error,
    worth: Label,
) -> tuple[Reading, ...]:
    target, competitor = names
    found, left = [], []
    for fold, wells in zip(shares, parts, strict=True):
        potency, _ = lab.read_potency(wells, "fraction_remaining", kind="DC50", level=0.5)
        found.append(error.read(Reading.of(f"DC50 of {target} at {fold:g} x {competitor}", potency, worth)))
        middle = wells["dose_nm"].unique().sort()[wells["dose_nm"].n_unique() // 2]
        left.append(float(wells.filter(pl.col("dose_nm") == middle)["fraction_remaining"].mean()))  # type: ignore[arg-type]
    note = f"{target} left, most over least {competitor}, at the middle dose; above 1: it is spared"
    # Competition is built into the model, so its direction is no prediction.
    return (
        *found,
        Reading(f"{target} spared", left[-1] / left[0], "ratio", "input", claims=OF_ALL, note=note),
    )
