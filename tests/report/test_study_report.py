"""What the page says of a study's numbers: with a posterior and without one."""

from __future__ import annotations

import dataclasses
import math
import re

import polars as pl
import pytest

from glueprint import references
from glueprint.calibration import clinical
from glueprint.calibration.clinical import ClinicalPosterior
from glueprint.report import page
from glueprint.report.study_report import limits
from glueprint.trials import load_protocol

EMPTY = pl.DataFrame()
REFERENCE = references.load("pomalidomide")


def invented_posterior(**changes):
    """Three parameters with invented quantiles; one of them learnt nothing."""
    parameters = pl.DataFrame(
        {
            "name": ["kd_nm", "growth_per_d", "growth_variance"],
            "median": [300.0, 0.02, 0.7],
            "low_95": [100.0, 0.015, 0.4],
            "high_95": [900.0, 0.025, 1.2],
            "verdict": ["not identified", "identified", "identified"],
        }
    )
    given = ClinicalPosterior(
        structure="claret", scope="trials", draws=EMPTY, parameters=parameters, summaries=EMPTY,
        diagnostics=EMPTY, log_evidence=0.0, misfit=0.0, targets=0, simulations=0, settings={}, status="ok",
        reason="", digest="",
    )  # fmt: skip
    return dataclasses.replace(given, **changes)


def test_without_a_posterior_the_limits_say_so():
    words = " ".join(limits(None))
    assert "stand at the most probable draw of a fit to published summaries of MM-002 and MM-003" in words
    assert "does not carry the uncertainty of the parameters" in words
    assert "draws of a posterior" not in words


def test_with_a_posterior_the_limits_say_what_an_interval_carries():
    told = limits(invented_posterior())
    words = " ".join(told)
    assert (
        "(structure of the tumour: claret), calibrated to published summaries of MM-002 and MM-003" in words
    )
    assert "Calibrated is not predicted" in words
    assert "carries the uncertainty of the parameters, of the patients and of sampling" in words
    assert "in view. Agreement" not in words
    # The assumed spread of calibration/data/clinical.toml, on the logarithmic scale it is given on.
    factor = float(re.search(r"by a factor of ([0-9.]+) either way is assumed", words)[1])
    assert math.log10(factor) == pytest.approx(clinical.free("claret").study_sd_log10, abs=0.02)
    assert "The posterior is" not in words


def test_parameters_that_learnt_nothing_are_counted_and_named():
    (told,) = [line for line in limits(invented_posterior()) if "identified" in line]
    assert told.startswith("Of 3 free parameters those trials identify 2, which lost at least half")
    assert told.endswith("0 weakly; 1 are not identified, and so believed as before (kd_nm).")
    parameters = invented_posterior().parameters
    none = invented_posterior(parameters=parameters.with_columns(verdict=pl.lit("not identified")))
    assert any(
        "3 are not identified, and so believed as before (kd_nm, growth_per_d, growth_variance)." in line
        for line in limits(none)
    )
    weakly = invented_posterior(parameters=parameters.with_columns(verdict=pl.lit("weakly identified")))
    assert any("3 weakly (kd_nm, growth_per_d, growth_variance); 0 are" in line for line in limits(weakly))
    every = invented_posterior(parameters=parameters.with_columns(verdict=pl.lit("identified")))
    assert any(line.startswith("All 3 free parameters are identified") for line in limits(every))


def test_a_posterior_that_is_not_ok_comes_first():
    told = limits(invented_posterior(status="stale", reason="claims have changed since"))
    assert told[0] == "The posterior is stale: claims have changed since."


@pytest.mark.parametrize("posterior", [None, invented_posterior()], ids=["typical", "posterior"])
def test_what_is_modelled_is_no_limit_and_what_is_not_is_one(posterior):
    words = " ".join(limits(posterior, REFERENCE))
    for gone in ("regulatory T cells", "rowth inhibition", "no posterior stands behind it"):
        assert gone not in words
    for there in (
        "Complete response is overstated",
        "first dose reductions come too late",
        "does not depend on the dose",
        "No raw data of the drug are public",
    ):
        assert there in words


@pytest.mark.parametrize("posterior", [None, invented_posterior()], ids=["typical", "posterior"])
def test_another_compound_is_told_what_its_parameters_are_of(posterior):
    words = " ".join(limits(posterior, other="glx"))
    assert "trials of pomalidomide. That they hold for glx is assumed" in words
    assert "nothing here was calibrated to it" in words
    for gone in ("MM-00", "4.5 weeks", "No baseline table", "No raw data of the drug", "Calibrated is not"):
        assert gone not in words
    assert "Complete response is overstated" in words


def test_the_legend_and_the_parameters_follow_the_posterior(small_input):
    by_hand = re.sub(r"\s+", " ", page.render(small_input))
    assert "fitted or hand-set so that this number comes out" in by_hand
    assert "drawn:" not in by_hand
    extra = {"fitted": 0.0212, "fitted_low": 0.018, "fitted_high": 0.025}
    shown = small_input.parameters.with_columns(
        pl.when(pl.col("name") == "tumour_growth_per_d").then(value).alias(name)
        for name, value in extra.items()
    )
    given = dataclasses.replace(small_input, posterior="two-clone", parameters=shown)
    drawn = re.sub(r"\s+", " ", page.render(given))
    assert "hand-set so that" not in drawn
    assert "fitted to this number, or to others of the same arms" in drawn
    assert "(structure of the tumour: two-clone)" in drawn
    assert drawn.count("drawn: 0.0212 (0.0180–0.0250)") == 1
    assert drawn.count("drawn:") == 1
    one = shown.with_columns(fitted_low=pl.lit(None, pl.Float64), fitted_high=pl.lit(None, pl.Float64))
    alone = re.sub(r"\s+", " ", page.render(dataclasses.replace(small_input, parameters=one)))
    assert alone.count("in the trials: 0.0212") == 1
    assert "replaced by the most probable draw of the fit" in alone
    assert "drawn:" not in alone


def test_the_case_mix_stands_beside_the_parameters_with_its_origin(small_input):
    plan = load_protocol("mm003")
    assert 'id="case-mix"' not in page.render(small_input)
    trials = {
        name: dataclasses.replace(trial, protocol=plan if name == "mm003" else None)
        for name, trial in small_input.trials.items()
    }
    shown = page.render(dataclasses.replace(small_input, trials=trials))
    section = shown[shown.index('<section id="case-mix"') : shown.index('<section id="provenance"')]
    rows = re.findall(r"<tr class=\"first\">(.*?)</tr>", section)
    assert len(rows) == len(plan.case_mix.names) + len(plan.case_mix.correlations)
    cells = {row[0]: row[1:] for row in (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows)}
    words, evidence, why = cells["platelets_1e9_per_l"]
    assert words == "median 140, SD of the logarithm 0.6, log-normal, 30 to 500"
    assert evidence == "SAF073, SAF144a, SAF144b"
    assert why.startswith("assumed: no baseline table was seen")
    assert cells["age_y"] == ["mean 64, SD 10, normal, 34 to 88", "CL117", ""]
    assert cells["sex"][0] == "male 54.9 %, female 45.1 %"
    assert cells["prior_lines"][0].endswith("whole numbers, 2 to 17")
    assert cells["albumin_g_per_l,<br>m_protein_g_per_l"][0] == "correlation −0.49"
