"""The bar of the intake: more than sixty look-alikes are read right or refused by name, and more than sixty
ordinary
files of as many shapes are read right."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint.assays import elisa, growth, layout, readers
from glueprint.assays.growth import plates
from glueprint.assays.intake import door
from glueprint.errors import InputError

# Doses in uM and what is left of the control: bottom 0.05, half way at 0.5 uM, so half of the control at
# 0.556 uM.
DOSES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
NOISE = (0.01, -0.02, 0.015, 0.0, -0.01, 0.02, -0.005, 0.01)
CONTROLS = (1.01, 0.98, 1.01)
TRUTH_NM, NEAR = 556.0, 0.2


def left(dose, ic50=0.5):
    return 1.0 - 0.95 * dose / (dose + ic50)


LEFT = [left(dose) + error for dose, error in zip(DOSES, NOISE, strict=True)]
SHOWN = "{:.6g}".format


def rows(value=lambda v: v, dose=lambda d: d, labels=(), vehicle=(), controls=CONTROLS):
    """Rows of labels, dose and value: three controls, then eight doses."""
    wells = [(*vehicle, dose(0.0), value(v)) for v in controls]
    return wells + [(*labels, dose(d), value(v)) for d, v in zip(DOSES, LEFT, strict=True)]


def text(header, table, separator=",", decimal="."):
    lines = [header.replace(",", separator)]
    for row in table:
        cells = [cell if isinstance(cell, str) else SHOWN(cell).replace(".", decimal) for cell in row]
        lines.append(separator.join(cells))
    return "\n".join(lines) + "\n"


def wide(header, values=lambda v: (v, v + 0.01, v - 0.01), dose=lambda d: d):
    """Doses down, readings side by side."""
    pairs = [(0.0, 1.0), *zip(DOSES, LEFT, strict=True)]
    return text(header, [(dose(d), *values(v)) for d, v in pairs])


def potencies(content, tmp_path, name="wells.csv", **asked):
    """Absolute IC50s in nM by compound and time, read through the door."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = door.read(path, **asked)
    table = found.given
    if found.wells is not None:
        table, _ = plates.cultures_table(found.wells.table, found.wells.assay)
    result = growth.analyse(table)
    singles = [one for one in result.named if one.definition == "absolute IC50" and one.experiment == ""]
    chosen = singles or [one for one in result.named if one.definition == "absolute IC50"]
    return {(one.line, one.compound, one.potency.time_h): one.potency.value_nm for one in chosen}, result


PLAIN = text("dose,dose_unit,viability", [(d, "uM", v) for d, v in rows()])
COMMAS = text("dose,dose_unit,viability", [(d, "uM", v) for d, v in rows()], ";", ",")
TABS = text("dose,dose_unit,viability", [(d, "uM", v) for d, v in rows()], "\t")


def headed(header, value=lambda v: v, dose=lambda d: d):
    return text(header, rows(value, dose))


def log(dose):
    return "" if dose == 0.0 else float(np.log10(dose) - 6.0)


def per_cent(v):
    return 100.0 * v


def lost(v):
    return 1.0 - v


def lost_per_cent(v):
    return 100.0 - 100.0 * v


def light(v):
    return round(30000.0 * v)


def both(header, one, other):
    return text(header, [*one, *other])


def beside(header, values=lambda v, w: (v, w)):
    """Two compounds side by side, the second four times weaker."""
    pairs = [(0.0, 1.0), *zip(DOSES, LEFT, strict=True)]
    return text(header, [(d, *values(v, left(d, 2.0))) for d, v in pairs])


def dosed(header, dose):
    """The curve without its controls, at doses by their number."""
    return text(header, [(dose(i), v) for i, (_, v) in enumerate(rows()[3:])])


def marked(header, label, table=None):
    """The curve with a label before every row."""
    return text(header, [(label, d, v) for d, v in (table or rows())])


ORDINARY = {
    # Text.
    **{f"comma {e}": PLAIN.encode(e) for e in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")},
    **{f"semicolon {e}": COMMAS.encode(e) for e in ("utf-8", "utf-16", "cp1252")},
    **{f"tab {e}": TABS.encode(e) for e in ("utf-8", "utf-16", "utf-16-be")},
    "tab with decimal commas": TABS.replace(".", ","),
    "windows line ends": PLAIN.replace("\n", "\r\n"),
    "old Mac line ends": PLAIN.replace("\n", "\r"),
    "lines above": "Glue assay,,\nMonday,,\n\n" + PLAIN,
    "empty lines": PLAIN.replace("\n", "\n\n"),
    "empty columns at the end": PLAIN.replace("\n", ",,\n"),
    "quoted cells": "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in PLAIN.splitlines()),
    "an index first": "\n".join(
        ("" if i == 0 else str(i)) + "," + line for i, line in enumerate(PLAIN.splitlines())
    ),
    "a comment last": "\n".join(
        line + (",comment" if i == 0 else ",") for i, line in enumerate(PLAIN.splitlines())
    ),
    "units under the header": text("dose,viability", [("uM", "%"), *rows(per_cent)]),
    # Headers.
    "capitals": PLAIN.replace("dose,dose_unit,viability", "Dose,Dose_Unit,Viability"),
    "dose (uM)": headed("Dose (uM),viability"),
    "dose_uM": headed("dose_uM,viability"),
    "conc [µM]": headed("Conc. [µM],viability"),
    "concentration, nM": headed("Concentration (nM),viability", dose=lambda d: 1000.0 * d),
    "dose_nM": headed("dose_nM,viability", dose=lambda d: 1000.0 * d),
    "DOSE_NM": headed("DOSE_NM,VIABILITY", dose=lambda d: 1000.0 * d),
    "[glue]": headed("[Glue] (µM),Viability"),
    "glue (nM)": headed("Glue (nM),Viability", dose=lambda d: 1000.0 * d),
    "mM": headed("dose (mM),viability", dose=lambda d: 0.001 * d),
    "M": headed("Conc (M),viability", dose=lambda d: 1e-6 * d),
    "dose with its unit in the cell": headed(
        "dose,viability", dose=lambda d: f"{1000.0 * d:g} nM" if d else "0 nM"
    ),
    "log10 of M": text("log[M],viability", rows(dose=log)[3:]),
    "log10 of nM": text("Log10 dose (nM),viability", [(log(d) + 9.0, v) for d, v in rows()[3:]]),
    "viability (%)": headed("dose_uM,Viability (%)", per_cent),
    "% viability": headed("dose_uM,% viability", per_cent),
    "% of control": headed("dose_uM,% of control", per_cent),
    "viability_percent": headed("dose_uM,viability_percent", per_cent),
    "cells with %": headed("dose_uM,viability", lambda v: f"{100.0 * v:.2f}%"),
    "survival": headed("dose_uM,Surviving fraction"),
    "inhibition": headed("dose_uM,inhibition", lost),
    "inhibition (%)": headed("dose_uM,Inhibition (%)", lost_per_cent),
    "% inhibition": headed("dose_uM,% Inhibition", lost_per_cent),
    "signal": headed("dose_uM,signal", light),
    "RLU": headed("dose_uM,RLU", light),
    "luminescence (RLU)": headed("dose_uM,Luminescence (RLU)", light),
    "OD": headed("dose_uM,OD", lambda v: 1.8 * v),
    "value near 1": headed("dose_uM,value"),
    "value near 100": headed("dose_uM,Response", per_cent),
    "value, raw": headed("dose_uM,Readout", light),
    # Side by side.
    "rep1 rep2 rep3": wide("dose_uM,rep1,rep2,rep3"),
    "viability 1 to 3": wide("Dose (uM),Viability 1,Viability 2,Viability 3"),
    "Y Y Y": wide("Dose (uM),Y,Y,Y"),
    "R1 R2 R3": wide("Dose (uM),R1,R2,R3"),
    "Glue Glue Glue": wide("Dose (uM),Glue,Glue,Glue"),
    "a name over three columns": wide("Dose (uM),Glue,,"),
    "Pom_1 to Pom_3": wide("Dose (uM),Pom_1,Pom_2,Pom_3"),
    "mean, SD, n": wide("Dose (uM),Mean,SD,n", lambda v: (v, 0.02, 3.0)),
    "replicates and their mean": wide(
        "Dose (uM),rep1,rep2,mean,sd", lambda v: (v + 0.01, v - 0.01, v, 0.014)
    ),
    "viability and its SD": wide("Dose (uM),Viability (%),SD (%)", lambda v: (100.0 * v, 2.0)),
    # Doses and order.
    "descending": text("dose_uM,viability", rows()[::-1]),
    # Controls.
    **{
        f"controls named {word}": text(
            "compound,dose_uM,signal", rows(light, labels=("Glue",), vehicle=(word,))
        )
        for word in ("DMSO", "vehicle", "Untreated", "none", "-", "0.1% DMSO", "Neg. control", "control")
    },
    "dose DMSO": headed("dose (uM),RLU", light, lambda d: d or "DMSO"),
    "roles of a plate": text(
        "role,compound,dose_uM,RLU", rows(light, labels=("Sample", "Glue"), vehicle=("Vehicle", "DMSO"))
    ),
    # Labels that belong to the curve, or to nothing.
    "a technical replicate": text(
        "replicate,dose_uM,viability", [(f"{n}", d, v) for n in (1, 2) for d, v in rows()]
    ),
    "wells of a plate": text(
        "well,compound,dose_uM,RLU", [(f"A{i + 1}", "Glue", d, v) for i, (d, v) in enumerate(rows(light))]
    ),
    "two plates": text("plate,dose_uM,viability", [(p, d, v) for p in ("p1", "p2") for d, v in rows()]),
    "time as text": marked("time,dose_uM,viability", "72 h"),
    "days": text("Time (days),dose_uM,viability", [(3.0, d, v) for d, v in rows()]),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_file_is_read_right(name, tmp_path):
    found, _ = potencies(ORDINARY[name], tmp_path)
    assert len(found) == 1
    assert next(iter(found.values())) == pytest.approx(TRUTH_NM, rel=NEAR)


def either(label, one, other):
    """Two curves that only a label tells apart."""
    return both(
        f"{label},dose_uM,viability", [(one, d, v) for d, v in rows()], [(other, d, v) for d, v in SLOW]
    )


SLOW = [(d, left(d, 2.0)) for d in (0.0, *DOSES)]
SEVERAL = {
    "two times": (
        both("time_h,dose_uM,viability", [(24.0, d, v) for d, v in rows()], [(48.0, d, v) for d, v in SLOW]),
        {("", "", 24.0): TRUTH_NM, ("", "", 48.0): 4.0 * TRUTH_NM},
    ),
    "two lines and donors": (
        both(
            "cell_line,donor,dose_uM,viability",
            [("L", "D1", d, v) for d, v in rows()],
            [("L", "D2", d, v) for d, v in SLOW],
        ),
        {("L D1", "", None): TRUTH_NM, ("L D2", "", None): 4.0 * TRUTH_NM},
    ),
    "two compounds side by side": (
        beside("dose_uM,Glue A,Glue B"),
        {("", "Glue A", None): TRUTH_NM, ("", "Glue B", None): 4.0 * TRUTH_NM},
    ),
    "numbered compounds side by side": (
        beside("dose_uM,cmpd1,cmpd2"),
        {("", "cmpd1", None): TRUTH_NM, ("", "cmpd2", None): 4.0 * TRUTH_NM},
    ),
    "two compounds in duplicate": (
        beside("dose_uM,A_1,A_2,B_1,B_2", lambda v, w: (v, v, w, w)),
        {("", "A", None): TRUTH_NM, ("", "B", None): 4.0 * TRUTH_NM},
    ),
    "times side by side": (
        beside("dose_uM,24 h,48 h"),
        {("", "", 24.0): TRUTH_NM, ("", "", 48.0): 4.0 * TRUTH_NM},
    ),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_what_belongs_to_several_curves_is_not_pooled(name, tmp_path):
    content, wanted = SEVERAL[name]
    found, _ = potencies(content, tmp_path)
    assert found == {key: pytest.approx(value, rel=NEAR) for key, value in wanted.items()}


LINEAR = [float(n) for n in range(1, 9)]
ALIKE = {
    # The scale.
    "fractions named per cent": (headed("dose_uM,viability_percent"), "GP-A201"),
    "fractions under a % header": (headed("dose_uM,Viability (%)"), "GP-A201"),
    "fractions as per cent inhibition": (headed("dose_uM,% inhibition", lost), "GP-A201"),
    "per cent named viability": (headed("dose_uM,viability", per_cent), "GP-A201"),
    "per cent named survival": (headed("dose_uM,Survival", per_cent), "GP-A201"),
    "per cent named inhibition": (headed("dose_uM,inhibition", lost_per_cent), "GP-A201"),
    "raw light named viability": (headed("dose_uM,viability", light), "GP-A201"),
    "raw light named per cent": (headed("dose_uM,viability_percent", light), "GP-A202"),
    "a mix of fractions and per cent": (
        text("dose_uM,viability", [(d, v if d < 1 else 100 * v) for d, v in rows()]),
        "GP-A201",
    ),
    "most dead, per cent named viability": (
        text("dose_uM,viability", [(d, 98.0 if d < 0.02 else 3.0) for d in DOSES]),
        "GP-A201",
    ),
    # The control.
    "half of the signal named viability": (headed("dose_uM,viability", lambda v: 0.5 * v), "GP-A202"),
    "twice the signal named viability": (headed("dose_uM,viability", lambda v: 2.0 * v), "GP-A202"),
    "OD named viability": (headed("dose_uM,viability", lambda v: 0.42 * v), "GP-A202"),
    "half named per cent": (headed("dose_uM,Viability (%)", lambda v: 50.0 * v), "GP-A202"),
    "inhibition from two fifths": (
        headed("dose_uM,inhibition", lambda v: 0.4 + 0.5 * (1.0 - v)),
        "GP-A20[24]",
    ),
    # The complement and the direction.
    "inhibition named viability": (headed("dose_uM,viability", lost), "GP-A204"),
    "inhibition named viability, in per cent": (
        headed("dose_uM,viability_percent", lost_per_cent),
        "GP-A204",
    ),
    "viability named inhibition": (headed("dose_uM,inhibition"), "GP-A204"),
    "viability named inhibition, in per cent": (headed("dose_uM,Inhibition (%)", per_cent), "GP-A204"),
    "a rise from 0.3 named viability": (headed("dose_uM,viability", lambda v: 1.0 - 0.7 * v), "GP-A204"),
    "a rising signal of death": (headed("dose_uM,RLU", lambda v: round(9000.0 - 6000.0 * v)), "GP-A204"),
    "controls exchanged with the kill": (
        text(
            "role,dose_uM,RLU",
            [
                ("control", "", 900.0),
                ("control", "", 950.0),
                *(("treated", d, light(v)) for d, v in rows()[:2:-1]),
            ],
        ),
        "GP-A20[24]",
    ),
    "inhibition without a control": (text("dose_uM,viability", rows(lost)[3:]), "GP-A204"),
    "inhibition without a name": (headed("dose_uM,value", lost), "GP-A213"),
    "inhibition side by side without a name": (
        wide("dose_uM,rep1,rep2,rep3", lambda v: (1.0 - v, 1.01 - v, 0.99 - v)),
        "GP-A213",
    ),
    "raw light without a name or control": (text("dose_uM,value", rows(light)[3:]), "GP-A213"),
    # Below zero.
    "GR values named viability": (headed("dose_uM,viability", lambda v: 2.0 * v - 1.0), "GP-A203"),
    "log2 of the control named viability": (headed("dose_uM,viability", np.log2), "GP-A203"),
    "log10 of the light named viability": (headed("dose_uM,viability", np.log10), "GP-A203"),
    "changes in per cent named viability": (
        headed("dose_uM,viability_percent", lambda v: 100.0 * v - 100.0),
        "GP-A203",
    ),
    "z-scores named inhibition": (headed("dose_uM,inhibition", lambda v: 4.0 - 4.0 * v), "GP-A203"),
    # Logarithms.
    "log10 M named dose": (
        text("dose,dose_unit,viability", [(log(d), "M", v) for d, v in rows()[3:]]),
        "GP-A205",
    ),
    "log10 nM named dose_nM": (
        text("dose_nm,viability", [(log(d) + 9.0, v) for d, v in rows()[3:]]),
        "GP-A205",
    ),
    "p values named dose": (dosed("dose_uM,viability", lambda i: 9.0 - 0.5 * i), "GP-A205"),
    "whole logarithms": (dosed("dose_nm,viability", float), "GP-A205"),
    "half logarithms": (dosed("dose_nm,viability", lambda i: 0.5 * i), "GP-A205"),
    "natural logarithms": (dosed("dose_nm,viability", lambda i: np.log(3.0) * i), "GP-A205"),
    "logarithms to the base 2": (dosed("dose_nm,viability", lambda i: float(i + 3)), "GP-A205"),
    "fourfold logarithms to the base 2": (dosed("dose_nm,viability", lambda i: 1.55 + 2.0 * i), "GP-A205"),
    "amounts in steps of one": (text("dose_uM,viability", list(zip(LINEAR, LEFT, strict=True))), "GP-A205"),
    # Units.
    "molar values named nM": (headed("dose_nm,viability", dose=lambda d: 1e-6 * d), "GP-A206"),
    "nM named M": (headed("dose (M),viability", dose=lambda d: 1000.0 * d), "GP-A206"),
    "two units at once": (text("dose_uM,dose_unit,viability", [(d, "nM", v) for d, v in rows()]), "GP-A206"),
    "no unit": (headed("dose,viability"), "GP-A162"),
    "a unit of time": (text("dose,dose_unit,viability", [(d, "h", v) for d, v in rows()]), "GP-A162"),
    # Times.
    "minutes named hours": (marked("time_h,dose_uM,viability", 4320.0), "GP-A207"),
    "days named doubling hours": (marked("doubling_time_h,dose_uM,viability", 1.2), "GP-A207"),
    "two times without a unit": (either("time", 2.0, 3.0), "GP-A207"),
    # Labels.
    "two media": (either("medium", "a", "b"), "GP-A214"),
    "two kinds of serum by number": (either("serum", 0.0, 10.0), "GP-A214"),
    "an unknown role": (marked("role,dose_uM,viability", "kontrol"), "GP-A175"),
    # Marks.
    "decimal commas split by commas": (PLAIN.replace(".", ","), "GP-A158|GP-A003|GP-A012"),
    "commas that may be thousands": (
        text("dose_nm\tRLU", [(f"{1000 * d:g}", f"{v:,}") for d, v in rows(light)], "\t"),
        "GP-A005",
    ),
    "points and commas": (COMMAS.replace("0,98", "0.98"), "GP-A005"),
    "a number that is none": (PLAIN.replace("0.98", "O.98"), "GP-A161"),
    "OVRFLW among the values": (PLAIN.replace("0.98", "OVRFLW"), "GP-A161"),
    "a negative dose": (PLAIN.replace("0.03,", "-0.03,"), "GP-A161"),
    "no doses": (text("well,viability", [("A1", 1.0), ("A2", 0.5)]), "GP-A003"),
    "half of a workbook": (b"PK\x03\x04" + b"\0" * 50, "GP-A0"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "GP-A"),
    "a picture": (b"\x89PNG\r\n" + b"\0" * 60, "GP-A"),
}


@pytest.mark.parametrize("name", ALIKE)
def test_a_look_alike_is_refused_by_name(name, tmp_path):
    content, code = ALIKE[name]
    with pytest.raises(InputError, match=code):
        potencies(content, tmp_path)


def test_the_bar_is_high_enough():
    assert len(ORDINARY) >= 60
    assert len(ALIKE) + len(SEVERAL) >= 60


def test_a_replicate_is_no_experiment(tmp_path):
    _, result = potencies(ORDINARY["a technical replicate"], tmp_path)
    assert {one.potency.n for one in result.named} == {1}


OD = "plate,well,value,unit,role,sample,concentration,concentration_unit,dilution\n" + "".join(
    f"p,{'ABCDEFGH'[i]}1,{0.05 + 2.5 * c / (c + 40.0):.4g},OD,standard,,{c:g},ng/mL,1\n"
    for i, c in enumerate((0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0))
)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda t: t.with_columns(pl.col("value") * 1000.0), "GP-A209"),
        (lambda t: t.with_columns(concentration=pl.int_range(pl.len()).cast(pl.Float64)), "GP-A205"),
        (
            lambda t: t.with_columns(dilution=pl.when(pl.col("role") == "sample").then(0.1).otherwise(1.0)),
            "GP-A210",
        ),
    ],
)
def test_an_elisa_that_is_not_what_it_says_is_refused(change, code):
    content = OD + "p,A2,0.8,OD,sample,s1,,,10\np,B2,0.81,OD,sample,s1,,,10\n"
    wells = layout.apply(readers.parse(content.encode(), "p.csv")).table
    assert elisa.analyse(wells).tables["samples"]["result"][0] == pytest.approx(174.0, rel=0.1)
    with pytest.raises(InputError, match=code):
        elisa.analyse(change(wells))
