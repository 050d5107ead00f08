"""The joint fit of one compound: truth comes back, width acts, a reference cures, limits show."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint.calibration import compound, in_vitro
from glueprint.calibration.compound import stored
from glueprint.errors import InputError

GLUE, REFERENCE = "GLX-1", "pomalidomide"


def width(found, name="kd_ratio"):
    row = found.parameters.row(by_predicate=pl.col("name") == name, named=True)
    return np.log10(row["high_95"] / row["low_95"])


def holds(found, name, truth):
    row = found.parameters.row(by_predicate=pl.col("name") == name, named=True)
    return row["low_95"] <= truth <= row["high_95"]


def test_the_reference_measured_as_new_has_ratio_and_efficacies_of_one(same):
    assert same.status == "ok"
    for name in ("kd_ratio", "efficacy:IKZF1", "efficacy:IKZF3"):
        assert np.median(same.column(name)) == pytest.approx(1.0, rel=0.05)
        assert holds(same, name, 1.0)
    assert set(same.parameters["verdict"]) == {"identified"}


def test_ratio_and_efficacy_come_back(plates):
    made = plates(ratio=0.2, efficacy=2.0)
    found = made.fit()
    assert holds(found, "kd_ratio", 0.2)
    assert holds(found, "efficacy:IKZF1", 2.0)
    assert holds(found, "efficacy:IKZF3", 2.0)
    assert width(found) < 0.25


def test_wider_measurements_give_wider_ratios(plates):
    widths = [width(plates(se=se).fit()) for se in (0.03, 0.1, 0.25)]
    assert widths[0] < widths[1] < widths[2]
    efficacies = [width(plates(se=se).fit(), "efficacy:IKZF1") for se in (0.03, 0.25)]
    assert efficacies[0] < efficacies[1]


def test_without_a_reference_the_interval_is_several_fold_wider_and_says_what_cures_it(plates, same, codes):
    alone = plates(reference=False).fit()
    assert width(alone) > 3.0 * width(same)
    assert width(alone, "efficacy:IKZF1") > 3.0 * width(same, "efficacy:IKZF1")
    finding = next(finding for finding in alone.findings if finding.code == "GP-K042")
    assert "several-fold" in finding.message
    assert "one well series cures it" in finding.next_step
    assert "GP-K042" not in codes(same)


def test_a_ratio_does_not_depend_on_where_the_plate_puts_the_reference(plates, same):
    shifted = plates()
    for row in shifted.rows:
        if row["unit"] == "nM":
            row |= {name: row[name] / 4.0 for name in ("value", "low", "high")}
    found = shifted.fit()
    assert np.median(found.column("kd_ratio")) == pytest.approx(1.0, rel=0.05)
    assert width(found) == pytest.approx(width(same), rel=0.2)


def test_the_same_seed_gives_the_same_bits_and_another_seed_nearly_the_same(plates, same):
    again, other = plates().fit(), plates().fit(seed=2)
    assert again.draws.equals(same.draws)
    assert again.comparison.equals(same.comparison)
    assert not other.draws.equals(same.draws)
    assert np.median(other.column("kd_ratio")) == pytest.approx(np.median(same.column("kd_ratio")), rel=0.03)


def test_progress_is_told_and_the_default_keeps_more(plates, same):
    told = []
    found = compound.fit(plates().dossier(), progress=lambda done, every: told.append((done, every)))
    assert told[-1][0] == told[-1][1]
    assert found.settings["effective"] > same.settings["effective"]


def test_a_seed_below_zero_is_refused(plates):
    with pytest.raises(InputError, match="GP-K034"):
        compound.fit(plates().dossier(), seed=-1)


def test_every_measurement_stands_beside_its_prediction(same):
    fitted = same.comparison.filter(pl.col("use") == "fitted")
    assert fitted.height == same.comparison.height
    assert fitted["inside"].all()
    assert ((fitted["predicted_low"] < fitted["value"]) & (fitted["value"] < fitted["predicted_high"])).all()


def test_what_is_shown_and_not_fitted_has_no_prediction(plates):
    made = plates(parts=("fp",))
    made.add(GLUE, "fp", "ic50_relative", 400.0)
    found = made.fit()
    row = found.comparison.row(by_predicate=pl.col("quantity") == "ic50_relative", named=True)
    assert (row["use"], row["predicted"], row["inside"]) == ("read off the curve of the Ki", None, None)
    finding = next(f for f in found.findings if f.code == "GP-K049")
    assert "ic50_relative" in finding.message


def test_all_doses_above_the_plateau_leave_an_upper_limit(plates, codes):
    made = plates(parts=("degradation",))
    for row in made.rows:
        if row["compound"] == GLUE and row["quantity"] == "rate_ec50":
            row |= {"relation": "<", "value": 1.0, "low": None, "high": 1.0}
    found = made.fit()
    finding = next(f for f in found.findings if f.code == "GP-K043")
    assert "all doses are above it" in finding.message
    assert finding.next_step == "add lower doses"
    # The reference has 30 to 50 nM on the same membranes.
    assert np.quantile(found.column("kd_ratio"), 0.975) < 0.1
    assert found.status == "ok"


def test_no_dose_reaches_it_leaves_a_lower_limit(plates):
    made = plates(parts=("fp",))
    made.rows[0] |= {"relation": ">", "value": 30_000.0, "low": 30_000.0, "high": None}
    found = made.fit()
    assert "no dose reaches it" in next(f for f in found.findings if f.code == "GP-K043").message
    assert np.quantile(found.column("kd_ratio"), 0.025) > 50.0


def test_brackets_are_brackets(plates):
    made = plates(parts=("fp",))
    made.rows[0] |= {"relation": "between", "value": None, "low": 15.7, "high": 49.6}
    found = made.fit()
    inside = (found.column("kd_ratio") > 0.05) & (found.column("kd_ratio") < 0.6)
    assert inside.mean() > 0.95


def test_a_compound_that_degrades_nothing_gets_an_upper_limit_of_its_efficacy(plates):
    made = plates()
    made.rows = [row for row in made.rows if row["compound"] == REFERENCE or row["assay"] == "fp"]
    for target in ("IKZF1", "IKZF3"):
        made.add(GLUE, "degradation", "loss", 0.1, target=target, cells="MM1S", time_h=24.0, dose_nm=10_000.0)
        made.rows[-1] |= {"relation": "<", "low": None, "high": 0.1, "unit": "fraction"}
    found = made.fit()
    finding = next(f for f in found.findings if f.code == "GP-K044")
    assert "less than 10 % at 10000 nM and 24 h" in finding.message
    # Of the reference 8 times more is lost than is left, of the compound less than a ninth.
    assert np.quantile(found.column("efficacy:IKZF1"), 0.975) < 0.05
    assert holds(found, "kd_ratio", 1.0)


def test_assays_that_contradict_each_other_are_named(plates, codes):
    made = plates()
    for row in made.rows:
        if row["compound"] == GLUE and row["quantity"] == "rate_ec50":
            row |= {name: row[name] / 7.0 for name in ("value", "low", "high")}
    found = made.fit()
    warnings = [f for f in found.findings if f.code == "GP-K045" and f.severity == "warning"]
    assert any("ki 157 nM against rate_ec50" in f.message for f in warnings)
    assert "GP-K045" not in codes(plates().fit())


def test_without_a_reference_assays_that_differ_so_are_a_note(plates):
    found = plates(reference=False, parts=("fp", "degradation")).fit()
    (finding,) = [f for f in found.findings if f.code == "GP-K045"]
    assert finding.severity == "note"
    assert "without a reference on both plates the assays may differ so" in finding.message


def test_cells_that_are_not_known_learn_their_capacity_from_the_reference(plates):
    made = plates(parts=("degradation",), efficacy=0.5)
    for row in made.rows:
        row["cells"] = "U266"
    found = made.fit()
    assert "U266" in next(f for f in found.findings if f.code == "GP-K047").message
    assert holds(found, "efficacy:IKZF1", 0.5)
    assert width(found, "efficacy:IKZF1") < 0.5


def test_what_nothing_speaks_to_is_said_and_stays_the_prior(plates):
    found = plates(parts=("fp",)).fit()
    finding = next(f for f in found.findings if f.code == "GP-K048")
    assert "its efficacy for IKZF1" in finding.message
    verdict = dict(found.parameters.select("name", "verdict").rows())
    assert verdict["kd_ratio"] == "identified"
    assert verdict["efficacy:IKZF1"] == verdict["efficacy:IKZF3"] == "prior only"


def test_nothing_that_can_enter_is_refused(plates):
    made = plates(parts=())
    made.add(GLUE, "growth", "gec50", 100.0, cells="MM1S")
    with pytest.raises(InputError, match="GP-K030"):
        made.fit()


def test_growth_of_a_known_line_speaks_of_affinity_and_efficacy(plates):
    made = plates(parts=("degradation",), ratio=0.5)
    tight = width(made.fit())
    for name, value in ((GLUE, 75.0), (REFERENCE, 150.0)):
        made.add(name, "growth", "ic50_absolute", value, cells="MM.1S", time_h=120.0)
    found = made.fit()
    assert holds(found, "kd_ratio", 0.5)
    assert width(found) < tight
    assert any(name.startswith("threshold:MM1S:120") for name in found.draws.columns)


def test_draws_carry_the_correlations(same):
    pairs = same.correlations()
    assert pairs.height == 3
    # One shift of TNF-alpha is explained by affinity or by efficacy: they trade against each other.
    assert pairs.filter(pl.col("one") == "kd_ratio")["correlation"].min() > 0.1


def test_saved_and_loaded_the_bytes_stay_the_same(same, tmp_path):
    compound.save(same, tmp_path / "one")
    loaded = compound.load(tmp_path / "one")
    compound.save(loaded, tmp_path / "two")
    assert loaded.findings == same.findings
    assert loaded.parameters.equals(same.parameters)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_as_tables_and_back_it_is_the_same_posterior(same):
    tables = compound.tables_of(same)
    assert compound.tables_of(compound.from_tables(tables)).keys() == tables.keys()
    assert all(compound.tables_of(compound.from_tables(tables))[name].equals(tables[name]) for name in tables)
    with pytest.raises(InputError, match="GP-K033"):
        compound.from_tables({"draws": tables["draws"]})


def test_a_posterior_of_another_in_vitro_fit_is_stale(same, tmp_path):
    compound.save(same, tmp_path)
    path = tmp_path / stored.FORM.about
    path.write_text(path.read_text("utf-8").replace(in_vitro.posterior().digest, "0" * 64), "utf-8")
    found = compound.load(tmp_path)
    assert (found.status, found.reason) == ("stale", stored.STALE)


@pytest.mark.parametrize("text", ["", 'kind = "compound posterior"\nversion = 2\n', "kind = ["])
def test_a_folder_without_one_is_refused(text, tmp_path):
    (tmp_path / stored.FORM.about).write_text(text, "utf-8")
    with pytest.raises(InputError, match="GP-K033"):
        compound.load(tmp_path)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="GP-K033"):
        compound.load(tmp_path / "nowhere")
