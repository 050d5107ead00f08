"""Inhibition of TNF per donor on plates of our own: known IC50s, censored controls, dead cells, missing
controls."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint.assays import elisa
from glueprint.curves.potency import Reason
from glueprint.errors import InputError

# pg/mL, with nM doses of a compound. TNF left at dose x: floor + (top - floor) / (1 + x / ic50).
LEVELS = (0.0, 8.0, 16.0, 31.25, 62.5, 125.0, 250.0, 500.0, 1000.0)
DOSES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
DILUTION = 5.0
FIVE = 5.0


def od(concentration):
    return 0.06 + 2.9 / (1.0 + (300.0 / np.maximum(np.asarray(concentration, dtype=float), 1e-12)) ** 1.1)


def donor_rows(name, ic50, *, top=3000.0, floor=100.0, sample="pomalidomide"):
    """Controls in triplicate and doses in duplicate: (role, sample, donor, dose, TNF in the supernatant)."""
    rows = [("stimulated", "LPS", name, None, top)] * 3 + [("unstimulated", "none", name, None, floor)] * 3
    for dose in DOSES:
        left = floor + (top - floor) / (1.0 + dose / ic50)
        rows += [("compound", sample, name, dose, left)] * 2
    return rows


def tnf_plate(donors, *, noise=0.0, seed=1, **columns):
    rows = [("standard", f"S{x:g}", "", x, x * DILUTION) for x in LEVELS for _ in range(2)]
    rows += [row for donor in donors for row in donor]
    rng = np.random.default_rng(seed)
    signal = od([row[4] / DILUTION for row in rows])
    signal = signal * (1.0 + noise * rng.standard_normal(signal.size))
    standard = np.array([row[0] == "standard" for row in rows])
    return pl.DataFrame(
        {
            "well": [f"{'ABCDEFGHIJKLMNOP'[i // 24]}{i % 24 + 1}" for i in range(len(rows))],
            "channel": "450",
            "value": signal,
            "role": [row[0] for row in rows],
            "sample": [row[1] for row in rows],
            "donor": [row[2] for row in rows],
            "concentration": pl.Series([row[3] for row in rows], dtype=pl.Float64),
            "concentration_unit": np.where(standard, "pg/mL", "nM"),
            "dilution": np.where(standard, 1.0, DILUTION),
            "viability_percent": 97.0,
        }
    ).with_columns(**columns)


def of(result, donor, definition="absolute"):
    (one,) = [n.potency for n in result.named if n.donor == donor and n.potency.definition == definition]
    return one


def found_codes(result):
    return [finding.code for finding in result.findings]


def test_known_ic50s_come_back_per_donor():
    result = elisa.analyse(tnf_plate([donor_rows("d1", 20.0), donor_rows("d2", 80.0)], noise=0.0))
    for donor, ic50 in (("d1", 20.0), ("d2", 80.0)):
        for definition in ("relative", "absolute"):
            assert of(result, donor, definition).value_nm == pytest.approx(ic50, rel=1e-3)
    assert result.tables["donors"]["slope"].to_list() == pytest.approx([1.0, 1.0], rel=1e-3)


def test_inhibition_is_between_the_controls_on_concentration():
    result = elisa.analyse(tnf_plate([donor_rows("d1", 20.0)]))
    rows = result.tables["inhibition"].to_dicts()
    for row in rows:
        assert row["inhibition_percent"] == pytest.approx(
            100.0 * row["dose_nm"] / (row["dose_nm"] + 20.0), abs=0.05
        )
        assert row["used"]
    donor = result.tables["donors"].row(0, named=True)
    assert (donor["stimulated"], donor["unstimulated"]) == pytest.approx((3000.0, 100.0), rel=1e-4)
    # On OD the same wells would read otherwise: the curve bends.
    on_od = 100.0 * (od(600.0) - od(100.0 / 5.0 + 580.0 / 2.0)) / (od(600.0) - od(20.0))
    assert abs(on_od - 50.0) > 5.0


def test_pooled_over_donors_on_the_log_scale():
    donors = [donor_rows(f"d{i}", ic50) for i, ic50 in enumerate((10.0, 20.0, 40.0, 80.0))]
    result = elisa.analyse(tnf_plate(donors, noise=0.01))
    pooled = of(result, "")
    assert pooled.value_nm == pytest.approx(np.exp(np.log([10.0, 20.0, 40.0, 80.0]).mean()), rel=0.03)
    assert pooled.n == 4
    assert pooled.low_nm < 10.0 * 2.0**1.5 < pooled.high_nm
    row = result.tables["pooled"].filter(pl.col("definition") == "absolute").row(0, named=True)
    assert (row["donors"], row["experiments"]) == (4, 4)
    assert result.potencies[0].n == 4


def test_two_experiments_of_one_donor_are_kept_apart():
    plate = tnf_plate([donor_rows("d1", 20.0), donor_rows("d1", 40.0), donor_rows("d2", 30.0)], noise=0.01)
    plate = plate.with_row_index().with_columns(
        experiment=pl.when(pl.col("donor") == "").then(pl.lit(""))
        .when(pl.col("index") < 18 + 24).then(pl.lit("e1")).otherwise(pl.lit("e2"))
    ).drop("index")  # fmt: skip
    result = elisa.analyse(plate)
    assert of(result, "d1 e1").value_nm == pytest.approx(20.0, rel=0.1)
    assert of(result, "d1 e2").value_nm == pytest.approx(40.0, rel=0.1)
    assert result.tables["pooled"]["experiments"].to_list() == [3, 3]


def test_an_unstimulated_control_below_lloq_enters_as_censored():
    # Controls without TNF are below LLOQ; so are the wells at high dose.
    result = elisa.analyse(tnf_plate([donor_rows("d1", 20.0, floor=0.0)], noise=0.01))
    assert "GP-A102" in found_codes(result)
    donor = result.tables["donors"].row(0, named=True)
    lloq = 5.0 * result.tables["ranges"]["lloq"][0]
    assert donor["unstimulated_relation"] == "<"
    assert donor["unstimulated"] == pytest.approx(lloq / 2.0)
    potency = of(result, "d1")
    assert Reason.CONTROL_CENSORED in potency.reasons
    assert potency.low_nm < 20.0 < potency.high_nm
    high = result.tables["inhibition"].filter(pl.col("relation") == "<")
    assert high.height > 0
    assert (high["high_percent"] > high["low_percent"]).all()


def test_no_viability_is_said_and_dead_wells_do_not_count():
    plate = tnf_plate([donor_rows("d1", 20.0)], noise=0.01)
    assert "GP-A103" in found_codes(elisa.analyse(plate.drop("viability_percent")))
    # At 3000 nM cells die and make no TNF.
    dead = plate.with_columns(
        viability_percent=pl.when(pl.col("concentration") == 3000.0)
        .then(35.0)
        .otherwise(97.0)
        .cast(pl.String)
    )
    result = elisa.analyse(dead)
    assert "GP-A103" not in found_codes(result)
    assert "GP-A104" in found_codes(result)
    left_out = result.tables["inhibition"].filter(~pl.col("used"))
    assert left_out["dose_nm"].to_list() == [3000.0, 3000.0]
    assert left_out["reason"].to_list() == ["viability 35 %", "viability 35 %"]
    assert result.tables["donors"]["doses"].to_list() == [9]


def test_a_viability_that_cannot_be_read_is_neither_dead_nor_alive():
    plate = tnf_plate([donor_rows("d1", 20.0)], noise=0.01)
    at = pl.col("concentration")
    odd = plate.with_columns(
        viability_percent=pl.when(at == 3000.0).then(pl.lit("35 %"))
        .when(at == 1000.0).then(pl.lit("nan"))
        .when(at == 300.0).then(pl.lit(None, dtype=pl.String))
        .otherwise(pl.lit("97"))
    )  # fmt: skip
    result = elisa.analyse(odd)
    unread, unmeasured = [f for f in result.findings if f.code == "GP-A082"]
    assert unread.message == "4 wells with a viability that is no number do not count"
    assert '"35 %"' in unread.where
    assert unmeasured.message == "2 wells without a viability count as if alive"
    left_out = result.tables["inhibition"].filter(~pl.col("used"))
    assert sorted(left_out["dose_nm"].to_list()) == [1000.0, 1000.0, 3000.0, 3000.0]
    assert set(left_out["reason"]) == {"viability unknown"}
    assert left_out["viability_percent"].is_null().all()
    assert "GP-A082" not in found_codes(elisa.analyse(plate))


@pytest.mark.parametrize("role", ["stimulated", "unstimulated"])
def test_a_donor_without_a_control_is_refused_alone(role):
    plate = tnf_plate([donor_rows("d1", 20.0), donor_rows("d2", 30.0)], noise=0.01)
    result = elisa.analyse(plate.filter(~((pl.col("donor") == "d1") & (pl.col("role") == role))))
    (finding,) = [f for f in result.findings if f.code == "GP-A100"]
    assert finding.where == "donor d1"
    assert result.refused
    assert result.tables["donors"]["donor"].to_list() == ["d2"]


def test_vehicle_stands_in_for_stimulated():
    plate = tnf_plate([donor_rows("d1", 20.0)])
    result = elisa.analyse(plate.with_columns(role=pl.col("role").replace("stimulated", "vehicle")))
    assert of(result, "d1").value_nm == pytest.approx(20.0, rel=1e-3)


@pytest.mark.parametrize(
    "ends", [{"top": 20000.0}, {"top": 100.0, "floor": 100.0}, {"top": 100.0, "floor": 2000.0}]
)
def test_a_window_that_is_none_is_refused(ends):
    result = elisa.analyse(tnf_plate([donor_rows("d1", 20.0, **ends)], noise=0.01))
    assert "GP-A101" in found_codes(result)
    assert result.named == ()


def test_of_two_dilutions_the_one_in_range_counts():
    # At 1:5 the stimulated wells are beyond the top standard; at 1:50 the inhibited ones are below LLOQ.
    rows = donor_rows("d1", 20.0, top=20000.0, floor=400.0)
    plate = tnf_plate([rows, rows])
    second = pl.int_range(pl.len()) >= 18 + len(rows)
    plate = plate.with_columns(dilution=pl.when(second).then(50.0).otherwise(pl.col("dilution")))
    left = np.array([r[4] for r in rows])
    plate = plate.with_columns(
        value=pl.Series(np.concatenate([plate["value"][: 18 + len(rows)], od(left / 50.0)]))
    )
    result = elisa.analyse(plate)
    assert of(result, "d1").value_nm == pytest.approx(20.0, rel=0.01)
    unused = result.tables["inhibition"].filter(~pl.col("used"))
    assert set(unused["reason"]) == {"another dilution is in range"}


def test_a_dose_without_a_molar_unit():
    plate = tnf_plate([donor_rows("d1", 20.0)])
    with pytest.raises(InputError, match="GP-A085"):
        elisa.analyse(plate.with_columns(concentration_unit=pl.col("concentration_unit").replace("nM", "")))


def test_doses_in_micromolar_are_converted():
    plate = tnf_plate([donor_rows("d1", 20.0)])
    compound = pl.col("role") == "compound"
    result = elisa.analyse(
        plate.with_columns(
            concentration=pl.when(compound)
            .then(pl.col("concentration") / 1000.0)
            .otherwise(pl.col("concentration")),
            concentration_unit=pl.when(compound).then(pl.lit("uM")).otherwise(pl.col("concentration_unit")),
        )
    )
    assert of(result, "d1").value_nm == pytest.approx(20.0, rel=1e-3)


def test_a_compound_without_effect_gives_a_limit():
    result = elisa.analyse(tnf_plate([donor_rows("d1", 1e6)], noise=0.02))
    assert (of(result, "d1").relation, of(result, "d1").value_nm) == (">", 3000.0)


def test_two_compounds_share_the_controls_of_their_donor():
    first = donor_rows("d1", 20.0)
    second = [row for row in donor_rows("d1", 200.0, sample="lenalidomide") if row[0] == "compound"]
    result = elisa.analyse(tnf_plate([first, second]))
    found = dict(result.tables["donors"].select("sample", "absolute_ic50_nm").rows())
    assert found == pytest.approx({"pomalidomide": 20.0, "lenalidomide": 200.0}, rel=1e-3)


def test_z_prime_of_the_controls_is_a_quality_number():
    result = elisa.analyse(tnf_plate([donor_rows("d1", 20.0)], noise=0.01))
    row = result.quality.filter(pl.col("where") == "donor d1").row(0, named=True)
    assert row["verdict"] == "pass"
    assert 0.5 < row["value"] < 1.0


def with_signal(plate, role, concentrations):
    """The plate with the wells of a role at these concentrations in the well."""
    rows = plate.with_row_index().filter(pl.col("role") == role)["index"].to_list()
    values = plate["value"].to_list()
    for row, concentration in zip(rows, concentrations, strict=True):
        values[row] = float(od(concentration))
    return plate.with_columns(value=pl.Series(values))


def test_replicates_below_lloq_beside_one_in_range_are_not_left_out():
    plate = tnf_plate([donor_rows("d1", 20.0, floor=0.0)], noise=0.0)
    result = elisa.analyse(with_signal(plate, "unstimulated", [30.0, 0.0, 0.0]))
    lloq = DILUTION * result.tables["ranges"]["lloq"][0]
    donor = result.tables["donors"].row(0, named=True)
    # One well at 150 pg/mL and two somewhere between zero and LLOQ, each entered in its middle.
    assert donor["unstimulated"] == pytest.approx((150.0 + 2.0 * lloq / 2.0) / 3.0, rel=1e-3)
    assert donor["unstimulated_relation"] == "<"
    treated = result.tables["inhibition"].filter(pl.col("relation") == "<")
    assert treated.height > 0
    assert treated["used"].all()


def test_a_stimulated_replicate_above_the_range_beside_one_in_range_refuses_the_donor():
    plate = tnf_plate([donor_rows("d1", 20.0)], noise=0.0)
    result = elisa.analyse(with_signal(plate, "stimulated", [600.0, 600.0, 5000.0]))
    assert "GP-A101" in found_codes(result)
    assert result.named == ()


def test_wells_that_no_inhibition_is_read_from_are_named():
    rows = donor_rows("d1", 20.0)
    rows += [("compound", "pomalidomide", "d1", None, 900.0), ("compound", "pomalidomide", "", 30.0, 900.0)]
    rows += [("vehicle", "DMSO", "d1", None, 2500.0)]
    result = elisa.analyse(tnf_plate([rows]))
    said = [f.message for f in result.findings if f.code == "GP-A080"]
    assert len(said) == 3
    assert all(message.startswith("1 wells") for message in said)
    assert "GP-A080" not in found_codes(elisa.analyse(tnf_plate([donor_rows("d1", 20.0)])))


@pytest.mark.parametrize("dose", [-1.0, float("inf")])
def test_a_dose_that_cannot_be_is_refused_with_its_well(dose):
    plate = tnf_plate([donor_rows("d1", 20.0)])
    first = plate.filter(pl.col("role") == "compound")["well"][0]
    changed = pl.when(pl.col("well") == first).then(dose).otherwise("concentration")
    with pytest.raises(InputError, match="GP-A085") as caught:
        elisa.analyse(plate.with_columns(concentration=changed))
    assert first in caught.value.where


def test_one_dose_in_two_units_is_one_dose():
    plate = tnf_plate([donor_rows("d1", 20.0)]).with_row_index()
    second = (pl.col("role") == "compound") & (pl.col("index") % 2 == 1)
    plate = plate.with_columns(
        concentration=pl.when(second).then(pl.col("concentration") / 1000.0).otherwise("concentration"),
        concentration_unit=pl.when(second).then(pl.lit("uM")).otherwise("concentration_unit"),
    )
    result = elisa.analyse(plate.drop("index"))
    assert result.tables["inhibition"]["dose_nm"].n_unique() == len(DOSES)
