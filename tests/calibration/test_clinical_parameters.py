"""Free parameters of the clinical calibration: priors, what they set, and requests that cannot be met."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from glueprint.calibration import clinical, in_vitro
from glueprint.calibration.clinical.likelihood import rough_variance
from glueprint.calibration.clinical.summaries import Summary, observed, published, simulated
from glueprint.calibration.targets import Target
from glueprint.errors import InputError
from glueprint.runs import streams
from glueprint.trials.patients.draws import check_draws


def test_the_in_vitro_layer_keeps_its_margins_and_correlations() -> None:
    given = clinical.free()
    z = streams.normals(1, "test", np.arange(20_000), len(given.names))
    values = given.values(z)
    known = in_vitro.posterior().draws
    for name in given.assays:
        logs = np.log(known[name].to_numpy())
        assert abs(np.log(values[name]).mean() - logs.mean()) < 0.02
        assert abs(np.log(values[name]).std() / logs.std() - 1.0) < 0.05
    drawn = np.corrcoef([np.log(values[name]) for name in ("kd_nm", "monocyte_rho")])[0, 1]
    own = np.corrcoef([np.log(known[name].to_numpy()) for name in ("kd_nm", "monocyte_rho")])[0, 1]
    assert abs(drawn - own) < 0.05


def test_the_middle_of_the_prior_is_the_middle_of_each_belief() -> None:
    given = clinical.free("claret")
    values = given.values(np.zeros((1, len(given.names))))
    for belief in given.beliefs:
        assert values[belief.name][0] == pytest.approx(belief.middle, rel=1e-9)


def test_a_search_begins_where_the_file_says_and_else_in_the_middle() -> None:
    given = clinical.free("burden")
    values = given.values(given.start[None, :])
    for name, wanted in given.begun.items():
        assert values[name][0] == pytest.approx(wanted, rel=1e-9)
    assert {name for name, z in zip(given.names, given.start, strict=True) if z} <= set(given.begun)
    assert not clinical.free("claret").start.any()


@pytest.mark.parametrize("structure", clinical.STRUCTURES)
def test_what_is_set_is_known_to_the_trial(structure: str) -> None:
    given = clinical.free(structure)
    draws = given.draws(given.values(np.zeros((1, len(given.names)))), "mm003")
    assert draws.structure == structure
    assert {"kd_nm", "growth_per_d", "omega2.growth_per_d", "study_death_ratio"} <= set(draws.names)
    check_draws(draws)


def test_each_trial_has_an_effect_of_its_own() -> None:
    given = clinical.free("claret")
    z = np.zeros((1, len(given.names)))
    z[0, given.names.index("study_death_ratio:mm002")] = -1.0
    values = given.values(z)
    assert given.overrides(values, "mm003")["study_death_ratio"][0] == 1.0
    assert given.overrides(values, "mm002")["study_death_ratio"][0] == pytest.approx(
        10.0**-given.study_sd_log10
    )


def target(value: float, endpoint: str = "orr", kind: str = "rate") -> Target:
    return Target((f"C{value:g}",), "mm003", "HiDEX", endpoint, kind, value, None, None, 153)


def test_readings_of_one_endpoint_come_together() -> None:
    (rate, median) = published([target(10.0), target(2.0, "median_pfs", "median"), target(12.0)])
    assert (rate.readings, rate.claim_ids) == ((10.0, 12.0), ("C10", "C12"))
    # By its readings half are free of the event at 2 months; a reading of 4 would say fewer are.
    assert observed([rate, median])[1] == pytest.approx(0.0)
    assert median.scaled(4.0) == pytest.approx(-2.0 * np.log(2.0) ** 2)


def test_summaries_of_a_table_are_on_the_scale_of_the_fit() -> None:
    rate, median = (
        Summary("mm003", "HiDEX", "orr", "rate", (10.0,), ("A",), 153),
        Summary("mm003", "HiDEX", "median_os", "share without event", (8.0,), ("B",), 153),
    )
    table = pl.DataFrame(
        {
            "trial": ["mm003"] * 2, "arm": ["HiDEX"] * 2, "endpoint": ["orr", "median_os"],
            "value": [10.0, None], "n": [153, 153], "events": [15, 60],
        }
    )  # fmt: skip
    edge = 8.0 - 14 / 30.4375 + 0.3
    curve = pl.DataFrame(
        {
            "trial": ["mm003"] * 2, "arm": ["HiDEX"] * 2, "endpoint": ["os"] * 2,
            "time_months": [2.0, edge], "survival": [0.6, 0.4],
        }
    )  # fmt: skip
    found = simulated([rate, median], table, curve)
    assert found[0] == pytest.approx(np.log(15.5 / 138.5))
    # The window is 0.92 months: for 0.3 of them 0.6 are alive, for the rest 0.4.
    share = (0.6 * 0.3 + 0.4 * (28 / 30.4375 - 0.3)) / (28 / 30.4375)
    assert found[1] == pytest.approx(np.log(share / (1 - share)))
    assert np.isnan(simulated([rate, median], table.head(1), curve)[1])
    assert rate.natural(np.array([np.log(0.25)]))[0] == pytest.approx(20.0)


def test_a_hazard_ratio_is_fitted_as_its_logarithm() -> None:
    vs = "POM+LoDEX vs HiDEX"
    ratio = Summary("mm003", vs, "hr_os", "hazard ratio", (0.7, 0.74, 0.72), ("X",), 455)
    table = pl.DataFrame(
        {"trial": ["mm003"], "arm": [vs], "endpoint": ["hr_os"], "value": [0.8], "n": [455], "events": [300]}
    )
    nothing = pl.DataFrame(schema={"trial": pl.String, "arm": pl.String, "endpoint": pl.String})
    assert simulated([ratio], table, nothing)[0] == pytest.approx(np.log(0.8))
    assert observed([ratio])[0] == pytest.approx(np.log([0.7, 0.74, 0.72]).mean())
    assert ratio.natural(np.array([np.log(0.8)]))[0] == pytest.approx(0.8)
    assert ratio.unit == "1"
    readings = np.var(np.log([0.7, 0.74, 0.72]), ddof=1) / 3
    assert rough_variance([ratio])[0] == pytest.approx(4 / 455 + readings)


def test_requests_that_cannot_be_met(tmp_path: Path) -> None:
    with pytest.raises(InputError) as unknown:
        clinical.posterior("clarett")
    assert unknown.value.code == "GP-K010"
    assert "claret" in str(unknown.value)
    with pytest.raises(InputError, match=r'GP-K010 .*unknown scope "arm".*arms'):
        clinical.posterior("claret", "arm")
    with pytest.raises(InputError, match=r"(?s)GP-K010 .*does not come with .*--arms-only --out"):
        clinical.posterior("two-clone", "arms")
    with pytest.raises(InputError) as nothing:
        clinical.load(tmp_path, "claret")
    assert nothing.value.code == "GP-K011"
    with pytest.raises(InputError) as wrong:
        clinical.calibrate(structure="three-clone")
    assert wrong.value.code == "GP-K012"
    with pytest.raises(InputError, match=r'GP-K012 .*scope "all"'):
        clinical.calibrate(scope="all")
