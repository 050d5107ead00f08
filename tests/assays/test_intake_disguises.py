"""The bar of the intake, second part: files whose numbers are not what they seem, for all five assays. Each
is read
right, or refused or warned of by name; and more shapes of ordinary files."""

from __future__ import annotations

import numpy as np
import pytest
from tests.assays.shapes import workbook

from glueprint import units
from glueprint.assays import degradation, elisa, growth, layout, polarization, readers
from glueprint.assays.blot import optical
from glueprint.assays.growth import plates
from glueprint.assays.intake import door
from glueprint.assays.polarization import Amount, Conditions, Optics, Settings
from glueprint.curves import equilibria
from glueprint.errors import InputError

# Doses in uM; half of the control is left at 0.526/0.474 of the half-way dose of 0.5 uM.
DOSES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
TRUTH_NM, NEAR = 556.0, 0.15
CONTROLS = (1.01, 0.98, 1.01)


def left(dose, ic50=0.5):
    return 1.0 - 0.95 * dose / (dose + ic50)


LEFT = [left(dose) for dose in DOSES]
SLOW = [left(dose, 2.0) for dose in DOSES]


def text(header, rows, separator=","):
    cells = ((one if isinstance(one, str) else f"{one:.6g}" for one in row) for row in rows)
    return "\n".join([header, *map(separator.join, cells)]) + "\n"


def wells(value=lambda v: v, dose=lambda d: d, labels=(), vehicle=None):
    """Three controls and eight doses, each after its labels."""
    first = labels if vehicle is None else vehicle
    return [(*first, dose(0.0), value(v)) for v in CONTROLS] + [
        (*labels, dose(d), value(v)) for d, v in zip(DOSES, LEFT, strict=True)
    ]


def beside(header, *extra, values=lambda v, w: (v, w)):
    """Two curves side by side, the second four times weaker, from a control."""
    both = [(0.0, 1.0, 1.0), *zip(DOSES, LEFT, SLOW, strict=True)]
    return text(header, [(d, *values(v, w), *extra) for d, v, w in both])


def light(v):
    return round(30000.0 * v)


def log_m(dose):
    return float(np.log10(dose)) - 6.0


def treated(value=lambda v: v, dose=lambda d: d):
    return [(dose(d), value(v)) for d, v in zip(DOSES, LEFT, strict=True)]


def analysed(content, tmp_path, name="wells.csv"):
    """Absolute IC50s in nM by line, compound and time, and the findings."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = door.read(path)
    table = found.given
    if found.wells is not None:
        table, _ = plates.cultures_table(found.wells.table, found.wells.assay)
    result = growth.analyse(table)
    ic50s = {
        (one.line, one.compound, one.potency.time_h): one.potency.value_nm
        for one in result.named
        if one.definition == "absolute IC50" and one.experiment == ""
    }
    return ic50s, result.findings


TWO = {("", "A", None): TRUTH_NM, ("", "B", None): 4.0 * TRUTH_NM}


def two(one, other, line=False):
    keys = [(name, "", None) if line else ("", name, None) for name in (one, other)]
    return dict(zip(keys, (TRUTH_NM, 4.0 * TRUTH_NM), strict=True))


ALONE = {("", "", None): TRUTH_NM}
GLUE = {("", "Glue", None): TRUTH_NM}
TIMES = {("", "", 24.0): TRUTH_NM, ("", "", 48.0): 4.0 * TRUTH_NM}
GROUPED = [(d, v, v, w, w) for d, v, w in [(0.0, 1.0, 1.0), *zip(DOSES, LEFT, SLOW, strict=True)]]
RIGHT = {
    # Logarithms that the header names.
    "minus log10": (text("-log10[M],viability", [(-log_m(d), v) for d, v in treated()]), ALONE),
    "minus Log": (text("-Log(M),viability", [(-log_m(d), v) for d, v in treated()]), ALONE),
    "vehicle among logarithms": (
        text("log[M],viability", [("DMSO", 1.01), ("DMSO", 0.99), *treated(dose=log_m)]),
        ALONE,
    ),
    "minus infinity": (text("log[M],viability", [("-inf", 1.0), *treated(dose=log_m)]), ALONE),
    "logarithms in one word": (
        text("logdose_nM,viability", treated(dose=lambda d: log_m(d) + 9.0)),
        ALONE,
    ),
    "natural ones in one word": (
        text("lnConc_nM,viability", treated(dose=lambda d: float(np.log(1000.0 * d)))),
        ALONE,
    ),
    "a typographic minus": (
        text("log[M],viability", [(f"{log_m(d):.4f}".replace("-", "\u2212"), v) for d, v in treated()]),
        ALONE,
    ),
    "log10 of counts": (text("dose_uM,log10 RLU", wells(lambda v: float(np.log10(3e4 * v)))), ALONE),
    "ln of a signal": (text("dose_uM,ln(signal)", wells(lambda v: float(np.log(3e4 * v)))), ALONE),
    # Names with numbers.
    "two proteins": (beside("dose_uM,IKZF1,IKZF3"), two("IKZF1", "IKZF3")),
    "two lines": (beside("dose_uM,KMS11,KMS12"), two("KMS11", "KMS12")),
    "two compounds": (beside("dose_uM,dBET1,dBET6"), two("dBET1", "dBET6")),
    "hyphens": (beside("dose_uM,CC-1,CC-2"), two("CC-1", "CC-2")),
    "two donors": (beside("dose_uM,donor 1,donor 2"), two("donor 1", "donor 2", line=True)),
    "two days": (beside("dose_uM,Day 1,Day 2"), two("Day 1", "Day 2")),
    "bare numbers": (beside("dose_uM,24,72"), two("24", "72")),
    "replicates of two times": (text("dose_uM,24h_1,24h_2,48h_1,48h_2", GROUPED), TIMES),
    # Names in two lines.
    "compounds over replicates": (",A,,B,\n" + text("dose_uM,1,2,1,2", GROUPED), TWO),
    "compounds over rep": ("compound,A,,B,\n" + text("dose_uM,rep1,rep2,rep1,rep2", GROUPED), TWO),
    "times over replicates": ("time,24 h,,48 h,\n" + text("dose_uM,1,2,1,2", GROUPED), TIMES),
    "a response over replicates": (
        ",Inhibition (%),,\n"
        + text("dose_uM,rep1,rep2", [(d, 1e2 - 1e2 * v, 1e2 - 1e2 * v) for d, v in wells()]),
        ALONE,
    ),
    "merged cells": (
        workbook(
            S=[["", "A", "", "B", ""], ["dose_uM", "rep 1", "rep 2", "rep 1", "rep 2"], *map(list, GROUPED)]
        ),
        TWO,
    ),
    # Labels.
    "numbered compounds": (
        text(
            "Compound ID,dose_uM,viability", [(f"{i}", d, v) for i in range(1000, 1020) for d, v in wells()]
        ),
        {("", f"{i}", None): TRUTH_NM for i in range(1000, 1020)},
    ),
    "means among replicates": (
        text(
            "replicate,dose_uM,viability",
            [(r, d, 0.02 if r == "SD" else v) for d, v in wells() for r in ("1", "2", "mean", "SD")],
        ),
        ALONE,
    ),
    "limits beside a mean": (
        text("dose_uM,mean,lower,upper", [(d, v, v - 0.04, v + 0.04) for d, v in wells()]),
        ALONE,
    ),
    # Wells without compound.
    "a column of blanks": (text("dose_uM,Glue,Blank", [(d, light(v) + 500, 500) for d, v in wells()]), GLUE),
    "a column of vehicle": (text("dose_uM,Glue,DMSO", [(d, light(v), 30000) for d, v in treated()]), GLUE),
    "0 nM as a name": (text("compound,dose_uM,RLU", wells(light, labels=("Glue",), vehicle=("0 nM",))), GLUE),
    "numbered controls": (
        text("compound,dose_uM,RLU", wells(light, labels=("Glue",), vehicle=("control 1",))),
        GLUE,
    ),
    "nothing excluded": (text("exclude,dose_uM,viability", wells(labels=("no",))), ALONE),
    # Units and doses.
    "units in capitals": (text("dose,dose_unit,viability", [(d, "UM", v) for d, v in wells()]), ALONE),
    "a unit with a remark": (
        text("dose,dose_unit,viability", [(d, "uM (final)", v) for d, v in wells()]),
        ALONE,
    ),
    "stock beside final": (
        text("stock conc (uM),final conc (uM),viability", [(1e3 * d, d, v) for d, v in wells()]),
        ALONE,
    ),
    "one dose in two units": (
        text("conc (M),conc (uM),viability", [(1e-6 * d, d, v) for d, v in wells()]),
        ALONE,
    ),
    "units in brackets below": (
        text("dose,viability", [("[nM]", "[%]"), *[(1e3 * d, 1e2 * v) for d, v in wells()]]),
        ALONE,
    ),
    "the visible sheet": (
        workbook(
            hidden=("Old",),
            Old=[["dose_uM", "viability"], *[[d, v] for d, v in wells(dose=lambda d: 10.0 * d)]],
            New=[["dose_uM", "viability"], *[[d, v] for d, v in wells()]],
        ),
        ALONE,
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_named_is_read_right(name, tmp_path):
    content, wanted = RIGHT[name]
    found, _ = analysed(content, tmp_path, "wells.xlsx" if isinstance(content, bytes) else "wells.csv")
    assert found == {key: pytest.approx(value, rel=NEAR) for key, value in wanted.items()}


def stacked(word):
    """Two curves below each other under a word each."""
    return "dose_uM,viability\n" + "".join(
        f"{word} {name},\n"
        + "".join(f"{d:g},{v:.4g}\n" for d, v in zip((0.0, *DOSES), (1.0, *curve), strict=True))
        for name, curve in (("A", LEFT), ("B", SLOW))
    )


def labelled(header, one, other):
    rows = [(one, 0.0, 1.0), *((one, d, v) for d, v in zip(DOSES, LEFT, strict=True))]
    return text(
        header, [*rows, (other, 0.0, 1.0), *((other, d, v) for d, v in zip(DOSES, SLOW, strict=True))]
    )


SMALL = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
DOWN = [(d, v) for d, v in zip((0.0, *DOSES[::-1]), (1.0, *LEFT), strict=True)]
FULL = [("DMSO", 0.0, 100.0), ("DMSO", 0.0, 101.0)]
REFUSED = {
    # Logarithms.
    "ln named log10": (
        text("log10 dose (nM),viability", [(float(np.log(d)), v) for d, v in zip(SMALL, LEFT, strict=True)]),
        "GP-A205",
    ),
    "log2 named log": (
        text("log dose (nM),viability", [(float(np.log2(0.1 * 3.0**i)), v) for i, v in enumerate(LEFT)]),
        "GP-A205",
    ),
    "three exponents": (text("dose_nM,viability", [(0, 1.0), (2, 0.9), (3, 0.5), (4, 0.1)]), "GP-A205"),
    "four exponents": (text("dose_nM,viability", [(1, 0.95), (2, 0.9), (3, 0.5), (4, 0.1)]), "GP-A205"),
    "logarithms of kill": (text("dose_uM,log kill", wells(lambda v: float(-np.log10(v)))), "GP-A203"),
    "logarithms side by side": (
        beside("dose_uM,log10 RLU rep1,log10 RLU rep2", values=lambda v, _: (4.0 + float(np.log10(v)),) * 2),
        "GP-A203",
    ),
    "a logarithm that no number holds": (text("dose_uM,log10 RLU", [(0.0, 400.0), (1.0, 3.0)]), "GP-A205"),
    "logarithms of viability": (
        text("dose_uM,viability (log10)", wells(lambda v: 1.0 + float(np.log10(v)))),
        "GP-A203",
    ),
    # Marks between thousands.
    "points between thousands": (
        text(
            "Dose (nM);Viability (%)",
            wells(lambda v: f"{1e2 * v:.0f}", lambda d: f"{round(1e3 * d):,}".replace(",", ".")),
            ";",
        ),
        "GP-A005",
    ),
    "several points": (
        text("dose_nM;RLU", wells(lambda v: f"{light(40 * v):,}".replace(",", "."), lambda d: 1e3 * d), ";"),
        "GP-A005",
    ),
    "apostrophes": (
        text("dose_nM,RLU", wells(light, lambda d: f"{round(1e3 * d):,}".replace(",", "'"))),
        "GP-A161",
    ),
    # Doses.
    "nominal and actual": (
        text("nominal conc (uM),actual conc (uM),viability", [(10.0 * d, d, v) for d, v in wells()]),
        "GP-A206",
    ),
    "uM in cells of dose_nM": (text("dose_nM,viability", wells(dose=lambda d: f"{d:g} uM")), "GP-A206"),
    "nM in cells of uM": (text("dose (uM),viability", wells(dose=lambda d: f"{1e3 * d:g} nM")), "GP-A206"),
    "doses in reverse": (text("dose_uM,viability", DOWN), "GP-A204"),
    "doses in reverse, raw": (text("dose_uM,RLU", [(d, light(v)) for d, v in DOWN]), "GP-A204"),
    "a date among doses": (
        text("dose_uM,viability", wells(dose=lambda d: "2026-03-01" if d == 1.0 else d)),
        "GP-A161",
    ),
    "headers exchanged": (text("viability,dose_uM", [(0.1 * d, v) for d, v in wells()]), "GP-A202"),
    # The response.
    "the kill as vehicle": (
        text(
            "compound,dose_uM,RLU",
            [
                ("DMSO", 0.0, 12000.0),
                ("DMSO", 0.0, 12200.0),
                *[("G", d, light(0.4 + 0.6 * v)) for d, v in treated()],
            ],
        ),
        "GP-A202",
    ),
    "a blank subtracted twice": (
        text("role,dose_uM,RLU", [("blank", "", 9000.0), *[("sample", d, light(v)) for d, v in wells()]]),
        "GP-A203",
    ),
    "cells as blanks": (
        text("role,dose_uM,RLU", [("blank", "", 25000.0), *[("sample", d, light(v)) for d, v in wells()]]),
        "GP-A203",
    ),
    "one compound in fractions": (
        text(
            "compound,dose_uM,viability_percent",
            [*FULL, *[("A", d, 1e2 * v) for d, v in treated()], *[("B", d, v) for d, v in treated()]],
        ),
        "GP-A201",
    ),
    "one plate in fractions": (
        text(
            "plate,dose_uM,viability_percent",
            [*[("1", d, 1e2 * v) for d, v in wells()], *[("2", d, v) for d, v in treated()]],
        ),
        "GP-A201",
    ),
    "percent cells of a workbook": (
        workbook(S=[["dose_uM", "Viability (%)"], *[[d, v] for d, v in wells()]]),
        "GP-A201",
    ),
    "a reduction without control": (
        text("dose_uM,Reduction in viability (%)", treated(lambda v: 100.0 - 22.0 * v)),
        "GP-A213",
    ),
    "dead cells": (text("dose_uM,% dead", treated(lambda v: 100.0 - 22.0 * v)), "GP-A213"),
    "GR values": (text("dose_uM,GR value", wells(lambda v: 0.1 + 0.9 * v)), "GP-A213"),
    "z-scores": (text("dose_uM,z-score", wells()), "GP-A213"),
    # Labels, times and sections.
    "sections": (stacked("Compound"), "GP-A158"),
    "thirty labels": (
        text("code,dose_uM,viability", [(f"K{i}", d, v) for i in range(30) for d, v in wells()]),
        "GP-A214",
    ),
    "numbered structures": (
        text("structure no,dose_uM,viability", [(f"{7 * i}", d, v) for i in range(12) for d, v in wells()]),
        "GP-A214",
    ),
    "times as clocks": (labelled("time,dose_uM,viability", "24:00", "72:00"), "GP-A207"),
    "times as words": (labelled("timepoint,dose_uM,viability", "early", "late"), "GP-A207"),
    "times as dates": (labelled("time,dose_uM,viability", "2026-11-01", "2026-11-03"), "GP-A207"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_disguise_is_refused_by_name(name, tmp_path):
    content, code = REFUSED[name]
    with pytest.raises(InputError, match=code):
        analysed(content, tmp_path, "wells.xlsx" if isinstance(content, bytes) else "wells.csv")


WARNED = {
    "log10 of counts under RLU": (text("dose_uM,RLU", wells(lambda v: float(np.log10(3e4 * v)))), "GP-A209"),
    "compounds numbered like replicates": (beside("dose_uM,1,2", values=lambda v, w: (v, w)), "GP-A223"),
    "days named hours": (labelled("time_h,dose_uM,viability", "1", "3"), "GP-A207"),
    "untreated beside vehicle": (
        text(
            "compound,dose_uM,RLU",
            [
                *[("untreated", 0.0, 45000.0 + i) for i in range(3)],
                *wells(light, labels=("Glue",), vehicle=("DMSO",)),
            ],
        ),
        "GP-A221",
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_may_be_meant_is_warned_of(name, tmp_path):
    content, code = WARNED[name]
    _, findings = analysed(content, tmp_path)
    assert code in [one.code for one in findings if one.severity == "warning"]


def test_one_compound_the_other_way_round_has_no_potency(tmp_path):
    rows = [
        *FULL,
        *[("A", d, 1e2 * v) for d, v in treated()],
        *[("B", d, 1e2 - 1e2 * v) for d, v in treated()],
    ]
    found, findings = analysed(text("compound,dose_uM,viability_percent", rows), tmp_path)
    assert found == {("", "A", None): pytest.approx(TRUTH_NM, rel=NEAR)}
    assert [one.where for one in findings if one.code == "GP-A204"] == ['B, column "viability_percent"']


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
    first = header.partition(",")[0]
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


def test_what_two_damaged_files_brought_to_light():
    # A unit that ends in an operator, and a picture that its header makes 300 times as wide as high.
    assert not units.is_known("ng/")
    with pytest.raises(InputError, match="GP-U001"):
        units.convert(1.0, "ng*", "ng/mL")
    assert optical.shrunk(np.ones((170, 61926)), 300)[0].shape == (1, 364)
    assert optical.polarity(np.ones((2, 5000))) == "unclear"


def test_the_bar_is_higher():
    assert len(REFUSED) + len(WARNED) >= 30
    assert len(RIGHT) >= 30
