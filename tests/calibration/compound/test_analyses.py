"""What the analyses of the protocols gave, as measured quantities."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint.assays import degradation, elisa, growth, layout, polarization, readers, twins
from glueprint.calibration import compound
from glueprint.calibration.compound.analyses import measurements
from glueprint.errors import InputError

SOURCE = compound.Source("plate.txt", "f" * 64, "week 1")


def wells(protocol, *changes):
    twin = twins.simulate(protocol, seed=1, changes=changes)
    plate = readers.parse(twin.files["plate.txt"], "plate.txt")
    return layout.apply(plate, layout.parse(twin.files["layout.toml"].decode(), "layout.toml"))


def lanes(loss, compound_name="GLX-1", seed=0):
    """Fractions remaining of three membranes; `loss` of the vehicle at each dose and time."""
    noise = np.random.default_rng(seed)
    rows = []
    for experiment in ("1", "2", "3"):
        for time in (2.0, 6.0, 24.0):
            for dose in (0.0, 0.0, 1.0, 10.0, 100.0, 1000.0, 10_000.0):
                left = 1.0 - (loss(dose, time) if dose else 0.0)
                rows.append(
                    {
                        "target": "IKZF1", "compound": compound_name if dose else "",
                        "experiment": experiment, "membrane": experiment, "time_h": time, "dose_nm": dose,
                        "fraction_remaining": float(left * np.exp(noise.normal(0.0, 0.08))),
                    }
                )  # fmt: skip
    return pl.DataFrame(rows)


@pytest.fixture(scope="module")
def fp():
    found = wells("fp", 'ki_nm={ "GLX-1" = 40.0, "pomalidomide" = 160.0 }')
    return polarization.analyse(found)


def test_a_plate_of_polarisation_gives_the_ratio_of_its_compounds(fp):
    rows = measurements("fp", fp, SOURCE)
    ki = rows.filter(pl.col("quantity") == "ki")
    assert set(rows["quantity"]) == {"ki", "ic50_relative", "ic50_absolute"}
    assert set(ki["compound"]) == {"GLX-1", "pomalidomide"}
    # The wells' own error is less than that of the Ki; the rest is the plate's, which both share.
    assert (ki["log10_se"] < 0.1).all()
    assert (ki["shared_log10_se"] > 0.03).all()
    assert set(rows["sha256"]) == {SOURCE.sha256}
    found = compound.fit(compound.dossier(rows, compound="GLX-1"), quick=True)
    ratio = found.parameters.row(by_predicate=pl.col("name") == "kd_ratio", named=True)
    assert ratio["low_95"] < 0.25 < ratio["high_95"]
    assert ratio["high_95"] / ratio["low_95"] < 6.0


def test_donors_of_an_elisa_are_runs_and_their_pool_is_shown():
    result = elisa.analyse(wells("elisa").table)
    rows = measurements("elisa", result, SOURCE)
    donors = rows.filter((pl.col("quantity") == "ic50_absolute") & (pl.col("run") != ""))
    assert donors.height == 4
    assert set(rows["target"]) == {"TNF-alpha"}
    use = compound.dossier(rows, compound="pomalidomide").measurements
    assert use.filter(pl.col("use") == "fitted").height == 4


def test_lines_of_a_growth_assay_are_cells():
    found = wells("growth")
    table, _ = growth.cultures_table(found.table, found.assay)
    rows = measurements("growth", growth.analyse(table), SOURCE)
    assert set(rows["cells"]) == {"line A", "line B"}
    assert set(rows["quantity"]) == {"ic50_absolute", "ic50_relative", "gi50", "gr50", "gec50"}
    assert set(rows["time_h"]) == {72.0}


def test_rates_of_degradation_are_read_and_not_only_dc50s():
    def loss(dose, time):
        added = 8.0 * dose / (dose + 50.0)
        return added / (1.0 + added) * -np.expm1(-0.12 * (1.0 + added) * time)

    source = compound.Source("m.csv", "", "set 1", cells="MM1S")
    rows = measurements("degradation", degradation.analyse(lanes(loss)), source)
    runs = rows.filter(pl.col("run") != "")
    ec50 = runs.filter(pl.col("quantity") == "rate_ec50")
    rho = runs.filter(pl.col("quantity") == "rate_max_over_k_deg")
    assert ec50.height == rho.height == 3
    assert np.exp(np.log(ec50["value"].to_numpy()).mean()) == pytest.approx(50.0, rel=0.4)
    assert np.exp(np.log(rho["value"].to_numpy()).mean()) == pytest.approx(8.0, rel=0.4)
    assert {"dc50_relative", "dc50_absolute", "dmax"} <= set(rows["quantity"])
    assert set(rows["cells"]) == {"MM1S"}


def test_a_compound_without_effect_leaves_a_limit_of_its_loss():
    rows = measurements("degradation", degradation.analyse(lanes(lambda _dose, _time: 0.0)), SOURCE)
    losses = rows.filter(pl.col("quantity") == "loss")
    assert losses.height == 3
    assert set(losses["relation"]) == {"<"}
    assert (losses["dose_nm"] == 10_000.0).all()
    # One lane of 8 % scatter excludes a loss of a seventh, and no less by luck.
    assert ((losses["value"] > 0.1) & (losses["value"] < 0.3)).all()
    found = compound.dossier(rows, compound="GLX-1")
    assert "GP-K044" in {finding.code for finding in found.findings}


def test_no_effect_up_to_the_top_dose_is_a_limit():
    found = wells("growth", "bottom=0.7")
    table, _ = growth.cultures_table(found.table, found.assay)
    rows = measurements("growth", growth.analyse(table), SOURCE)
    runs = rows.filter((pl.col("quantity") == "ic50_absolute") & (pl.col("run") != ""))
    assert set(runs["relation"]) == {">"}
    assert (runs["value"] >= 1000.0).all()


def test_warnings_about_a_compound_are_its_flags(fp):
    rows = measurements("fp", fp, SOURCE)
    warned = {finding.code for finding in fp.findings if finding.severity != "note"}
    assert {code for flags in rows["flags"] for code in flags} <= warned


@pytest.mark.parametrize(("kind", "result"), [("fpp", None), ("elisa", "text")])
def test_what_is_no_result_is_refused(kind, result):
    with pytest.raises(InputError, match="GP-K032"):
        measurements(kind, result, SOURCE)
