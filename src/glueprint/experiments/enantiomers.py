"""(S), (R) and the racemate in a medium that turns one into the other: what is left, and how it acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from glueprint.experiments import lab, provenance
from glueprint.experiments.cultures import Culture, grow
from glueprint.experiments.experiment import Experiment, Panel, Reading
from glueprint.experiments.settings import amounts, at_least, prepared, refusal
from glueprint.mechanism import Compound, Scenario, compounds

__all__ = ["CULTURES", "TITLE", "run"]

TITLE = "Enantiomers: inversion, hydrolysis and potency of (S), (R) and the racemate"
CULTURES = ("culture_myeloma",)
FORMS = {"(S)": "S", "racemate": "racemate", "(R)": "R"}
DOSES_NM = lab.decades(0.1, 1e4)
STILL = {"inversion_s_to_r_per_h": 0.0, "inversion_r_to_s_per_h": 0.0, "hydrolysis_per_h": 0.0}
HOURS = 24.0


def run(
    compound: str | Path = compounds.REFERENCE,
    *,
    medium: str | None = "serum",
    doses_nm: Sequence[float] = DOSES_NM,
    time_h: float = 6.0,
    line: str | Path = "MM1S",
    kd_nm: float | None = None,
    rho: float | None = None,
    noise_percent: float = 0.0,
    replicates: int = 3,
    seed: int = 1,
    parameters: Mapping[str, float] | None = None,
) -> Experiment:
    """Follow both enantiomers in the medium, and blot IKZF1 under each form, in it and without inversion.

    compound: built-in name or TOML path.   medium: one that its file gives, or None for culture medium.
    doses_nm: above zero; vehicle is added.   time_h: of the blot.
    Returns `Experiment`; its table has form, stabilised, dose_nm, replicate, ikzf1 (of vehicle).
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003, GP-M011 (no eudismic ratio)
    and GP-M012 (no such medium) for missing numbers.
    """
    tested = lab.doses(amounts("doses_nm", doses_nm))
    error = lab.errors(noise_percent, replicates, seed)
    hours = at_least("time_h", time_h, 0.0, above=True, most=1e4)
    glue, said = prepared(compound, kd_nm=kd_nm, rho=rho)
    if glue.pharmacology.eudismic_ratio is None:
        glue.enantiomer("S" if glue.pharmacology.form == "R" else "R")  # refuses, and names the number
    own = dict(parameters or {}) | ({} if rho is None else {"rho": rho})
    cultures = _cultures(glue, line, medium)
    parts, curves = {}, {}
    for shown, cells in cultures.items():
        for stabilised in (True, False):
            values = {**own, **(STILL if stabilised else {})}
            key = f"{shown}, stabilised" if stabilised else shown
            wells = lab.dose_series(
                cells, tested, hours, ["ikzf1"], values, error=error, purpose=f"enantiomers/{key}"
            )
            named = wells.with_columns(pl.lit(shown).alias("form"), pl.lit(stabilised).alias("stabilised"))
            parts[key] = named.select("form", "stabilised", "dose_nm", "replicate", "ikzf1")
            curves[key] = lab.model_line(cells, tested, hours, "ikzf1", values)
    return Experiment(
        name="enantiomers",
        title=TITLE,
        compound=glue.name,
        table=pl.concat(list(parts.values())),
        readings=(
            *_potencies(parts, glue, error, hours),
            *_chemistry(cultures["(S)"], own, glue),
        ),
        assumptions=(
            *said,
            "once bound, both enantiomers act alike; Kd of (R) over (S) from thalidomide (BIN-006)",
            f"inversion and hydrolysis of {medium or 'culture medium'}, first order; both hydrolyse alike",
            error.said,
        ),
        panels=_panels(cultures["(S)"], own, parts, curves, hours),
        parameters=lab.sources({"culture": cultures["racemate"].quantities}),
    )


def _cultures(glue: Compound, line: str | Path, medium: str | None) -> dict[str, Culture]:
    """Cells under each form of the compound, in one medium."""
    if medium is not None and not isinstance(medium, str):
        raise refusal("medium", medium, "the name of a medium, or nothing for culture medium")
    return {
        shown: grow("culture_myeloma", Scenario.of(glue.enantiomer(form), line=line, medium=medium))
        for shown, form in FORMS.items()
    }


def _potencies(
    parts: Mapping[str, pl.DataFrame], glue: Compound, error: lab.Error, hours: float
) -> list[Reading]:
    found, values = [], {}
    for key, wells in parts.items():
        potency, _ = lab.read_potency(wells, "ikzf1", kind="DC50", level=0.5)
        found.append(
            error.read(
                Reading.of(f"DC50 of IKZF1 at {hours:g} h, {key}", potency, provenance.of_compound(glue))
            )
        )
        values[key] = potency.value_nm if potency.relation == "=" else None
    for kind, claims in ((", stabilised", provenance.about(glue, "enantiomers", "ratio")), ("", ())):
        s, r = values[f"(S){kind}"], values[f"(R){kind}"]
        name = f"potency ratio (S) over (R){kind or ', in the medium'}"
        ratio = r / s if r and s else None
        found.append(
            Reading(
                name,
                ratio,
                "fold",
                "input" if kind else provenance.of_compound(glue),
                "=" if ratio else "none",
                claims=claims,
                note="far below saturation the ratio of Kd that was put in" if kind else "",
            )
        )
    return found


def _chemistry(cells: Culture, own: Mapping[str, float], glue: Compound) -> list[Reading]:
    """Half-lives of racemisation and of the drug, read from (S) over time as chiral HPLC would."""
    times = np.linspace(0.0, HOURS, 25)
    s, r = cells.over([100.0], times, ["drug_s_nm", "drug_r_nm"], own)[0].T
    total = s + r
    excess = (s - r) / total
    turned, lost = -np.polyfit(times, np.log(excess), 1)[0], -np.polyfit(times, np.log(total), 1)[0]
    # Both are arithmetic on the constants of the compound's file.
    rates = {
        "racemisation half-life": (turned, provenance.about(glue, "enantiomers", "racemisation")),
        "drug half-life": (lost, ()),
    }
    return [
        Reading(
            name,
            float(np.log(2.0) / rate) if rate > 0 else None,
            "h",
            "input",
            "=" if rate > 0 else "none",
            claims=claims,
        )
        for name, (rate, claims) in rates.items()
    ]


def _panels(
    cells: Culture,
    own: Mapping[str, float],
    parts: Mapping[str, pl.DataFrame],
    curves: Mapping[str, tuple[lab.Floats, lab.Floats]],
    hours: float,
) -> tuple[Panel, ...]:
    times = np.linspace(0.0, HOURS, lab.FINE)
    s, r = cells.over([100.0], times, ["drug_s_nm", "drug_r_nm"], own)[0].T
    seen = np.arange(0.0, HOURS + 1.0, 4.0)
    at = cells.over([100.0], seen, ["drug_s_nm", "drug_r_nm"], own)[0]
    still = [key for key in parts if "stabilised" in key]
    moving = [key for key in parts if "stabilised" not in key]
    panels = [
        Panel(
            "100 nM of (S) in the medium",
            "time",
            "nM",
            lab.points({"(S)": (seen, at[:, 0]), "(R)": (seen, at[:, 1])}),
            lab.points({"(S)": (times, s), "(R)": (times, r)}),
        )
    ]
    for title, keys in (("stabilised", still), ("in the medium", moving)):
        panels.append(
            Panel(
                f"IKZF1 at {hours:g} h, {title}",
                "dose",
                "IKZF1, of untreated",
                lab.points({k.partition(",")[0]: (parts[k]["dose_nm"], parts[k]["ikzf1"]) for k in keys}),
                lab.points({k.partition(",")[0]: curves[k] for k in keys}),
            )
        )
    return tuple(panels)
