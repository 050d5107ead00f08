"""What covariates do in the patient model, beside published prognosis that no prior has read.

    python -m benchmarks.prognosis [--structure burden] [--draws 40] [--patients 300] [--seed 22] [--json]

Two populations that differ in one covariate and are otherwise MM-003's are given pomalidomide with
dexamethasone, each virtual trial with a draw of the posterior. The log ratio of their rates (events by time)
of progression or death, of death, or the difference of the logits of response, per step of the covariate,
stands beside each published contrast (docs/prognosis.md). Contrasts that were withheld from the priors are
scored: whether the two 95 % intervals overlap, and whether the median has the published sign where the
published interval leaves out 0.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from glueprint import evidence, trials
from glueprint.calibration import clinical, prognosis
from glueprint.trials import ParameterDraws
from glueprint.trials.protocol import Levels, Protocol

PROTOCOL = "mm003"
Mix = Mapping[str, Any]
WIDTH = (0.5, 0.025, 0.975)


def levels(**shares: float) -> Levels:
    """Patients of these levels alone."""
    return Levels(kind="levels", shares=shares, assumed="a benchmark")


# Covariate of docs/prognosis.md -> (worse population, better population, steps between them).
POPULATIONS: Mapping[str, tuple[Mix, Mix, float]] = {
    "prior_lines": ({"prior_lines": (2, 3)}, {"prior_lines": (1, 1.0001)}, 1.26),
    "double_refractory": (
        {"refractoriness": levels(lenalidomide_and_bortezomib=1.0)},
        {"refractoriness": levels(none=1.0)},
        1.0,
    ),
    "lenalidomide_refractory": (
        {"refractoriness": levels(lenalidomide=1.0)},
        {"refractoriness": levels(none=1.0)},
        1.0,
    ),
    "high_risk_cytogenetics": (
        {"cytogenetic_risk": levels(high=1.0)},
        {"cytogenetic_risk": levels(standard=1.0)},
        1.0,
    ),
    "iss_stage": (
        {"beta2_microglobulin_mg_per_l": (5.5, 20.0)},
        {"beta2_microglobulin_mg_per_l": (1.0, 3.5), "albumin_g_per_l": (35.0, 52.0)},
        2.0,
    ),
    "ldh_high": ({"ldh": levels(high=1.0)}, {"ldh": levels(normal=1.0)}, 1.0),
    "poor_performance": ({"ecog": levels(**{"2": 1.0})}, {"ecog": levels(**{"0": 0.5, "1": 0.5})}, 1.0),
    "age_65": ({"age_y": (65.0, 88.0)}, {"age_y": (34.0, 64.9)}, 1.0),
    "male": ({"sex": levels(male=1.0)}, {"sex": levels(female=1.0)}, 1.0),
    "extramedullary": ({"extramedullary": levels(yes=1.0)}, {"extramedullary": levels(no=1.0)}, 1.0),
    "thrombocytopenia": (
        {"platelets_1e9_per_l": (30.0, 149.0)},
        {"platelets_1e9_per_l": (150.0, 500.0)},
        1.0,
    ),
}


def population(patients: int, **changed: Any) -> Protocol:
    """One arm of MM-003, whose case-mix is changed: other levels, or other limits (low, high)."""
    plan = trials.load_protocol(PROTOCOL)
    mix = {
        name: value
        if isinstance(value, Levels)
        else getattr(plan.case_mix, name).model_copy(update=dict(zip(("low", "high"), value, strict=True)))
        for name, value in changed.items()
    }
    return plan.model_copy(
        update={
            "name": "population",
            "arms": (plan.arms[0].model_copy(update={"patients": patients}),),
            "randomisation": plan.randomisation.model_copy(
                update={"ratio": (1,), "blocks_of": 1, "strata": ()}
            ),
            "case_mix": plan.case_mix.model_copy(update=mix),
        }
    )


def measured(plan: Protocol, draws: ParameterDraws, count: int, seed: int) -> dict[str, np.ndarray]:
    """(count,) log rates of progression or death and of death, and minus the logit of response."""
    table = trials.run(plan, count, seed, draws=draws).patients.filter(status=0)
    found = table.group_by("replicate", maintain_order=True).agg(
        n=pl.len(),
        pfs=(pl.col("pfs_event").sum() / pl.col("pfs_months").sum()).log(),
        os=(pl.col("os_event").sum() / pl.col("os_months").sum()).log(),
        responded=pl.col("best_response").is_in(["PR", "VGPR", "CR"]).sum(),
    )
    responded, n = found["responded"].to_numpy(), found["n"].to_numpy()
    logit = np.log((responded + 0.5) / (n - responded + 0.5))
    return {"pfs": found["pfs"].to_numpy(), "os": found["os"].to_numpy(), "orr": -logit}


def rows(found: clinical.ClinicalPosterior, count: int, patients: int, seed: int) -> Iterator[dict[str, Any]]:
    """One row per published contrast of a covariate that the model has."""
    published = prognosis.prognosis(evidence.load()).contrasts
    for covariate, (worse, better, steps) in POPULATIONS.items():
        both = []
        for mix in (worse, better):
            plan = population(patients, **mix)
            both.append(measured(plan, found.for_trial(plan, count=count, seed=seed), count, seed))
        for row in published.filter(covariate=covariate).iter_rows(named=True):
            ratio = (both[0][row["endpoint"]] - both[1][row["endpoint"]]) / steps
            middle, low, high = (float(np.quantile(ratio, level)) for level in WIDTH)
            sure = row["low"] > 0 or row["high"] < 0
            yield {
                **{name: row[name] for name in ("covariate", "endpoint", "source", "claims", "use")},
                **{name: row[name] for name in ("per_step", "low", "high")},
                "predicted": middle,
                "predicted_low": low,
                "predicted_high": high,
                "overlap": low <= row["high"] and row["low"] <= high,
                "wrong_sign": sure and np.sign(middle) != np.sign(row["per_step"]),
            }


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--structure", default="burden")
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--patients", type=int, default=300)
    parser.add_argument("--seed", type=int, default=22)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    found = clinical.posterior(chosen.structure)
    table = []
    for row in rows(found, chosen.draws, chosen.patients, chosen.seed):
        table.append(row)
        if not chosen.json:
            print(
                f"{row['covariate']:24} {row['endpoint']:4} {row['source']:20} {row['use']:9} "
                f"{row['per_step']:5.2f} ({row['low']:.2f} to {row['high']:.2f})  "
                f"{row['predicted']:5.2f} ({row['predicted_low']:.2f} to {row['predicted_high']:.2f})  "
                f"{'overlap' if row['overlap'] else 'apart'}{', wrong sign' if row['wrong_sign'] else ''}",
                flush=True,
            )
    scored = [row for row in table if row["use"] == "withheld"]
    total = {
        "scored": len(scored),
        "overlap": sum(row["overlap"] for row in scored),
        "wrong_sign": sum(row["wrong_sign"] for row in scored),
    }
    if chosen.json:
        print(json.dumps({"rows": table, **total}))
    else:
        print(total)
    return 0


if __name__ == "__main__":
    sys.exit(main())
