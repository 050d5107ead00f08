"""The bar of the intake, third part, of lanes and plates: what exports of other programs may be taken for."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from tests.assays.disguises import text
from tests.assays.shapes import workbook
from tests.assays.test_intake_look_alikes import (
    COLUMNS,
    REFUSED,
    RIGHT,
    ROWS,
    WARNED,
    across,
    dose_at,
    grid,
    light_at,
    name_at,
    wells,
)
from tests.assays.test_plate_disguises import (
    HOURS,
    LANES,
    STANDARDS,
    bind,
    degraded,
    measured,
    od,
    plate,
    polarised,
    remains,
)

from glueprint.assays.intake import door
from glueprint.assays.intake.headers import parsed
from glueprint.assays.quality.ceilings import ceiling
from glueprint.errors import InputError


def lanes(row, header, times=HOURS):
    return text(header, [row(d, t, remains(d, t)) for t in times for d in (0.0, *LANES)])


@pytest.mark.parametrize(
    "content",
    [
        lanes(lambda d, t, v: (d, t / 24.0, v), "dose_nm,days,fraction_remaining"),
        across(
            "time_h",
            [f"{d:g} nM" for d in (0.0, *LANES)],
            *((f"{t:g}", [f"{remains(d, t):.5g}" for d in (0.0, *LANES)]) for t in HOURS),
        ),
        text("dose_nM,1h,6h,24h", [(d, *(remains(d, t) for t in HOURS)) for d in (0.0, *LANES)]),
    ],
)
def test_lanes_in_other_shapes_are_read_right(content, tmp_path):
    wanted = degraded(lanes(lambda d, t, v: (d, t, v), "dose_nm,time_h,fraction_remaining"), tmp_path)
    found = degraded(content, tmp_path)
    assert [one.value_nm for one in found.potencies] == pytest.approx(
        [one.value_nm for one in wanted.potencies], rel=0.01
    )


def test_losses_with_a_sign_are_refused(tmp_path):
    for header, scale in (("% degraded", 100.0), ("fraction_degraded", 1.0)):
        content = lanes(lambda d, t, v, s=scale: (d, t, s * (v - 1.0)), f"dose_nm,time_h,{header}")
        with pytest.raises(InputError, match="GP-A203"):
            degraded(content, tmp_path)


def test_doses_that_nothing_dissolves_at_are_warned_of_in_lanes(tmp_path):
    found = degraded(lanes(lambda d, t, v: (1e3 * d, t, v), "dose_nm,time_h,fraction_remaining"), tmp_path)
    assert "GP-A206" in [one.code for one in found.findings if one.severity == "warning"]


@pytest.mark.parametrize("written", ["1:10", "1/10", "1 in 10"])
def test_one_in_ten_is_a_dilution_of_ten(written, tmp_path):
    result = measured(plate(dilution=written), tmp_path)
    assert result.tables["samples"].filter(sample="s")["result"][0] == pytest.approx(200.0, rel=0.01)


def test_a_map_of_dilutions_is_no_channel(tmp_path):
    def density(r, c):
        amount = STANDARDS[6 - r] if c < 2 else 20.0
        return f"{od(amount) * (1.0 + 0.004 * ((7 * r + 5 * c) % 5 - 2)):.3f}"

    def drawn_with(title):
        return (
            grid("OD450", density, 7)
            + grid("role", lambda _, c: "Standard" if c < 2 else "Sample", 7)
            + grid("concentration (ng/mL)", lambda r, c: f"{STANDARDS[6 - r]:g}" if c < 2 else "", 7)
            + grid("sample", lambda r, c: "" if c < 2 else f"S{r}", 7)
            + grid(title, lambda _, c: "" if c < 2 else "10", 7)
        )

    for title in ("dilution", "Dilution factor"):
        result = measured(drawn_with(title), tmp_path)
        assert result.tables["samples"]["result"].to_list() == pytest.approx([200.0] * 7, rel=0.03)


def test_a_list_of_96_wells_is_no_map_of_384(tmp_path):
    path, map_path = tmp_path / "plate.csv", tmp_path / "map.csv"
    path.write_text(grid("RLU", lambda r, c: light_at(r // 2, c // 2), 16, 24))
    listed = [
        (f"{row}{c}", name_at(c - 1, "Glue"), f"{dose_at(c - 1):g}" if c < 12 else "") for row, _, c in LISTED
    ]
    map_path.write_text(text("Well,Compound,Conc (uM)", listed))
    with pytest.raises(InputError, match=r"GP-A042.*a map of 96 wells on a plate of 384"):
        door.read(path, layout=map_path)


def test_a_channel_of_overflows_is_no_map(tmp_path):
    over = grid("RLU 1", light_at) + grid("RLU 2", lambda *_: "OVRFLW")
    assert set(look(over, tmp_path, "a.csv").plate.channels) == {"RLU 1", "RLU 2"}


def test_the_base_of_log_ratio_is_said(tmp_path):
    found = degraded(lanes(lambda d, t, v: (d, t, float(np.log(v))), "dose_nm,time_h,log_ratio"), tmp_path)
    assert "GP-A205" in [one.code for one in found.findings if one.severity == "warning"]


def test_a_detector_at_its_end_is_named_on_plates(tmp_path):
    count = itertools.count()
    noisy = re.sub(
        r"parallel,(\d+)",
        lambda m: f"parallel,{min(int(m[1]) + 7 * (next(count) % 23), 24000)}",
        polarised(),
    )
    for result in (measured(plate(value=lambda v: min(v, 1.5)), tmp_path), bind(noisy, tmp_path)):
        assert "GP-A250" in [one.code for one in result.findings if one.severity == "warning"]


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0, 3.0, 3.0, 3.0, 1.0, 2.0, 1.0, 2.0],  # coarse
        [100.25, 200.25, 300.25, 300.25, 300.25],  # too few
        [*[5000.5] * 4, *[4000.25] * 4, *[3000.0] * 4, *[2000.0] * 4],  # made up
        [None] * 9,
    ],
)
def test_ties_that_say_nothing(values):
    assert ceiling(values, [f"A{n}" for n in range(len(values))]) == []


def look(content, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return door.read(path)


def read_at(r, c):
    return 1000 + 100 * r + c


def drawn(*above):
    return [*above, ["<>", *map(float, COLUMNS)]] + [
        [row, *(float(read_at(r, c)) for c in COLUMNS)] for r, row in enumerate(ROWS)
    ]


LABEL = [["Label: Label1"], ["Mode", "", "Absorbance"], ["Wavelength", "", 450.0, "nm"], ["Start Time:", "x"]]
OTHER = [["Label: Label2"], ["Mode", "", "Absorbance"], ["Wavelength", "", 570.0, "nm"]]
WARM = [["", "Temperature: 24.3 °C"]]
LISTED = [(row, r, c) for r, row in enumerate(ROWS) for c in COLUMNS]
EXPORTS = {
    "i-control": (
        workbook(S=drawn(["Application: Tecan i-control"], *LABEL, *WARM)),
        "a.xlsx",
        [("450", "OD")],
    ),
    "i-control, two labels": (
        workbook(S=[*drawn(*LABEL, *WARM), [], *drawn(*OTHER)]),
        "a.xlsx",
        [("450", "OD"), ("570", "OD")],
    ),
    "two wavelengths as titles": (
        grid("450 nm", lambda r, c: read_at(r, c + 1)) + grid("570 nm", lambda r, c: read_at(r, c + 1)),
        "a.csv",
        [("450", ""), ("570", "")],
    ),
    "two wavelengths as columns": (
        text("Well,OD450 (nm),OD570 (nm)", [(f"{row}{c}", read_at(r, c), 1.0) for row, r, c in LISTED]),
        "a.csv",
        [("450", "OD"), ("570", "OD")],
    ),
    "EnVision, a list": (
        "Plate,Repeat,Well,Type,Time,US LUM 96 (cps),\n"
        + "".join(f"1,1,{row}{c:02d},M,00:00:{c:02d}.10,{read_at(r, c)},\n" for row, r, c in LISTED),
        "a.csv",
        [("US LUM 96 (cps)", "RLU")],
    ),
    "MARS, one line a well": (
        "User: USER,Path: C:\\BMG,Test ID: 123\nTest Name: LUM,Date: 30/11/2026,Time: 10:00\n\n"
        "Well Row,Well Col,Content,Raw Data (LUM)\n"
        + "".join(f"{row},{c},Sample X{c},{read_at(r, c)}\n" for row, r, c in LISTED),
        "a.csv",
        [("Raw Data (LUM)", "RLU")],
    ),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_of_other_programs_are_read_whole(name, tmp_path):
    content, file, channels = EXPORTS[name]
    found = look(content, tmp_path, file).plate.table
    assert found.select("channel", "unit").unique(maintain_order=True).rows() == channels
    first = found.filter(channel=channels[0][0])
    assert dict(first.select("well", "value").rows()) == {f"{row}{c}": read_at(r, c) for row, r, c in LISTED}


def test_the_line_says_what_was_read(tmp_path):
    foot = look(text("dose_uM,viability", wells()) + "\n* an outlier,\n", tmp_path, "a.csv")
    assert "3 control wells" in foot.line
    untimed = look(text("time,dose_uM,viability", [("72", *row) for row in wells()]), tmp_path, "b.csv")
    assert "time of 72 without a unit not used" in untimed.line
    sheets = workbook(RLU=drawn(), Notes=[["a"]])
    assert "other sheets not read: Notes" in look(sheets, tmp_path, "c.xlsx").line
    assert "its doses across" in look(RIGHT["doses across"][0], tmp_path, "d.csv").line


@pytest.mark.parametrize(
    ("header", "ours", "unit"),
    [
        ("450 nm", "", ""),
        ("OD 450 nm", "signal", ""),
        ("Ex 485 nm Em 528 nm", "", ""),
        ("Wavelength 570 nm", "", ""),
        ("450 nM", "dose", "nM"),
        ("EX527 (nM)", "dose", "nM"),
        ("A375 (uM)", "dose", "uM"),
        ("A (nm)", "dose", "nM"),
        ("dose_nm", "dose", "nM"),
    ],
)
def test_light_is_no_dose(header, ours, unit):
    found = parsed(header)
    assert (found.ours, found.unit) == (ours, unit)


def test_the_third_bar_is_high_enough():
    assert len(RIGHT) + len(REFUSED) + len(WARNED) + len(EXPORTS) >= 50
