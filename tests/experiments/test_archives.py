"""What experiments simulate, as archives that libroadrunner runs to the same curve."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from tests.envelope import payload
from tests.workshop.test_exchange import by_libroadrunner

from glueprint import experiments
from glueprint.cli.experiment import app
from glueprint.errors import InputError, NotSupportedError
from glueprint.workshop import exchange

# Conditions of each default design at two doses, and one more where another dose is followed longer.
ARCHIVES = {
    "degradation": 2 + 6,
    "enantiomers": 6 * 2 + 1,
    "neosubstrate_competition": 5 * 2,
    "proliferation": 3 * 2,
    "irf4_time_course": 1,
    "crbn_loss": 10 * 2,
    "tnf_alpha": 2 * 2,
    "il2_ifn": 2 + 1,
    "nk_killing": 2 * 2,
    "treg": 2,
    "angiogenesis": 2,
}


@pytest.fixture
def printed(printed):
    return partial(printed, app)


def test_every_experiment_is_an_archive_or_is_named_as_none():
    assert set(experiments.available()) - set(ARCHIVES) == {"fp_competition"}
    with pytest.raises(NotSupportedError, match="simulates nothing over time") as caught:
        experiments.archives("fp_competition")
    assert caught.value.code == "GP-L006"


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_experiment_runs_elsewhere_to_the_same_curve(name):
    found = experiments.archives(name)
    assert len(found) == ARCHIVES[name]
    for one in found:
        run, package = one.run, one.package
        assert package.sbml.findings == ()
        names = package.course.columns[1:]
        assert names[: len(run.outputs)] == list(run.outputs)
        own = package.course.to_numpy()
        theirs = by_libroadrunner(package.sbml.text, run.until_h, own.shape[0] - 1, names)
        scale = np.maximum(np.abs(own).max(axis=0), 1e-7)
        assert (np.abs(own - theirs) / scale).max() < 1e-5
        # The wells themselves, which the experiment simulates and reads in parts and not from the archive.
        wells = run.cells.over([run.dose_nm], own[:, 0], run.outputs, run.values, later=run.later)[0]
        away = np.isin(own[:, 0], [hour for hour, _, _ in run.later], invert=True)
        apart = np.abs(wells - theirs[:, 1 : 1 + len(run.outputs)]) / scale[1 : 1 + len(run.outputs)]
        assert apart[away].max() < 1e-5


def test_the_settings_are_those_of_the_experiment():
    design = {"doses_nm": (10.0, 100.0, 1000.0), "arm_dose_nm": 200.0, "times_h": (2.0, 5.0), "wash_h": 2.5}
    found = experiments.archives("degradation", **design, rho=3.0)
    assert [one.run.dose_nm for one in found[:2]] == [100.0, 1000.0]
    assert {one.run.until_h for one in found} == {5.0}
    assert {one.run.dose_nm for one in found[2:]} == {200.0}
    assert found[-1].run.later == ((2.5, "wash_per_h", 100.0),)
    assert all(one.run.values["ikzf1_rho"] == one.run.values["ikzf3_rho"] == 3.0 for one in found)
    usual = experiments.archives("degradation", **design)
    assert abs(usual[1].package.course["ikzf1"][-1] - found[1].package.course["ikzf1"][-1]) > 0.1
    # What the experiment prints of its wells, and what the archive holds.
    table = experiments.run("degradation", **design, **experiments.without_error("degradation")).table
    read = next(
        row["band"]
        for row in table.iter_rows(named=True)
        if (row["arm"], row["target"], row["time_h"], row["dose_nm"])
        == ("dose and time", "IKZF1", 5.0, 1000.0)
    )
    assert usual[1].package.course["ikzf1"][-1] == pytest.approx(read / 2e4, rel=1e-5)


@pytest.mark.parametrize("key", ["noise_percent", "replicates", "seed"])
def test_error_has_no_place_in_an_archive(key):
    with pytest.raises(InputError, match="no place") as caught:
        experiments.archives("treg", **{key: 3})
    assert caught.value.code == "GP-L004"


def test_the_command_writes_archives_that_come_back(printed, tmp_path):
    words = ("export", "tnf_alpha", "--set", "doses_nm=10,100", "--out", str(tmp_path / "a"), "--json")
    rows = payload(printed(*words))
    assert [(row["dose_nm"], row["changed"]) for row in rows][::2] == [
        (10.0, "lps = 1 from 1.5 h"),
        (10.0, "unbound = 0.7, lps = 1 from 1.5 h"),
    ]
    assert len(list((tmp_path / "a").iterdir())) == len(rows) == 4
    back = exchange.import_archive(rows[0]["file"], tmp_path / "back").results[0].table
    (own, *_) = experiments.archives("tnf_alpha", doses_nm=(10.0, 100.0))
    assert back["tnf"].to_numpy() == pytest.approx(own.package.course["tnf"].to_numpy(), rel=1e-9)
    assert "4 archives" in printed(*words[:-1])
