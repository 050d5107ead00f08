"""Own tables from end to end: every number of 24 of them is that of R's packages survival and cmprsk.

The numbers are in reference/tables.json with their versions, the code in reference/tables.R.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from glueprint.survival import Request, analyse

HERE = Path(__file__).parent / "reference"
TABLES = json.loads((HERE / "tables_data.json").read_text(encoding="utf-8"))
R = json.loads((HERE / "tables.json").read_text(encoding="utf-8"))
MODELS = ("weibull", "lognormal", "loglogistic", "exponential")
PLAIN = [name for name, table in TABLES.items() if not {"entry", "weights"} & set(table)]


def found(name, **more):
    frame = pl.DataFrame(TABLES[name]).with_columns(id=pl.int_range(pl.len()))
    late = {"entry": "entry"} if "entry" in frame.columns else {}
    weighted = {"weights": "weights"} if "weights" in frame.columns else {}
    asked = {
        "cause": "cause",
        "censored": ("0",),
        "arm": "arm",
        "covariates": ("x",),
        **late,
        **weighted,
        **more,
    }
    tests = ("log-rank", "fh:1,0")
    models = MODELS if name in PLAIN else ()
    request = Request("time", **asked)
    return analyse(frame, request, milestones=[R["at"]], tau=R["tau"], tests=tests, models=models)


@pytest.fixture(scope="module")
def analyses():
    return {name: found(name, strata=("strata",)) for name in TABLES}


def close(ours, theirs, relative=1e-8):
    theirs = np.array([math.nan if one is None else one for one in np.ravel(theirs).tolist()], dtype=float)
    np.testing.assert_allclose(np.ravel(np.asarray(ours, dtype=float)), theirs, rtol=relative, atol=1e-12)


@pytest.mark.parametrize("name", TABLES)
def test_curves_and_regression(analyses, name):
    tables, theirs = analyses[name].tables, R["tables"][name]
    arms = list(theirs["arms"].values())
    close(tables["milestones"].select("survival", "low", "high").to_numpy(), [a["milestone"] for a in arms])
    close(tables["groups"].select("median", "low", "high").to_numpy(), [a["median"] for a in arms])
    ratios = tables["hazard_ratios"]
    assert set(ratios["status"]) == {"ok"}
    close(ratios.select("coefficient", "std_error").to_numpy().T, theirs["cox"])
    close(ratios.select("low", "high").to_numpy(), theirs["interval"])
    close(tables["proportional_hazards"]["chi2"], theirs["proportional"])
    test = tables["tests"].filter(pl.col("test") == "Cox, likelihood ratio")
    close(test["chi2"], theirs["likelihood_ratio"])


@pytest.mark.parametrize("name", PLAIN)
def test_tests_means_incidence_and_models(analyses, name):
    tables, theirs = analyses[name].tables, R["tables"][name]
    chi2 = dict(tables["tests"].select("test", "chi2").iter_rows())
    close(chi2["stratified log-rank"], theirs["log_rank"])
    close(chi2["stratified log-rank, weights 1, 0"], theirs["early"])
    close([chi2["Gray, 1"], chi2["Gray, 2"]], theirs["gray"])
    arms = tables["restricted_means"].filter(~pl.col("arm").str.contains("minus"))
    close(arms.select("mean", "std_error").to_numpy(), list(theirs["mean"].values()))
    close(tables["incidence"]["incidence"], list(theirs["incidence"].values()))
    for model in MODELS:
        mine = tables["models"].filter(pl.col("model") == model)
        close([*mine["ratio"], mine["log_likelihood"][0]], theirs[model], 1e-7)


@pytest.mark.parametrize("name", PLAIN)
def test_ratios_of_subdistributions(name):
    ratios = found(name).tables["subdistribution"].filter(cause="1")["hazard_ratio"].log()
    close(ratios, R["tables"][name]["fine_gray"], 1e-6)


def test_there_are_tables_of_each_kind():
    kinds = [tuple(sorted({"entry", "weights"} & set(table))) for table in TABLES.values()]
    assert {kind: kinds.count(kind) for kind in kinds} == {(): 8, ("entry",): 8, ("weights",): 8}
    assert R["versions"]["survival"]
