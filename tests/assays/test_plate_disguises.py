"""Lanes, ELISA and polarisation plates that are not what they seem are refused, warned of or read right."""

from __future__ import annotations

import numpy as np
import pytest
from tests.assays.disguises import NEAR, TRUTH_NM, analysed, left, text

from glueprint.assays import degradation, elisa, layout, polarization, readers
from glueprint.assays.intake import door
from glueprint.assays.polarization import Amount, Conditions, Optics, Settings
from glueprint.curves import equilibria
from glueprint.errors import InputError

# Lanes: what remains at constant drug, F + (1 - F) exp(-k t).
LANES, HOURS = (1.0, 10.0, 100.0, 1000.0, 10000.0), (1.0, 6.0, 24.0)


def remains(dose, hours, dc50=50.0):
    rate = 0.1 + dose / (dose + dc50)
    return 0.1 / rate + (1.0 - 0.1 / rate) * float(np.exp(-rate * hours))


def lanes(
    column, change=lambda v: v, vehicle=True, dose=lambda d: d, hours=lambda t: t, times=HOURS, doses=LANES
):
    every = (0.0, *doses) if vehicle else doses
    rows = [(dose(d), hours(t), change(remains(d, t))) for t in times for d in every]
    return text(f"dose_nm,time_h,{column}", rows)


def degraded(content, tmp_path):
    path = tmp_path / "lanes.csv"
    path.write_text(content)
    return degradation.analyse(degradation.read(path))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (lanes("fraction_remaining", lambda v: 1.0 - v, vehicle=False), "GP-A204"),
        (lanes("percent_remaining", lambda v: 100.0 - 100.0 * v, vehicle=False), "GP-A204"),
        (lanes("fraction_degraded", vehicle=False), "GP-A204"),
        (
            lanes("fraction_remaining", dose=lambda d: float(np.log10(d)) if d else 0.0, doses=LANES[2:]),
            "GP-A205",
        ),
        (
            lanes("fraction_remaining", dose=lambda d: float(np.log10(d)), doses=LANES[1:], vehicle=False),
            "GP-A205",
        ),
        (lanes("log10 remaining", lambda v: 1.0 + float(np.log10(v))), "GP-A203"),
        (lanes("log2FC", lambda v: float(np.log2(v))), "GP-A213"),
        (
            lanes("percent_remaining", lambda v: 100.0 * v)
            .replace("dose_nm", "compound,dose_nm")
            .replace("\n0,", "\n,0,")
            .replace("\n1", "\nA,1")
            + "".join(f"B,{d:g},6,{remains(d, 6.0):.4g}\n" for d in LANES),
            "GP-A201",
        ),
    ],
)
def test_lanes_in_disguise_are_refused(content, code, tmp_path):
    with pytest.raises(InputError, match=code):
        degraded(content, tmp_path)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (lanes("fraction_remaining", hours=lambda t: 60.0 * t, times=(0.5, 1.0, 2.0, 4.0)), "GP-A207"),
        (lanes("fraction_remaining", hours=lambda t: 60.0 * t, times=(0.25, 0.5, 1.0)), "GP-A207"),
        (
            text(
                "dose_nm,time_h,fraction_remaining",
                [
                    (shown, t, remains(d, t))
                    for t in HOURS
                    for d, shown in zip((0.0, *LANES), (0.0, *LANES[::-1]), strict=True)
                ],
            ),
            "GP-A204",
        ),
    ],
)
def test_lanes_that_may_be_in_disguise_are_warned_of(content, code, tmp_path):
    assert code in [one.code for one in degraded(content, tmp_path).findings if one.severity == "warning"]


@pytest.mark.parametrize("label", ["target", "protein", "cell line"])
def test_curves_of_two_proteins_or_lines_stay_apart(label, tmp_path):
    both = [
        (name, d, t, remains(d, t, dc50))
        for name, dc50 in (("X", 50.0), ("Y", 500.0))
        for t in HOURS
        for d in (0.0, *LANES)
    ]
    result = degraded(text(f"{label},dose_nm,time_h,fraction_remaining", both), tmp_path)
    wanted = degraded(lanes("fraction_remaining"), tmp_path).at(6.0).relative.value_nm
    assert result.at(6.0, target="X").relative.value_nm == pytest.approx(wanted, rel=0.01)
    assert result.at(6.0, target="Y").relative.value_nm == pytest.approx(10.0 * wanted, rel=0.05)


@pytest.mark.parametrize("header", ["IKZF1,IKZF3", "IKZF1 (% remaining),IKZF3 (% remaining)"])
def test_proteins_side_by_side_are_targets(header, tmp_path):
    scale = 100.0 if "%" in header else 1.0
    rows = [(d, t, scale * remains(d, t), scale * remains(d, t, 500.0)) for t in HOURS for d in (0.0, *LANES)]
    result = degraded(text(f"dose_nm,time_h,{header}", rows), tmp_path)
    wanted = degraded(lanes("fraction_remaining"), tmp_path).at(6.0).relative.value_nm
    first = header.partition(",")[0].partition(" (")[0]
    assert result.at(6.0, target=first).relative.value_nm == pytest.approx(wanted, rel=0.01)


# An ELISA whose sample of 20 ng/mL was diluted tenfold.
STANDARDS = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
COLUMNS = (
    "plate,well,value,unit,role,sample,donor,concentration,concentration_unit,dilution,viability_percent"
)


def od(c):
    return 0.05 + 2.5 * c / (c + 40.0)


def plate(
    value=lambda v: v, standard=lambda c: c, unit="OD", dilution=10.0, dose=lambda d: d, alive=lambda v: v
):
    """Standards, a sample, and a donor whose TNF is halved by 50 nM."""
    rows = [
        (
            "p",
            f"{row}{n}",
            value(od(c) * (1.0 + 0.01 * (n - 1.5))),
            unit,
            "standard",
            "",
            "",
            standard(c),
            "ng/mL",
            1,
            "",
        )
        for row, c in zip("ABCDEFG", STANDARDS, strict=True)
        for n in (1, 2)
    ]
    rows += [("p", f"{row}3", value(od(20.0)), unit, "sample", "s", "", "", "", dilution, "") for row in "AB"]
    rows += [
        ("p", f"{row}4", value(od(50.0)), unit, "stimulated", "", "D", "", "", 1, alive(100)) for row in "AB"
    ]
    rows += [
        ("p", f"{row}4", value(od(2.0)), unit, "unstimulated", "", "D", "", "", 1, alive(99)) for row in "CD"
    ]
    doses = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
    rows += [
        (
            "p",
            f"{row}5",
            value(od(2.0 + 48.0 / (1.0 + d / 50.0))),
            unit,
            "compound",
            "G",
            "D",
            dose(d),
            "nM",
            1,
            alive(97),
        )
        for row, d in zip("ABCDEFGH", doses, strict=True)
    ]
    return text(COLUMNS, rows)


def measured(content, tmp_path):
    path = tmp_path / "plate.csv"
    path.write_text(content)
    return elisa.analyse(elisa.read(path))


def test_the_plate_itself_is_read_right(tmp_path):
    result = measured(plate(), tmp_path)
    assert result.tables["samples"].filter(sample="s")["result"][0] == pytest.approx(200.0, rel=0.01)
    assert result.potencies[0].value_nm == pytest.approx(50.0, rel=0.05)
    assert not {"GP-A204", "GP-A222"} & {one.code for one in result.findings}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (plate(value=lambda v: 20.0 * (v - 0.05), unit="ng/mL"), "GP-A209"),
        (plate(value=lambda v: 100.0 * 10.0**-v), "GP-A209"),
        (plate(standard=lambda c: float(np.log(c)) if c else 0.0), "GP-A205"),
        (plate(standard=lambda c: float(np.log10(1000.0 * c)) if c else 0.0), "GP-A205"),
        (plate(dose=lambda d: float(np.log10(d))), "GP-A205"),
        (plate(dose=lambda d: float(np.log10(d)) - 9.0), "GP-A205"),
        (plate(dose=lambda d: 1e-9 * d), "GP-A206"),
        (plate(alive=lambda v: v / 100.0), "GP-A201"),
    ],
)
def test_an_elisa_in_disguise_is_refused(content, code, tmp_path):
    with pytest.raises(InputError, match=code):
        measured(content, tmp_path)


def test_standards_in_reverse_are_warned_of(tmp_path):
    turned = dict(zip(STANDARDS, STANDARDS[::-1], strict=True))
    for content in (plate(standard=turned.__getitem__), plate(value=lambda v: 10.0**-v)):
        found = [one for one in measured(content, tmp_path).findings if one.code == "GP-A222"]
        assert any("falls with concentration" in one.message for one in found)


@pytest.mark.parametrize("dose", [lambda d: 3000.0 / d, lambda d: 9.0 - float(np.log10(d))])
def test_inhibition_that_falls_with_dose_has_no_ic50(dose, tmp_path):
    result = measured(plate(dose=dose), tmp_path)
    assert result.potencies == ()
    assert "GP-A204" in [one.code for one in result.findings if one.severity == "refusal"]


# A polarisation plate of 100 nM protein and a Ki of 150 nM, its tracer of 5 nM with a Kd of 120 nM.
RIVALS = (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 1e4, 3e4, 1e5)
USUAL = (Amount(100.0, 0.1), Amount(5.0), Amount(120.0, 0.1))


def polarised(dose=lambda d: d, unit="nM", stored=None, dark="blank"):
    def bound(rival):
        totals = (np.array([one]) for one in (100.0, 5.0, rival))
        found = equilibria.competition_slopes(*totals, tracer_kd=np.array([120.0]), ki=np.array([150.0]))
        return float(found.tracer_bound[0]) / 5.0

    rows = []

    def add(well, role, share, amount="", lit=True):
        r = 0.05 + 0.23 * share + 0.0005 * ((ord(well[0]) * 7 + int(well[1:])) % 5 - 2)
        of = (role, "Glue" if amount != "" else "", amount, unit if amount != "" else "")
        if stored:
            rows.extend([("p", well, "mP", stored(3000.0 * r / (2.0 + r)), "mP", *of)] if lit else [])
            return
        for name, part in (("parallel", 1.0 + 2.0 * r), ("perpendicular", 1.0 - r)):
            rows.append(("p", well, name, f"{100.0 + (20000.0 * part if lit else 0.0):.0f}", "RFU", *of))

    for row in "ABCD":
        add(f"{row}1", dark, 0.0, lit=False)
    for row in "EFGH":
        add(f"{row}1", "tracer_only", 0.0)
        add(f"{row}2", "tracer_protein", bound(0.0))
    for n, rival in enumerate(RIVALS):
        for row in "ABC":
            add(f"{row}{n + 3}", "competitor", bound(rival), dose(rival))
    return text("plate,well,channel,value,unit,role,sample,concentration,concentration_unit", rows)


def bind(content, tmp_path, stated=USUAL, g=1.0):
    path = tmp_path / "plate.csv"
    path.write_text(content)
    return polarization.analyse(polarization.read(path), Settings(Conditions(*stated), Optics(g_factor=g)))


def test_the_polarisation_plate_itself_is_read_right(tmp_path):
    result = bind(polarised(), tmp_path)
    assert result.potencies[0].value_nm == pytest.approx(150.0, rel=0.1)
    assert [one for one in result.findings if one.severity != "note"] == []


@pytest.mark.parametrize(
    ("content", "code", "g"),
    [
        (polarised(dose=lambda d: float(np.log10(d))), "GP-A205", 1.0),
        (polarised(dose=lambda d: float(np.log(d))), "GP-A205", 1.0),
        (polarised(dose=lambda d: float(np.log10(d)) - 9.0), "GP-A205", 1.0),
        (polarised(unit="M"), "GP-A206", 1.0),
        (polarised(dose=lambda d: 1e-9 * d), "GP-A206", 1.0),
        (polarised(stored=lambda mp: mp / 1000.0), "GP-A208", 1.0),
        (polarised(stored=lambda mp: float(np.log10(mp))), "GP-A208", 1.0),
        (polarised(), "GP-A208", 100.0),
    ],
)
def test_a_polarisation_plate_in_disguise_is_refused(content, code, g, tmp_path):
    with pytest.raises(InputError, match=code):
        bind(content, tmp_path, g=g)


@pytest.mark.parametrize("dose", [lambda d: 1e6 / d, lambda d: 9.0 - float(np.log10(d))])
def test_a_competitor_in_reverse_has_no_ki(dose, tmp_path):
    result = bind(polarised(dose=dose), tmp_path)
    assert result.potencies == ()
    assert "GP-A204" in [one.code for one in result.findings if one.severity == "refusal"]


@pytest.mark.parametrize(
    ("stated", "content", "code"),
    [
        ((Amount(0.1, 0.1), *USUAL[1:]), polarised(), "GP-A208"),
        ((*USUAL[:2], Amount(120e3, 0.1)), polarised(), "GP-A208"),
        ((USUAL[0], Amount(5e3), USUAL[2]), polarised(), "GP-A208"),
        (USUAL, polarised(dose=lambda d: 1000.0 * d), "GP-A206"),
        (USUAL, polarised(dark="tracer_only"), "GP-A071"),
    ],
)
def test_what_a_polarisation_plate_contradicts_is_warned_of(stated, content, code, tmp_path):
    result = bind(content, tmp_path, stated)
    assert code in [one.code for one in result.findings if one.severity == "warning"]


def grid(title, rows, columns, cell):
    lines = [",".join([title, *map(str, range(1, columns + 1))])]
    lines += [",".join([chr(65 + r), *(f"{cell(r, c)}" for c in range(columns))]) for r in range(rows)]
    return "\n".join(lines) + "\n\n"


def test_a_layout_of_96_wells_is_none_of_384():
    of_96 = layout.parse(layout.template("growth"), "layout.toml")
    large = readers.parse(grid("", 16, 24, lambda r, c: 1000 + 24 * r + c).encode(), "plate.csv")
    with pytest.raises(InputError, match=r"GP-A042.*A13"):
        layout.apply(large, of_96)


LONG = "well,value,{},concentration_unit,sample\n" + "".join(
    f"A{n + 1},{3e4 * left(10.0 ** (0.5 * n - 2.0)):.0f},{0.5 * n},{{}},G\n" for n in range(9)
)


def test_a_table_of_wells_reads_logarithms_by_name_and_one_unit(tmp_path):
    path = tmp_path / "wells.csv"
    path.write_text(LONG.format("log10 conc (uM)", *["uM"] * 9))
    found = door.read(path).wells.table
    assert found["concentration"].to_list() == pytest.approx([10.0 ** (0.5 * n) for n in range(9)])
    path.write_text(LONG.format("conc (pM)", *["nM"] * 9))
    with pytest.raises(InputError, match="GP-A206"):
        door.read(path)


def test_a_map_of_logarithms_is_one_of_doses(tmp_path):
    def light_at(row, column):
        return round(3e4 * left(0.001 * 10.0 ** (0.5 * column) if column else 0.0)) + 10 * row

    path = tmp_path / "plate.csv"
    path.write_text(
        grid("RLU", 8, 12, light_at)
        + grid("log10 dose (nM)", 8, 12, lambda _, column: 0.5 * column if column else "DMSO")
        + grid("compound", 8, 12, lambda *_: "G")
    )
    found, _ = analysed(path.read_text(), tmp_path, "plate.csv")
    assert found == {("", "G", None): pytest.approx(TRUTH_NM, rel=NEAR)}
