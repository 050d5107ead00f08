"""The bar of the intake, second part: tables whose numbers are not what they seem. Each is read right, or
refused or warned of by name; and more shapes of ordinary files."""

from __future__ import annotations

import numpy as np
import pytest
from tests.assays.disguises import NEAR, TRUTH_NM, analysed, left, text
from tests.assays.shapes import workbook

from glueprint import units
from glueprint.assays.blot import optical
from glueprint.errors import InputError

# In uM.
DOSES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
CONTROLS = (1.01, 0.98, 1.01)


LEFT = [left(dose) for dose in DOSES]
SLOW = [left(dose, 2.0) for dose in DOSES]


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
