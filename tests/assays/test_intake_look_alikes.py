"""The bar of the intake, third part: exports and shapes of other programs, and what they may be taken for."""

from __future__ import annotations

import numpy as np
import pytest
from tests.assays.disguises import NEAR, TRUTH_NM, analysed, left, text

from glueprint.errors import InputError

# In uM.
DOSES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
CONTROLS = (1.01, 0.98, 1.01)
LEFT, SLOW = [left(dose) for dose in DOSES], [left(dose, 2.0) for dose in DOSES]
BOTH = [(0.0, 1.0, 1.0), *zip(DOSES, LEFT, SLOW, strict=True)]
ROWS, COLUMNS = "ABCDEFGH", range(1, 13)
ALONE, GLUE = {("", "", None): TRUTH_NM}, {("", "Glue", None): TRUTH_NM}
TWO = {("", "A", None): TRUTH_NM, ("", "B", None): 4.0 * TRUTH_NM}


def wells(value=lambda v: v, dose=lambda d: d):
    rows = [(0.0, v) for v in CONTROLS] + list(zip(DOSES, LEFT, strict=True))
    return [(dose(d), value(v)) for d, v in rows]


def pairs(curve):
    """Dose and what is left of the first or the second curve."""
    return [(row[0], row[curve]) for row in BOTH]


def light(v):
    return round(30000.0 * v)


def named(*others):
    """Raw light of a glue above a background of 3000, its vehicle, and wells under other names."""
    glue = [("Glue", d, light(v) + 3000) for d, v in zip(DOSES, LEFT, strict=True)]
    return text("compound,dose_uM,RLU", [*others, ("DMSO", 0.0, 33000), ("DMSO", 0.0, 33300), *glue])


def across(first, header, *curves):
    return "\n".join(",".join([name, *map(str, cells)]) for name, cells in ((first, header), *curves)) + "\n"


def shown(curve):
    return [f"{value:.4g}" for value in (1.0, *curve)]


def grid(title, cell, rows=8, columns=12):
    """A table drawn like a plate."""
    lines = [",".join([title, *map(str, range(1, columns + 1))])]
    letters = "ABCDEFGHIJKLMNOP"[:rows]
    lines += [",".join([letters[r], *(f"{cell(r, c)}" for c in range(columns))]) for r in range(rows)]
    return "\n".join(lines) + "\n\n"


def dose_at(c):
    """In uM: none in the first column, and threefold steps."""
    return 0.003 * 3.0**c if c else 0.0


def light_at(r, c):
    return (
        round(400 + 30000 * left(dose_at(c)) * (1.0 + 0.01 * ((7 * r + 3 * c) % 5 - 2)))
        if c < 11
        else 400 + r
    )


def name_at(c, name):
    return "Blank" if c == 11 else "DMSO" if c == 0 else name


MAP = grid("dose (uM)", lambda _, c: f"{dose_at(c):g}" if c < 11 else "")
NAMES = grid("compound", lambda _, c: name_at(c, "Glue"))
READ = grid("RLU", light_at)


def spaced(space):
    """Light with a space between thousands."""
    return text("dose_nM;RLU", wells(lambda v: f"{light(v):,}".replace(",", space), lambda d: 1e3 * d), ";")


RIGHT = {
    # Shapes.
    "doses across": (
        across("dose_uM", (0, *DOSES), ("rep1", shown(LEFT)), ("rep2", shown(LEFT))),
        ALONE,
    ),
    "doses with units across": (
        across("compound", [f"{1000 * d:g} nM" for d in (0, *DOSES)], ("A", shown(LEFT)), ("B", shown(SLOW))),
        TWO,
    ),
    "DMSO among doses across": (
        across("drug", ["DMSO", *(f"{d:g} uM" for d in DOSES)], ("A", shown(LEFT)), ("B", shown(SLOW))),
        TWO,
    ),
    "curves behind doses of their own": (
        text("Dose 1 (uM),A,Dose 2 (uM),B", [(d, v, 10.0 * d, left(10.0 * d, 2.0)) for d, v, _ in BOTH]),
        TWO,
    ),
    "the same under a line of names": (
        "A,,B,\n"
        + text("Dose (uM),Mean,Dose (uM),Mean", [(d, v, 10.0 * d, left(10.0 * d, 2.0)) for d, v, _ in BOTH]),
        {("", f"{name} Mean", None): value for (_, name, _), value in TWO.items()},
    ),
    "one name three times": (
        text(
            "Dose (uM),Viability (%),Viability (%),Viability (%)",
            [(d, 98 * v, 100 * v, 102 * v) for d, v, _ in BOTH],
        ),
        ALONE,
    ),
    "notes in a footer": (
        text("dose_uM,viability", wells()) + "\n* an outlier,\nmeans of three wells,\n",
        ALONE,
    ),
    "notes as wide as the table": (
        "User: NN,Path: C:\\BMG\nTest: CTG,Date: 30.11.2026\n" + text("dose_uM,viability", wells()),
        ALONE,
    ),
    # Numbers.
    **{f"thousands by U+{ord(space):04X}": (spaced(space), ALONE) for space in " \u00a0\u202f"},
    "points and commas together": (
        text(
            "dose_nM;RLU",
            wells(lambda v: f"{3e3 * v:_.1f}".replace(".", ",").replace("_", "."), lambda d: f"{1e3 * d:g}"),
            ";",
        ),
        ALONE,
    ),
    # Beside the curve.
    "raw beside normalised": (
        text(
            "dose_uM,raw 1,raw 2,norm 1,norm 2",
            [(d, 30000 * v, 31000 * v, 100 * v, 99 * v) for d, v, _ in BOTH],
        ),
        ALONE,
    ),
    "fitted values": (text("dose_uM,A,A fit,B,B fit", [(d, v, v, w, w) for d, v, w in BOTH]), TWO),
    "a potency": (
        text("dose_uM,viability,IC50 (uM)", [(d, v, "0.55" if d == 0.3 else "") for d, v in wells()]),
        ALONE,
    ),
    # Names.
    "a wavelength in nm": (text("dose_uM,OD 450 nm", wells(lambda v: 1.5 * v)), ALONE),
    "a wavelength in brackets": (text("dose_uM,Abs (450 nm)", wells(lambda v: 1.5 * v)), ALONE),
    "OD450": (text("dose_uM,OD450", wells(lambda v: 1.5 * v)), ALONE),
    "days in a header of its own": (
        text("days,dose_uM,viability", [(3.0, *row) for row in wells()]),
        {("", "", 72.0): TRUTH_NM},
    ),
    "weeks": (
        text("time (weeks),dose_uM,viability", [(1.0, *row) for row in wells()]),
        {("", "", 168.0): TRUTH_NM},
    ),
    "medium only": (named(("Medium only", 0.0, 3000), ("Medium only", 0.0, 3050)), GLUE),
    "no cells": (named(("no cells", "", 3000), ("no cells", "", 3050)), GLUE),
    "blank": (named(("Blank", 0.0, 3000), ("blank", 0.0, 3050)), GLUE),
    # Merged cells.
    "a compound above its rows": (
        text(
            "compound,dose_uM,viability",
            [(n if not d else "", d, v) for n, c in (("A", 1), ("B", 2)) for d, v in pairs(c)],
        ),
        TWO,
    ),
    "vehicle and compounds above their rows": (
        text(
            "compound,dose_uM,RLU",
            [("DMSO", 0.0, 30000), ("", 0.0, 30300), ("", 0.0, 29800)]
            + [
                (n if d == DOSES[0] else "", d, light(v))
                for n, c in (("A", 1), ("B", 2))
                for d, v in pairs(c)[1:]
            ],
        ),
        TWO,
    ),
    "a vehicle named once": (
        text(
            "compound,dose_uM,RLU",
            [("DMSO" if n == 0 else "", d, light(v)) for n, (d, v) in enumerate(wells())],
        ),
        ALONE,
    ),
    # Programs.
    "Harmony": (
        "Database Name\tX\nPlate Name\tP1\n\n[Data]\n"
        + text(
            "Row\tColumn\tTimepoint\tNuclei - Number of Objects\tCompound\tConcentration (uM)\tCell Count",
            [
                ("2", f"{i + 2}", "0", light(v), "Glue" if d else "DMSO", d, "")
                for i, (d, v) in enumerate(wells())
            ],
            "\t",
        ),
        GLUE,
    ),
    # Plates with their maps.
    "a map of names and doses in one": (
        READ + grid("layout", lambda _, c: name_at(c, f"Glue {dose_at(c):g} uM")),
        GLUE,
    ),
    "units in the cells of a map": (
        READ + NAMES + grid("dose", lambda _, c: "" if c == 11 else f"{1e3 * dose_at(c):g} nM" if c else "0"),
        GLUE,
    ),
    "two units in the cells of a map": (
        READ
        + NAMES
        + grid(
            "dose",
            lambda _, c: "" if c == 11 else f"{dose_at(c):g} uM" if c > 5 else f"{1e3 * dose_at(c):g} nM",
        ),
        GLUE,
    ),
    "hundreds with three decimals": (
        grid("RLU", lambda r, c: f"{light_at(r, c) / 300.0:.3f}" if c else "100.000") + NAMES + MAP,
        None,
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_another_shape_is_read_right(name, tmp_path):
    content, wanted = RIGHT[name]
    found, _ = analysed(content, tmp_path)
    if wanted is None:
        assert list(found) == [("", "Glue", None)]
    else:
        assert found == {key: pytest.approx(value, rel=NEAR) for key, value in wanted.items()}


REFUSED = {
    "a map of 96 wells on a plate of 384": (
        grid("RLU", lambda r, c: light_at(r // 2, c // 2), 16, 24) + MAP + NAMES,
        "GP-A042",
    ),
    "a map turned by half": (
        READ
        + grid("dose (uM)", lambda _, c: f"{dose_at(11 - c):g}" if c else "")
        + grid("compound", lambda _, c: name_at(11 - c, "Glue")),
        "GP-A164",
    ),
    "doses of a map in reverse": (
        READ + NAMES + grid("dose (uM)", lambda _, c: f"{dose_at(11 - c) if c else 0:g}" if c < 11 else ""),
        "GP-A204",
    ),
    "a map in two units": (
        READ + NAMES + grid("dose (uM)", lambda _, c: f"{1e3 * dose_at(c):g} nM" if 0 < c < 11 else ""),
        "GP-A206",
    ),
    "maps alone": (NAMES + MAP, "GP-A003"),
    "one name twice behind two doses": (
        text(
            "Dose (uM),Viability (%),Dose (uM),Viability (%)",
            [(d, 100 * v, 9 * d, 100 * w) for d, v, w in BOTH],
        ),
        "GP-A206",
    ),
    "doses without a unit across": (across("time_h", (0, *DOSES), ("24", shown(LEFT))), "GP-A0|GP-A1"),
    "no response": (text("dose_uM,passage", [(d, 7) for d, _ in wells()]), "GP-A012"),
    "log10 uM named log[M]": (
        text("log[M],viability", [(float(np.log10(d)), v) for d, v in zip(DOSES, LEFT, strict=True)]),
        "GP-A206",
    ),
    "log10 M named log[nM]": (
        text("log[nM],viability", [(float(np.log10(d)) - 6.0, v) for d, v in zip(DOSES, LEFT, strict=True)]),
        "GP-A206",
    ),
    "reciprocal doses": (
        text("dose_uM,viability", [(0.0, 1.0), *((1.0 / d, v) for d, v in zip(DOSES, LEFT, strict=True))]),
        "GP-A204",
    ),
    "an effect in per cent": (text("dose_uM,% effect", wells(lambda v: 100.0 * (1.0 - v))), "GP-A213"),
    "two drugs": (text("pom (uM),dex (nM),viability", [(d, 10.0 * d, v) for d, v in wells()]), "GP-A206"),
    "a stock beside each well": (
        text("conc (uM),viability,stock conc (uM),volume (uL)", [(d, v, 1e3 * d, 2.0) for d, v in wells()]),
        "GP-A206",
    ),
    "a summary below": (text("dose_uM,viability", wells()) + "IC50,0.55\n", "GP-A161"),
    "a value below a limit": (text("dose_uM,viability", [*wells()[:-1], (30.0, "<0.05")]), "GP-A161"),
    "a dose that became a date": (
        text("dose_uM,viability", wells(dose=lambda d: "3-Jan" if d == 3.0 else d)),
        "GP-A161",
    ),
    "all doses below zero": (text("dose_uM,viability", wells(dose=lambda d: -d)), "GP-A161"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_look_alike_is_refused_by_its_name(name, tmp_path):
    content, code = REFUSED[name]
    with pytest.raises(InputError, match=code):
        analysed(content, tmp_path)


WARNED = {
    "a reader at its end": (grid("RLU", lambda r, c: min(18000, light_at(r, c))) + MAP + NAMES, "GP-A250"),
    "a table cut off at five digits": (
        text("dose_uM,RLU", wells(lambda v: min(99999, round(250000 * v)))),
        "GP-A250",
    ),
    "one name for two curves": (
        text("Dose (uM),Viability (%),Viability (%)", [(d, 100 * v, 100 * w) for d, v, w in BOTH]),
        "GP-A223",
    ),
    "a table pasted twice": (text("dose_uM,viability", wells() + wells()), "GP-A224"),
    "one plate twice": (
        text(
            "well,dose_uM,RLU",
            [(f"A{n % 11 + 1}", d, light(v) + n) for n, (d, v) in enumerate(wells() + wells())],
        ),
        "GP-A224",
    ),
    "a dose that became a day": (
        text("dose_uM,viability", wells(dose=lambda d: 45325.0 if d == 3.0 else d)),
        "GP-A206",
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_may_be_something_else_is_warned_of(name, tmp_path):
    content, code = WARNED[name]
    _, findings = analysed(content, tmp_path)
    assert code in [one.code for one in findings if one.severity == "warning"]
