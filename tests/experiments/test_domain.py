"""Where an experiment goes beyond the evidence: what is said, and what its readings are still worth."""

from __future__ import annotations

import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import experiments
from glueprint.cli.app import app


def exactly(name, **settings):
    return experiments.run(name, **{**experiments.without_error(name), **settings})


@pytest.mark.parametrize("name", experiments.available())
def test_a_usual_design_is_covered(name):
    found = experiments.run(name)
    assert found.outside == ()
    assert "extrapolated" not in {reading.label for reading in found.readings}


def test_a_dose_that_no_design_has():
    found = exactly("proliferation", doses_nm=(1e3, 1e4, 1e6))
    (finding,) = found.outside
    assert str(finding) == "doses_nm: up to 1e+06 nM; usual designs cover up to 100000 nM (GP-L005)"
    assert {reading.label for reading in found.readings} <= {"extrapolated", "input", "assumed"}
    usual = exactly("proliferation", doses_nm=(1e3, 1e4))
    assert usual.outside == ()
    assert {reading.label for reading in usual.readings} & {"calibrated", "predicted"}


def test_days_count_as_hours():
    assert exactly("nk_killing", days=7.0).outside == ()
    (finding,) = exactly("nk_killing", days=8.0).outside
    assert (finding.field, finding.asked, finding.covered) == ("days", "up to 192 h", "up to 168 h")


@pytest.mark.parametrize(("value", "beyond"), [(0.2, False), (1e-4, True), (30.0, True)])
def test_a_parameter_beyond_its_prior(value, beyond):
    found = exactly("proliferation", irf4_ikzf50=value)
    assert [finding.field for finding in found.outside] == ["irf4_ikzf50"] * beyond


@pytest.mark.parametrize("switch", ["proteasome", "neddylation", "synthesis"])
def test_a_switch_is_of_the_protocol(switch):
    assert exactly("proliferation", **{switch: 0.0}).outside == ()


def test_the_command_says_it():
    call = ["experiment", "run", "treg", "--exact", "--set", "days=20"]
    shown = CliRunner().invoke(app, call)
    assert "beyond the evidence: days: up to 480 h" in shown.stderr
    told = payload(CliRunner().invoke(app, [*call, "--json"]).stdout)
    assert [finding["code"] for finding in told["outside"]] == ["GP-L005"]
    assert "predicted" not in {reading["label"] for reading in told["readings"]}
