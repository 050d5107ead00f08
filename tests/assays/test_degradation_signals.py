"""Raw signals in an analysis of degradation: HiBiT plates and densitometry, each over its own vehicle."""

from __future__ import annotations

import math

import pytest
from tests.assays.disguises import TRUTH_NM, text
from tests.assays.test_intake_disguises import DOSES, LEFT, SLOW, light, wells

from glueprint.assays import degradation
from glueprint.errors import InputError

SIX = degradation.Settings(time_h=6.0)
CURVE = [(0.0, 1.0, 1.0), *zip(DOSES, LEFT, SLOW, strict=True)]
LOADED = [(d, v, 1.0 + 0.3 * (i % 3)) for i, (d, v) in enumerate(wells())]


def analysed(content, tmp_path, settings=None):
    """Absolute DC50s in nM by target, compound and time, and the findings."""
    path = tmp_path / "lanes.csv"
    path.write_text(content)
    result = degradation.analyse(degradation.read(path), settings)
    found = {(one.target, one.compound, one.time_h): one.absolute.value_nm for one in result.points}
    return found, result.findings


ALONE = {("", "", 6.0): TRUTH_NM}
GLUE = {("", "Glue", 6.0): TRUTH_NM}
RIGHT = {
    "a vehicle by name": (
        text("compound,time_h,dose_uM,RLU", wells(light, labels=("Glue", 6.0), vehicle=("DMSO", 6.0))),
        GLUE,
    ),
    "a vehicle without a dose or time": (
        "compound,time_h,dose_uM,RLU\nDMSO,,,30000\nDMSO,,,30100\n"
        + "".join(f"Glue,6,{d},{light(v)}\n" for d, v in zip(DOSES, LEFT, strict=True)),
        GLUE,
    ),
    "each time by its vehicle": (
        text(
            "time_h,dose_uM,Luminescence",
            [(t, d, k * v) for t, k in ((6.0, 3e4), (24.0, 9e4)) for d, v in wells()],
        ),
        {("", "", 6.0): TRUTH_NM, ("", "", 24.0): TRUTH_NM},
    ),
    "each plate by its vehicle": (
        text(
            "plate,time_h,dose_uM,RLU",
            [(p, 6.0, d, k * v) for p, k in (("1", 3e4), ("2", 9e4)) for d, v in wells()],
        ),
        ALONE,
    ),
    "above the blank": (
        text(
            "role,time_h,dose_uM,RLU",
            [("blank", 6.0, "", 5000.0), ("blank", 6.0, "", 5100.0)]
            + [("", 6.0, d, 5050.0 + light(v)) for d, v in wells()],
        ),
        ALONE,
    ),
    "logarithms by name": (
        text("time_h,dose_uM,log10 RLU", [(6.0, d, 4.477 + math.log10(v)) for d, v in wells()]),
        ALONE,
    ),
    "times across": (
        text("dose_uM,6 h,24 h", [(d, light(v), 3 * light(v)) for d, v, _ in CURVE]),
        {("", "", 6.0): TRUTH_NM, ("", "", 24.0): TRUTH_NM},
    ),
    "over the loading control beside it": (
        text("time_h,dose_uM,IKZF1,GAPDH", [(6.0, d, 9e3 * v * k, 2e4 * k) for d, v, k in LOADED]),
        {("IKZF1", "", 6.0): TRUTH_NM},
    ),
    "over the loading control below it": (
        text(
            "lane,target,time_h,dose_uM,intensity",
            [(f"{i}", "IKZF1", 6.0, d, 9e3 * v * k) for i, (d, v, k) in enumerate(LOADED, 1)]
            + [(f"{i}", "β-actin", 6.0, d, 2e4 * k) for i, (d, v, k) in enumerate(LOADED, 1)],
        ),
        {("IKZF1", "", 6.0): TRUTH_NM},
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_raw_signals_are_read_over_their_vehicle(name, tmp_path):
    content, wanted = RIGHT[name]
    found, findings = analysed(content, tmp_path)
    assert found == {key: pytest.approx(value, rel=0.03) for key, value in wanted.items()}
    (said,) = [one for one in findings if one.code == "GP-A196"]
    assert "fractions of the vehicle" in said.message


REFUSED = {
    "no vehicle": (
        "time_h,dose_uM,RLU\n" + "".join(f"6,{d},{light(v)}\n" for d, v, _ in CURVE[1:]),
        "no vehicle",
    ),
    "none at one time": (
        text("time_h,dose_uM,RLU", [(t, d, light(v)) for t in (6.0, 24.0) for d, v in wells() if d or t < 9]),
        "at 24",
    ),
    "a vehicle as dark as the blank": (
        "role,time_h,dose_uM,RLU\nblank,6,,30000\n" + "".join(f",6,{d},{light(v)}\n" for d, v, _ in CURVE),
        "no vehicle above the blank",
    ),
    "two loading controls": (
        text("time_h,dose_uM,IKZF1,GAPDH,vinculin", [(6.0, d, v, 1.0, 2.0) for d, v, _ in CURVE]).replace(
            "0,1,1,2", "0,900,9,9", 1
        ),
        "loading control",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_signals_without_a_level_are_refused(name, tmp_path):
    content, said = REFUSED[name]
    with pytest.raises(InputError, match=said) as caught:
        analysed(content, tmp_path)
    assert caught.value.code == "GP-A195"


def test_a_time_of_all_lanes_is_a_setting(tmp_path):
    content = text("dose_nM,A,B", [(1e3 * d, 100.0 * v, 100.0 * w) for d, v, w in CURVE])
    with pytest.raises(InputError, match="--time-h"):
        analysed(content, tmp_path)
    found, _ = analysed(content, tmp_path, SIX)
    assert {key: round(value) for key, value in found.items()} == {("A", "", 6.0): 556, ("B", "", 6.0): 2222}


def test_controls_of_full_effect_are_no_lanes(tmp_path):
    rows = [("", d, v) for d, v in wells()] + [("positive control", 0.0, 0.01)] * 3
    found, findings = analysed(text("role,dose_uM,fraction_remaining", rows), tmp_path, SIX)
    assert found == {("", "", 6.0): pytest.approx(TRUTH_NM, rel=0.03)}
    assert "3 unused" in next(one.message for one in findings if one.code == "GP-A212")
