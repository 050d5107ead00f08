"""TNF-alpha in medium and blood: closed forms, the shift by the free fraction, and what is a prediction."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint import experiments
from glueprint.errors import InputError, NotSupportedError


def test_half_inhibition_is_the_closed_form():
    found = experiments.run("tnf_alpha", kd_nm=200.0, rho=11.0, fraction_unbound=0.5)
    # 1 / (1 + rho L / (L + Kd)) = 1/2 at L = Kd / (rho - 1) = 20 nM free, which is 40 nM total at half
    # unbound.
    assert found.reading("IC50, PBMC").value == pytest.approx(20.0, rel=1e-6)
    assert found.reading("IC50, whole blood").value == pytest.approx(40.0, rel=1e-6)


def test_pomalidomide_is_calibrated_in_medium_and_predicted_in_blood():
    found = experiments.run("tnf_alpha")
    medium, blood = found.reading("IC50, PBMC"), found.reading("IC50, whole blood")
    assert (medium.label, blood.label) == ("calibrated", "predicted")
    # Guide 1, table 2: 13 nM, from which rho was derived, and 25 nM; the plan asks for 0.3 log10 of the
    # latter.
    assert medium.value == pytest.approx(13.0, rel=0.01)
    assert 25.0 / 2.0 < blood.value < 25.0 * 2.0
    assert "G2-tnf-blood" in blood.claims


def test_a_weak_glue_never_halves_tnf():
    assert experiments.run("tnf_alpha", rho=0.9).reading("IC50, PBMC").relation == ">"


def test_inhibition_rises_with_dose_and_less_in_blood():
    table = experiments.run("tnf_alpha").table
    medium, blood = (
        table.filter(pl.col("system") == s)["inhibition_percent"].to_numpy() for s in ("PBMC", "whole blood")
    )
    assert medium[0] == blood[0] == 0.0
    assert (medium[1:] > blood[1:]).all()
    assert (blood[1:] > blood[:-1]).all()


@pytest.mark.parametrize("value", [0.0, 1.2, float("nan")])
def test_a_free_fraction_that_cannot_be_is_refused(value):
    with pytest.raises(InputError, match="GP-L002"):
        experiments.run("tnf_alpha", fraction_unbound=value)


def test_what_a_compound_lacks_is_asked_for_by_name():
    for given, asked in (({}, "rho"), ({"rho": 5.0}, "fraction_unbound")):
        with pytest.raises(NotSupportedError, match="GP-L003") as caught:
            experiments.run("tnf_alpha", compound="lenalidomide", **given)
        assert f"give the setting {asked}" in caught.value.next_step
    assert (
        experiments.run("tnf_alpha", compound="lenalidomide", rho=5.0, fraction_unbound=0.7).table.height > 0
    )
