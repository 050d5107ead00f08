"""The degradation experiment against the closed form of its model, and what a lab could read from it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint import experiments
from glueprint.errors import InputError, NotSupportedError
from glueprint.experiments import degradation
from glueprint.experiments.degradation import GUIDE_DOSES_NM
from glueprint.mechanism import binding

DENSE_NM = tuple(np.logspace(-1.0, 4.0, 11))


def exact(name, **settings):
    """An experiment without measurement error: the model as the protocol shows it."""
    return experiments.run(name, **{**experiments.without_error(name), **settings})


# Drug that stays: closed forms need it.
STABLE = {"hydrolysis_per_h": 0.0}


def closed_form(dose_nm, time_h, kd_nm, rho):
    """F + (1 - F) exp(-k t) with k = kdeg (1 + rho L/(L + Kd)) and F = kdeg / k, at constant drug."""
    kdeg = 0.2  # data/lines/MM1S.toml
    rate = kdeg * (1.0 + rho * dose_nm / (dose_nm + kd_nm))
    return kdeg / rate + (1.0 - kdeg / rate) * np.exp(-rate * time_h)


def test_fractions_remaining_are_those_of_the_closed_form():
    found = exact("degradation", kd_nm=150.0, rho=8.0, **STABLE).table
    table = found.filter((pl.col("target") == "IKZF1") & (pl.col("arm") == "dose and time"))
    expected = closed_form(table["dose_nm"].to_numpy(), table["time_h"].to_numpy(), 150.0, 8.0)
    assert table["fraction_remaining"].to_numpy() == pytest.approx(expected, abs=5e-6)


def test_the_design_is_that_of_the_guide_with_doses_below_it():
    found = experiments.run("degradation")
    assert found.table["dose_nm"].unique().sort().to_list() == [
        0.0,
        1.0,
        3.0,
        10.0,
        30.0,
        100.0,
        1000.0,
        10000.0,
    ]
    assert found.table["time_h"].unique().sort().to_list() == [1.0, 3.0, 6.0, 24.0]
    assert found.table["target"].unique().sort().to_list() == ["IKZF1", "IKZF3"]
    assert found.compound == "pomalidomide"
    # The design answers its own question: every DC50 is a number between two doses.
    potencies = [reading for reading in found.readings if reading.name.startswith("DC50")]
    assert len(potencies) == 20
    assert {reading.relation for reading in potencies} == {"="}
    assert all(10.0 < reading.value < 100.0 for reading in potencies)


def test_the_guide_design_can_only_bound_the_dc50_of_pomalidomide():
    found = exact("degradation", doses_nm=GUIDE_DOSES_NM)
    at_24 = found.reading("DC50 absolute, IKZF1 at 24 h")
    assert (at_24.relation, at_24.value) == ("<", 100.0)
    assert "add lower doses" in at_24.note


def test_with_lower_doses_the_steady_state_potencies_come_back():
    found = exact("degradation", doses_nm=DENSE_NM, times_h=(500.0,), kd_nm=264.0, rho=21.3, **STABLE)
    relative, absolute = (found.reading(f"DC50 {kind}, IKZF1 at 500 h") for kind in ("relative", "absolute"))
    assert relative.value == pytest.approx(264.0 / 22.3, rel=1e-4)
    assert absolute.value == pytest.approx(264.0 / 20.3, rel=1e-4)
    assert relative.value == pytest.approx(float(binding.relative_dc50(264.0, 21.3)), rel=1e-4)
    assert found.reading("Dmax, IKZF1 at 500 h").value == pytest.approx(float(binding.dmax(21.3)), rel=1e-5)


def test_the_limit_of_the_design_is_shown_beside_it():
    found = exact("degradation")
    assert found.reading("DC50 relative, IKZF1 at steady state").value == pytest.approx(264.0 / 22.3)
    assert found.reading("DC50 absolute, IKZF3 at steady state").value == pytest.approx(264.0 / 20.3)
    none = exact("degradation", rho=1.0).reading("DC50 absolute, IKZF1 at steady state")
    assert (none.value, none.relation) == (None, "none")


def test_intervals_come_with_measurement_error_only():
    clean = exact("degradation", doses_nm=DENSE_NM, times_h=(24.0,))
    noisy = exact("degradation", doses_nm=DENSE_NM, times_h=(24.0,), noise_percent=10.0, replicates=2)
    name = "DC50 absolute, IKZF1 at 24 h"
    assert (clean.reading(name).low, clean.reading(name).high) == (None, None)
    low, value, high = (getattr(noisy.reading(name), key) for key in ("low", "value", "high"))
    assert low < value < high
    assert low < clean.reading(name).value < high
    for name in ("Dmax, IKZF1 at 24 h", "IKZF1 left at 24 h, drug alone"):
        assert clean.reading(name).low is None
        assert noisy.reading(name).low < noisy.reading(name).value < noisy.reading(name).high


def test_a_weak_glue_has_no_absolute_dc50():
    found = exact("degradation", doses_nm=DENSE_NM, times_h=(500.0,), rho=0.8, **STABLE)
    assert found.reading("DC50 relative, IKZF1 at 500 h").relation == "="
    assert found.reading("DC50 absolute, IKZF1 at 500 h").relation == ">"


def test_every_reading_says_what_it_is_worth():
    found = exact("degradation")
    assert {reading.label for reading in found.readings} == {"calibrated", "input"}
    assert all(r.label == "calibrated" for r in found.readings if r.name.startswith(("DC50", "Dmax")))
    # What a switch of the model does was put in.
    assert found.reading("IKZF1 left at 24 h, MLN4924").label == "input"
    assert len(found.potencies) == 16
    sources = dict(found.parameters.select("name", "evidence").iter_rows())
    assert "BIN-001" in sources["kd_nm"]
    assert any("all free" in assumption for assumption in found.assumptions)


def test_blot_error_is_drawn_from_the_seed_and_reproducible():
    asked = {"noise_percent": 20.0, "replicates": 3}
    first, again = (exact("degradation", **asked, seed=4).table for _ in range(2))
    other = exact("degradation", **asked, seed=5).table
    assert first.equals(again)
    assert not first.equals(other)
    assert first.height == 3 * exact("degradation").table.height
    clean = exact("degradation").table["band"].to_numpy().repeat(3)
    errors = np.log(first["band"].to_numpy() / clean)
    # Target and loading err alike, so that their ratio has 20 %. 144 lanes in triplicate: the SD is known to
    # 1 / sqrt(2 * 431), 3.4 %; four times that.
    assert np.std(errors) == pytest.approx(0.2 / np.sqrt(2.0), rel=0.14)


def test_controls_do_what_their_names_say():
    found = exact("degradation", form="kinetic")
    left = {name: found.reading(f"IKZF1 left at 24 h, {name}").value for name in degradation.ARMS}
    for protected in ("MLN4924", "MG132", "IKZF1 Q146H", "CRBN knock-out"):
        assert left[protected] == pytest.approx(1.0, abs=1e-6)
    assert left["drug alone"] < 0.1
    assert left["cycloheximide"] < 1e-6
    assert left["wash-out"] > 0.9
    # Q146H protects its own substrate alone.
    assert found.reading("IKZF3 left at 24 h, IKZF1 Q146H").value < 0.1


def test_both_forms_agree_at_six_hours():
    left = [
        exact("degradation", form=form).reading("Dmax, IKZF1 at 6 h").value for form in ("reduced", "kinetic")
    ]
    assert left[0] == pytest.approx(left[1], abs=0.01)


@pytest.mark.parametrize(
    "settings",
    [
        {"doses_nm": ()},
        {"doses_nm": (0.0, 1.0)},
        {"doses_nm": (10.0, 1.0)},
        {"times_h": (-1.0,)},
        {"times_h": (float("inf"),)},
        {"replicates": 0},
        {"noise_percent": -0.1},
        {"kd_nm": 0.0},
        {"rho": -1.0},
        {"wash_h": 0.0},
        {"form": "kinetics"},
    ],
)
def test_settings_that_cannot_be_are_named(settings):
    with pytest.raises(InputError, match="GP-L002") as caught:
        exact("degradation", **settings)
    assert caught.value.where == f"setting {next(iter(settings))}"


def test_numbers_that_a_compound_lacks_are_listed_and_not_made_up():
    with pytest.raises(NotSupportedError, match="GP-L003") as caught:
        exact("degradation", compound="thalidomide")
    for field in ("pharmacology.kd_nm", "pharmacology.efficacy.IKZF1", "pharmacology.efficacy.IKZF3"):
        assert field in caught.value.message
    assert "give the setting kd_nm, rho" in caught.value.next_step
    found = exact("degradation", compound="thalidomide", kd_nm=500.0, rho=5.0)
    assert found.compound == "thalidomide"


def test_what_no_blot_shows_is_below_the_limit_of_detection():
    left = [one for one in experiments.run("degradation").readings if "cycloheximide" in one.name]
    assert [(one.relation, one.value, one.low, one.high) for one in left] == 2 * [("<", 0.01, None, None)]
    assert all("below what the assay detects" in one.note for one in left)
    # The model alone has no limit.
    model = [one for one in exact("degradation").readings if "cycloheximide" in one.name]
    assert {one.relation for one in model} == {"="}
    assert all(0.0 < one.value < 1e-6 for one in model)
