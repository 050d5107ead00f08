"""The plates of other programs reproduced: SoftMax Pro in every cell, Gen5's line, drc's bead assays."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.assays import elisa, layout, readers
from glueprint.assays.elisa.shapes import MIRRORED, SHAPES
from glueprint.cli.app import app

DATA = Path(__file__).parents[3] / "shared" / "data"
LAYOUTS = Path(__file__).parent / "layouts"
MULTI = DATA / "elisa-softmax-multi-dilution" / "plate.txt"
FACTORS = DATA / "elisa-softmax-dilution-factors" / "plate.txt"
GEN5 = DATA / "plate-gen5-absorbance"
LUMINEX = DATA / "luminex-cytokines"
# SoftMax fitted both plates by unweighted 4PL; the second with OD450 alone.
AS_SOFTMAX = elisa.Settings(
    model="4pl", weights="none", signal_range=(0.186, 2.380), signal_cv_limit_percent=10.0
)
AS_SOFTMAX_450 = elisa.Settings(model="4pl", weights="none", reference="none")

needs_data = pytest.mark.skipif(not MULTI.exists(), reason="the shared plates are not beside the repository")
pytestmark = needs_data


def analysed(path, settings, layout_file=None):
    plate = readers.read(path)
    wells = layout.apply(plate, None if layout_file is None else layout.read(layout_file))
    return plate.reference, elisa.analyse(wells.table, settings)


def parameter(result, name):
    return result.tables["curve"].filter(pl.col("parameter") == name)["value"][0]


def near(printed, value, digits):
    """A printed cell equals a number to the digits printed; "Range?" is no number, "Inf" a division by
    zero."""
    if printed == "Range?":
        return value is None
    return value is not None and abs(float(printed) - value) <= 0.51 * 10.0**-digits


def by_well(table, key="wells"):
    return {row[key].split(", ")[0]: row for row in table.to_dicts()}


# As the formulas in the file define each column: name -> (our value, digits).
WELL_CELLS = {"Values": ("signal", 3), "Result": ("concentration", 3), "Result*Dilution": ("adjusted", 3)}
GROUP_CELLS = {
    "MeanValue": ("mean_signal", 3), "MeanResult": ("mean_adjusted", 3), "CV%": ("cv_signal_percent", 0),
    "CV Result": ("cv_concentration_percent", 3), "Std.Dev.": ("sd_concentration", 3),
    "CV OD": ("cv_signal_percent", 3), "Dilution": ("dilution", 3), "Int2": ("mean_adjusted", 3),
}  # fmt: skip
LEVEL_CELLS = {
    "MeanValue": ("mean_signal", 3), "MeanResult": ("mean_concentration", 3), "CV%": ("cv_signal_percent", 0),
    "Rec.%": ("recovery_percent", 0), "Concentration ng/mL": ("nominal", 3),
}  # fmt: skip


def test_the_parameters_of_the_unweighted_fit():
    # Printed in the README of the plate, made with an independent program.
    _, result = analysed(MULTI, AS_SOFTMAX)
    assert result.signal == "450 - 650"
    assert parameter(result, "front") == pytest.approx(0.0746121511, rel=1e-6)
    assert parameter(result, "slope") == pytest.approx(1.10011399, rel=1e-6)
    assert parameter(result, "ec50") == pytest.approx(448.739008, rel=1e-6)
    assert parameter(result, "back") == pytest.approx(7.98777757, rel=1e-6)
    assert parameter(result, "rss") == pytest.approx(1.6087738e-03, rel=1e-7)


def test_every_cell_of_the_multi_dilution_plate():
    reference, result = analysed(MULTI, AS_SOFTMAX)
    wells = by_well(result.tables["wells"], "well")
    wells |= {w: row | {"adjusted": None} for w, row in by_well(result.tables["standards"], "well").items()}
    groups, levels = by_well(result.tables["dilutions"]), {}
    for row in result.tables["standards"].to_dicts():
        level = result.tables["levels"].row(by_predicate=pl.col("nominal") == row["nominal"], named=True)
        levels.setdefault(row["well"], level)
    compared, wrong = 0, []
    for cell in reference.to_dicts():
        well, name, printed = cell["well"], cell["name"], cell["value"]
        if not well:
            continue
        ours = softmax_cell(name, well, printed, (wells, groups, levels))
        if ours is None:
            continue
        compared += 1
        if not ours:
            wrong.append((well, name, printed))
    assert wrong == []
    assert compared > 600


def softmax_cell(name, well, printed, tables):
    """Whether our number agrees with a printed cell; None for a cell that is only text or layout."""
    wells, groups, levels = tables
    standard = well in levels or well in ("A2", "B2", "C2", "D2", "E2", "F2")
    if name == "Value":
        return near(printed, wells[well]["signal"], 3)
    if name in WELL_CELLS:
        field, digits = WELL_CELLS[name]
        return near(printed, wells[well][field], digits)
    if standard:
        return standard_cell(name, printed, levels[well])
    row = groups.get(well)
    if row is None:
        return None
    if name in ("StatusCV", "Status"):
        return (printed == "PASS") == row["signal_cv_ok"]
    if name == "Range":
        return (printed == "In the range") == row["signal_in_range"]
    if name == "Status Rec. %":
        return (printed == "PASS") == (80.0 <= 100.0 * row["mean_concentration"] / 40.0 <= 120.0)
    if name == "Rec. %":
        return near(printed, 100.0 * row["mean_concentration"] / row["layout_concentration"], 0)
    if name == "Int2" and printed == "Fail":
        return not (row["signal_in_range"] and row["signal_cv_ok"])
    if name in ("CV Result", "Std.Dev.") and row["sd_concentration"] is None:
        return float(printed) == 0.0  # SoftMax prints 0 for the spread of a single value
    if name in GROUP_CELLS:
        field, digits = GROUP_CELLS[name]
        return near(printed, row[field], digits)
    return None


def standard_cell(name, printed, level):
    if name == "Status CV%":
        return (printed == "PASS") == (level["cv_signal_percent"] <= 10.0)
    if name == "Rec.%" and printed == "Inf":
        return level["recovery_percent"] is None
    if name in LEVEL_CELLS:
        field, digits = LEVEL_CELLS[name]
        return near(printed, level[field], digits)
    return None


def test_the_rule_of_the_plate_decides_what_counts():
    _, result = analysed(MULTI, AS_SOFTMAX)
    sample = result.tables["dilutions"].filter(pl.col("sample") == "Sample 1").sort("dilution")
    assert sample["counts"].to_list() == [False, True, False]
    (row,) = result.tables["samples"].filter(pl.col("sample") == "Sample 1").to_dicts()
    # The mean of the two results is 4150.690; the result of the mean signal is within 0.1 of it.
    assert row["result"] == pytest.approx(4150.690, abs=0.1)
    assert (row["dilutions"], row["dilutions_used"]) == (3, 1)


def test_dilutions_that_disagree_are_said_to():
    _, result = analysed(MULTI, AS_SOFTMAX)
    said = [finding.message for finding in result.findings if finding.code == "GP-A105"]
    assert any("Sample 2 disagree 2.09-fold" in message for message in said)


def test_above_the_top_standard_is_a_limit_and_the_number_is_kept():
    _, result = analysed(MULTI, AS_SOFTMAX)
    row = by_well(result.tables["dilutions"])["A3"]
    assert (row["relation"], row["limit"], row["status"]) == (">", 200.0 * 25.0, "extrapolated")
    assert row["mean_concentration"] == pytest.approx((345.017 + 335.292) / 2.0, abs=1e-3)


def test_od450_alone_gives_other_numbers():
    _, result = analysed(MULTI, AS_SOFTMAX_450)
    assert abs(by_well(result.tables["wells"], "well")["B3"]["concentration"] - 42.783) > 0.05


def agrees(ours, printed):
    return abs(ours - printed) <= (0.0055 if printed < 105.0 else 0.004 * printed)


@pytest.mark.parametrize("own_layout", [True, False], ids=["file's layout", "our layout"])
def test_every_result_of_the_plate_with_dilution_factors(own_layout):
    # This curve has no upper plateau, and SoftMax stopped on the ridge: within the standards its results
    # agree to
    # 0.005 ng/mL, beyond the top standard (100) ours and its own differ by up to 0.4 %.
    path = None if own_layout else LAYOUTS / "elisa-dilution-factors.toml"
    reference, result = analysed(FACTORS, AS_SOFTMAX_450, path)
    assert parameter(result, "rss") == pytest.approx(1.032335e-04, rel=1e-6)
    wells = by_well(result.tables["wells"], "well") | by_well(result.tables["standards"], "well")
    groups = by_well(result.tables["dilutions"])
    compared = {"well": 0, "mean": 0, "adjusted": 0}
    for cell in reference.to_dicts():
        printed, well = cell["value"], cell["well"]
        if cell["name"] in ("BackCalcConc", "Result", "Conc"):
            ours = wells[well]["concentration"]
            compared["well"] += 1
            assert (ours is None) == (printed == "Range?"), well
            assert ours is None or agrees(ours, float(printed)), well
        elif cell["name"] in ("AvgConc", "MeanResult"):
            compared["mean"] += 1
            assert agrees(groups[well]["mean_concentration"], float(printed)), well
        elif cell["name"] == "AdjConc":
            compared["adjusted"] += 1
            ours, dilution = groups[well]["mean_adjusted"], groups[well]["dilution"]
            assert agrees(ours / dilution, float(printed) / dilution), well
    assert compared == {"well": 76, "mean": 32, "adjusted": 30}


def test_the_controls_pass_in_our_layout():
    # The file accepts 31.636 to 81.418 and 5.661 to 19.715, before dilution.
    _, result = analysed(FACTORS, AS_SOFTMAX_450, LAYOUTS / "elisa-dilution-factors.toml")
    controls = result.quality.filter(pl.col("name").str.starts_with("control"))
    assert controls["verdict"].to_list() == ["pass", "pass"]
    assert controls["value"].to_list() == pytest.approx([35.407, 11.673], abs=0.006)


def test_our_layout_of_the_multi_dilution_plate_says_what_the_file_says():
    _, own = analysed(MULTI, AS_SOFTMAX)
    _, ours = analysed(MULTI, AS_SOFTMAX, LAYOUTS / "elisa-multi-dilution.toml")
    columns = ["well", "role", "sample", "dilution", "concentration", "adjusted", "relation"]
    assert (
        ours.tables["wells"]
        .select(columns)
        .sort("well")
        .equals(own.tables["wells"].select(columns).sort("well"))
    )


def test_the_command_works_on_both_plates(tmp_path):
    for path, extra in ((MULTI, []), (FACTORS, ["--reference", "none"])):
        name = path.parent.name.replace("softmax-", "")
        given = ["--layout", str(LAYOUTS / f"{name}.toml"), "--weights", "none", "--model", "4pl", "--json"]
        out = ["--figure", str(tmp_path / f"{name}.svg"), "--out", str(tmp_path / name)]
        done = CliRunner().invoke(app, ["assay", "elisa", str(path), *given, *extra, *out])
        assert done.exit_code == 0, done.output
        assert len(payload(done.stdout)["tables"]["samples"]) > 10
        assert "<svg" in (tmp_path / f"{name}.svg").read_text("utf-8")
        assert pl.read_csv(tmp_path / name / "samples.csv").height > 10


def test_the_line_of_gen5():
    reference, result = analysed(GEN5 / "stdcurve.txt", elisa.Settings(model="linear", weights="none"))
    # Printed as A = 0.00168 and B = -0.000723 from unrounded readings; the file rounds them to 0.001.
    assert parameter(result, "slope") == pytest.approx(0.00168, abs=5e-6)
    assert parameter(result, "intercept") == pytest.approx(-0.000723, abs=5e-4)
    wells = by_well(result.tables["wells"], "well") | by_well(result.tables["standards"], "well")
    printed = {c["well"]: float(c["value"]) for c in reference.to_dicts() if c["name"] == "[Concentration]"}
    compared = {well: wells[well]["concentration"] for well in printed if well in wells}
    assert len(compared) == 93
    # Half a unit of the last digit of a reading and of a blank are 0.001 / 0.00168 = 0.6.
    assert compared == pytest.approx({well: printed[well] for well in compared}, abs=0.6)


def test_gen5_tokens_stay_limits_and_gaps():
    plate = readers.read(GEN5 / "tokens.txt")
    known = pl.DataFrame({"well": [f"A{i}" for i in range(1, 8)], "concentration": [0.0, 1, 2, 4, 8, 16, 32]})
    rows = plate.table.join(known, on="well", how="left").with_columns(
        role=pl.when(pl.col("concentration").is_not_null())
        .then(pl.lit("standard"))
        .otherwise(pl.lit("sample")),
        sample=pl.col("well"),
    )
    result = elisa.analyse(rows, elisa.Settings(model="linear", weights="none"))
    wells = result.tables["wells"]
    assert wells.filter(pl.col("flag") == "above_range").height == 8
    assert wells.filter(pl.col("flag") == "missing")["relation"].unique().to_list() == ["none"]
    assert [f.code for f in result.findings].count("GP-A089") == 2


def luminex(analyte):
    with (LUMINEX / "plate.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["analyte"] == analyte]
    roles = {"Stan": "standard", "Cont": "control", "Back": "blank"}
    return pl.DataFrame(
        {
            "well": [row["well"].removeprefix("P1_") for row in rows],
            "value": [float(row["mfi"]) for row in rows],
            "role": [roles.get(row["sample"][:4], "sample") for row in rows],
            "sample": [row["sample"] for row in rows],
            "concentration": [float(row["ec"]) if row["ec"] else None for row in rows],
            "unit": "MFI",
        }
    ).filter(pl.col("role") != "blank")


def read(name):
    with (LUMINEX / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("analyte", ["IL1B", "IFNg", "IL8", "IL10", "IL2"])
@pytest.mark.parametrize(("theirs", "ours"), [("LL.4", "4pl"), ("LL.5", "5pl-mirrored")])
def test_bead_assays_as_drc_fits_them(analyte, theirs, ours):
    # R drc 3.0-1, least squares of log10(MFI); LL.5 with its b below zero is the mirrored form.
    (fit,) = [row for row in read("fits.csv") if (row["analyte"], row["model"]) == (analyte, theirs)]
    settings = elisa.Settings(model=ours, response="log10", weights="none")
    result = elisa.analyse(luminex(analyte), settings)
    rss = parameter(result, "rss")
    wells = by_well(result.tables["wells"], "well")
    known = [row for row in read("controls.csv") if (row["analyte"], row["model"]) == (analyte, theirs)]
    found = [wells[row["well"].removeprefix("P1_")]["concentration"] for row in known]
    expected = [float(row["backcalc"]) for row in known]
    assert len(found) == 6
    if (analyte, theirs) == ("IFNg", "LL.5"):
        # drc stopped before its minimum here: ours is 28 % lower, and the controls differ by less than 3 %.
        assert rss == pytest.approx(0.72 * float(fit["rss"]), rel=0.01)
        assert found == pytest.approx(expected, rel=0.03)
    else:
        assert rss == pytest.approx(float(fit["rss"]), rel=3e-5)
        assert found == pytest.approx(expected, rel=5e-4)


@pytest.mark.parametrize(
    "row", read("controls.csv") if MULTI.exists() else [], ids=lambda row: "-".join([*row.values()][:4])
)
def test_drc_parameters_in_our_shapes_give_drc_concentrations(row):
    (fit,) = [f for f in read("fits.csv") if (f["analyte"], f["model"]) == (row["analyte"], row["model"])]
    b, asymmetry = -float(fit["b"]), float(fit["f"] or 1.0)
    # (x / e)^-b = K (x / ec50)^-b, so ec50 = e K^(-1/b).
    ec50 = float(fit["e"]) * np.expm1(np.log(2.0) / asymmetry) ** (-1.0 / b)
    theta = np.array([float(fit["c"]), float(fit["d"]), np.log10(ec50), np.log(b), np.log(asymmetry)])
    shape = MIRRORED if fit["f"] else SHAPES["4pl"]
    theta = theta[: len(shape.parameters)]
    found = shape.inverse(theta, np.log10([float(row["mfi"])]))[0]
    assert found == pytest.approx(float(row["backcalc"]), rel=1e-9)


def test_five_parameters_only_on_evidence():
    chosen = {}
    for analyte in ("IL1B", "IFNg", "IL8", "IL10", "IL2"):
        result = elisa.analyse(luminex(analyte), elisa.Settings(response="log10"))
        chosen[analyte] = result.tables["curve"]["model"][0]
        assert ("GP-A106" in [f.code for f in result.findings]) == (analyte == "IFNg")
    assert chosen == {"IL1B": "4pl", "IFNg": "5pl-mirrored", "IL8": "4pl", "IL10": "4pl", "IL2": "4pl"}


def test_the_reference_wavelength_of_magellan():
    plate = readers.read(DATA / "plate-magellan-elisa" / "plate.xlsx")
    rows = plate.table.with_columns(
        role=pl.when(pl.col("well").is_in(["A1", "A23"])).then(pl.lit("standard")).otherwise(pl.lit("")),
        concentration=pl.when(pl.col("well") == "A23").then(10.0).otherwise(0.0),
    )
    result = elisa.analyse(rows, elisa.Settings(channel="485", reference="560"))
    signal = dict(result.tables["standards"].select("well", "signal").rows())
    assert signal == pytest.approx({"A1": 0.0557 - 0.0509, "A23": 0.5599})
