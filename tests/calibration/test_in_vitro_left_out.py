"""The guide's assay numbers as fits predict them that have not read them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import polars as pl
import pytest
from tests.envelope import payload

from glueprint import evidence, references
from glueprint.calibration import in_vitro
from glueprint.calibration.in_vitro import claims, leaving_out, likelihood
from glueprint.calibration.in_vitro.parameters import COORDINATES, values
from glueprint.calibration.in_vitro.predictions import repeated
from glueprint.cli.calibrate import app
from glueprint.errors import InputError
from glueprint.study.left_out import PRIOR_ONLY, with_left_out

SPR = "G1-kd-spr"
PRIOR = {"G1-ic50-mm1s", "G1-ic50-rpmi8226", "G1-ic50-opm2", "G1-ic50-treg", "G2-tnf-pbmc"}


def one_claim():
    (claim,) = (claim for claim in evidence.load() if claim.id == SPR)
    return claim


def test_a_claim_that_is_not_read_costs_nothing():
    given = claims.data(evidence.load())
    walker = np.zeros((1, len(COORDINATES)))
    for name, log10_nm in (("assay:spr", 2.3), ("assay:fp", 2.2)):
        if name in COORDINATES:
            walker[:, COORDINATES.index(name)] = log10_nm
    for k, name in enumerate(COORDINATES):
        if name.startswith("potency:"):
            walker[:, k] = 3.5
    rest = {name: datum for name, datum in given.items() if name != SPR}
    shown = likelihood.shown(values(walker))[SPR]
    term = 0.5 * ((given[SPR].value - shown) / given[SPR].error) ** 2
    with_it = likelihood.minus_log_posterior(walker, given)
    assert np.isfinite(with_it).all()
    assert with_it - likelihood.minus_log_posterior(walker, rest) == pytest.approx(term)


def test_what_was_not_read_is_called_predicted():
    found = dataclasses.replace(in_vitro.posterior(), without=(SPR,))
    assert found.predictive(SPR).label == "predicted"
    assert found.predictive("G1-ki-fp").label == "calibrated"


def test_a_claim_that_is_not_fitted_cannot_be_left_out():
    with pytest.raises(InputError, match="GP-K006") as caught:
        in_vitro.fit(steps=50, without=("G1-kd-spx",))
    assert 'did you mean "G1-kd-spr"' in str(caught.value)


def test_the_shipped_table_holds_the_guides_claims_and_follows_from_the_claims_and_priors_as_they_are():
    table = in_vitro.left_out()
    assert set(table["claim_id"]) == {claim.id for claim in in_vitro.guide_claims(evidence.load())}
    assert set(table.filter("prior_only")["claim_id"]) == PRIOR
    scored = table.filter(~pl.col("prior_only"))
    assert set(scored["status"]) == {"ok"}
    assert scored["log_score"].is_finite().all()
    numbers = table.filter("prior_only").select("predicted", "low", "high", "log_score")
    assert numbers.null_count().sum_horizontal()[0] == 4 * len(PRIOR)
    # A claim that is not read is known less well than one that is.
    for row in scored.iter_rows(named=True):
        (claim,) = (claim for claim in evidence.load() if claim.id == row["claim_id"])
        again = np.sort(repeated(in_vitro.posterior().draws, claim))
        low, high = again[int(0.025 * (again.size - 1))], again[int(0.975 * (again.size - 1))]
        assert row["high"] / row["low"] > high / low


def test_a_fit_without_a_claim_gives_the_row_of_the_table(monkeypatch):
    """The shipped posterior stands for the fit, which takes minutes."""
    asked = []

    def fitted(_known, **how):
        asked.append(how["without"])
        return in_vitro.posterior()

    monkeypatch.setattr(leaving_out, "fit", fitted)
    table = in_vitro.leave_each_out(steps=50)
    assert {claim_id for (claim_id,) in asked} == set(table["claim_id"]) - PRIOR
    row = table.row(by_predicate=pl.col("claim_id") == SPR, named=True)
    logs = np.log(repeated(in_vitro.posterior().draws, one_claim()))
    assert (row["unit"], row["published"]) == ("nM", 264.0)
    away = (math.log(264.0) - logs.mean()) / logs.std(ddof=1)
    assert row["log_score"] == pytest.approx(
        -0.5 * away**2 - math.log(logs.std(ddof=1) * math.sqrt(2 * math.pi))
    )


def test_beside_the_guide_in_the_unit_of_its_cell():
    assays = pl.DataFrame(
        [
            (SPR, "nM", 264.0, 300.0, 100.0, 900.0, -0.5, False, "ok"),
            ("G1-ic50-opm2", "nM", 10000.0, None, None, None, None, True, ""),
        ],
        schema=in_vitro.LEFT_OUT,
        orient="row",
    )
    comparison = pl.DataFrame(
        {"claim_id": [SPR, "G1-ic50-opm2", "G1-ki-fp"], "published_value": [264.0, 10.0, 1.0],
         "unit": ["nM", "uM", "nM"]}
    )  # fmt: skip
    rows = with_left_out(comparison, references.default(), {}, assays).rows(named=True)
    assert [row["left_out"] for row in rows] == [300.0, None, None]
    assert [row["left_out_verdict"] for row in rows] == ["inside", PRIOR_ONLY, None]
    assert [row["left_out_score"] for row in rows] == [-0.5, None, None]


def test_the_command_shows_the_shipped_table(printed):
    shown = payload(printed(app, "in-vitro", "--shipped", "--leave-out", "--json"))
    assert shown == in_vitro.left_out().to_dicts()
    assert "prior only" in printed(app, "in-vitro", "--shipped", "--leave-out")
