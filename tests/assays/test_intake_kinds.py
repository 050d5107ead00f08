"""The bar of the intake, third part: what a header says of its numbers beyond name and unit."""

from __future__ import annotations

import pytest
from tests.assays.disguises import NEAR, TRUTH_NM, analysed, text
from tests.assays.test_intake_disguises import (
    ALONE,
    DOSES,
    LEFT,
    SLOW,
    TIMES,
    TWO,
    light,
    log_m,
    treated,
    wells,
)
from tests.assays.test_plate_disguises import plate

from glueprint.assays import elisa
from glueprint.errors import InputError

BOTH = [(0.0, 1.0, 1.0), *zip(DOSES, LEFT, SLOW, strict=True)]


def lost(share):
    return 100.0 - 100.0 * share


def both(header, one=lambda v: v, other=None):
    return text(header, [(d, one(v), (other or one)(w)) for d, v, w in BOTH])


def of(*names):
    return dict(zip([("", name, None) for name in names], (TRUTH_NM, 4.0 * TRUTH_NM), strict=True))


RIGHT = {
    # Curves and their response in one header, or the response in a title over all.
    "a response before the curves": (both("dose_uM,% Inhibition A,% Inhibition B", lost), TWO),
    "a response behind the curves": (
        both("dose_uM,A viability (%),B viability (%)", lambda v: 100.0 * v),
        TWO,
    ),
    "a response in brackets": (both("dose_uM,A (% inhibition),B (% inhibition)", lost), TWO),
    "a signal before the curves": (both("dose_uM,RLU A,RLU B", light), TWO),
    "lines behind the response": (
        both("dose_uM,Viability MM.1S,Viability OPM-2"),
        of("MM.1S", "OPM-2"),
    ),
    "a mean with its error": (
        text(
            "dose_uM,A viability mean,A viability SEM,B viability mean,B viability SEM",
            [(d, v, 0.02, w, 0.02) for d, v, w in BOTH],
        ),
        TWO,
    ),
    "a title over replicates": (
        "% Inhibition,,\n" + text("dose_uM,rep1,rep2", [(d, lost(v), lost(v)) for d, v in wells()]),
        ALONE,
    ),
    "a title over compounds": ("Inhibition (%),,\n,,\n" + both("dose_uM,A,B", lost), TWO),
    # Units and doses.
    "a unit alone": (both("nM,A,B").replace("nM", "uM"), TWO),
    "a unit per litre": (text("Conc (nmol L-1),viability", [(1e3 * d, v) for d, v in wells()]), ALONE),
    "a unit with a raised minus": (
        text("Conc (µmol·L⁻¹),viability", wells()),
        ALONE,
    ),
    "final behind the unit": (text("conc. uM (final),viability", wells()), ALONE),
    "a hyphen for no dose": (
        "compound,dose_uM,viability\nDMSO,-,1.01\nDMSO,-,0.99\n"
        + "".join(f"Glue,{d},{v}\n" for d, v in treated()),
        {("", "Glue", None): TRUTH_NM},
    ),
    "a compound with a number": (text("EX527 (uM),viability", wells()), ALONE),
    # Curves beside and below each other.
    "doses named for their compounds": (
        text("A (uM),Viability (%),B (uM),Viability (%)", [(d, 1e2 * v, d, 1e2 * w) for d, v, w in BOTH]),
        TWO,
    ),
    "tables below each other": (
        "A,\n"
        + text("Dose (uM),Viability", [b[:2] for b in BOTH])
        + "\nB,\n"
        + text("Dose (uM),Viability", [b[::2] for b in BOTH]),
        TWO,
    ),
    "times below each other": (
        "24 h,\n"
        + text("Dose (uM),Viability", [b[:2] for b in BOTH])
        + "48 h,\n"
        + text("Dose (uM),Viability", [b[::2] for b in BOTH]),
        TIMES,
    ),
    "labels below each other": (
        "Cell line: A,\n"
        + text("Dose (uM),Viability", [b[:2] for b in BOTH])
        + "Cell line: B,\n"
        + text("Dose (uM),Viability", [b[::2] for b in BOTH]),
        {("A", "", None): TRUTH_NM, ("B", "", None): 4.0 * TRUTH_NM},
    ),
    "replicates as Prism names them": (
        text("Dose (uM),A:Y1,A:Y2,B:Y1,B:Y2", [(d, v, v, w, w) for d, v, w in BOTH]),
        TWO,
    ),
    # Doses in names, kinds as compounds, counts beside their controls.
    "doses in the names": (
        text("Sample,RLU", [("DMSO" if not d else f"Glue {d:g} µM", light(v)) for d, v, _ in BOTH]),
        {("", "Glue", None): TRUTH_NM},
    ),
    "doses and replicates in the names": (
        text(
            "Sample,RLU",
            [(f"{f'Glue_{d:g}uM' if d else 'DMSO'} rep {n}", light(v)) for n in (1, 2) for d, v, _ in BOTH],
        ),
        {("", "Glue", None): TRUTH_NM},
    ),
    "kinds of wells": (
        text(
            "Content,Dose_uM,RLU",
            [("Glue" if d else "DMSO", d, 900.0 + light(v)) for d, v in wells()] + [("Blank", "", 900.0)] * 2,
        ),
        {("", "Glue", None): TRUTH_NM},
    ),
    "positive controls": (
        text(
            "well_type,Dose_uM,RLU",
            [("sample" if d else "neg_ctrl", d, light(v)) for d, v in wells()]
            + [("pos_ctrl", 0.0, 300.0)] * 2,
        ),
        ALONE,
    ),
    "counts beside the control": (
        text(
            "cell_line,agent,concentration_uM,cell_count,cell_count__ctrl,cell_count__time0",
            [("L", "Glue", d, 3e3 * v, 3e3, 7e2) for d, v, _ in BOTH[1:]],
        ),
        {("L", "Glue", None): TRUTH_NM},
    ),
    # Other languages, other separators.
    "German": (
        text(
            "Zelllinie;Substanz;Zeit (h);Konzentration (µM);Hemmung (%)",
            [
                ("L", "Glue", "72", f"{d:g}".replace(".", ","), f"{lost(v):.3f}".replace(".", ","))
                for d, v, _ in BOTH
            ],
            ";",
        ),
        {("L", "Glue", 72.0): TRUTH_NM},
    ),
    "French": (text("Concentration (µM),Viabilité", wells()), ALONE),
    "Spanish": (text("Concentración (µM),Viabilidad", wells()), ALONE),
    "pipes": (text("Dose (uM)|Viability", wells(), "|"), ALONE),
    "columns of a printout": (text("Dose_uM   Viability", wells(), "   "), ALONE),
    "a time and the response": (both("dose_uM,24 h viability,48 h viability"), TIMES),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_headers_say_is_read(name, tmp_path):
    content, wanted = RIGHT[name]
    found, _ = analysed(content, tmp_path)
    assert found == {key: pytest.approx(value, rel=NEAR) for key, value in wanted.items()}


REFUSED = {
    "a stock": (text("Stock (uM),viability", wells()), "GP-A206"),
    "a source plate": (text("Source conc (uM),viability", wells()), "GP-A206"),
    "an intermediate dilution": (text("intermediate conc (uM),viability", wells()), "GP-A206"),
    "twice the concentration": (text("2x conc (uM),viability", wells()), "GP-A206"),
    "tenfold": (text("Conc (uM) x 10,viability", wells()), "GP-A206"),
    "a power of ten": (text("Conc (x10^-6 M),viability", wells()), "GP-A206"),
    "a root": (text("sqrt dose (uM),viability", wells(dose=lambda d: d**0.5)), "GP-A206"),
    "an inverse": (text("1/dose (uM),viability", treated(dose=lambda d: 1.0 / d)), "GP-A206"),
    "a title that contradicts": ("Viability (%),,\n" + both("dose_uM,A,B", lost), "GP-A204"),
    "two responses side by side": (
        both("dose_uM,A viability (%),B inhibition (%)", lambda v: 100.0 * v, lost),
        "GP-A213",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_headers_forbid_is_refused(name, tmp_path):
    content, code = REFUSED[name]
    with pytest.raises(InputError, match=code):
        analysed(content, tmp_path)


def of_replicates(one, other, header="replicate,dose_uM,viability"):
    return text(header, [("1", *row) for row in one] + [("2", *row) for row in other])


WARNED = {
    "a replicate in reverse": (
        of_replicates([(d, v) for d, v, _ in BOTH], zip(DOSES, LEFT[::-1], strict=True)),
        "GP-A223",
    ),
    "replicates on two levels": (
        text("dose_uM,RLU 1,RLU 2", [(d, light(v), 3 * light(v)) for d, v, _ in BOTH]),
        "GP-A223",
    ),
    "controls of two kinds": (
        text(
            "note,Dose_uM,RLU",
            [("" if d else "ok", d, light(v)) for d, v in wells()] + [("bortezomib", 0.0, 300.0)] * 2,
        ),
        "GP-A221",
    ),
    "minutes as hours": (text("time_h,dose_uM,viability", wells(labels=(720.0,))), "GP-A207"),
    "a start on another scale": (
        text("signal_at_zero,dose_uM,signal", wells(light, labels=(0.25,))),
        "GP-A170",
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_is_odd_is_told(name, tmp_path):
    content, code = WARNED[name]
    _, findings = analysed(content, tmp_path)
    assert code in {one.code for one in findings if one.severity != "note"}


def test_logarithms_and_amounts_are_not_mixed_up(tmp_path):
    found, _ = analysed(text("Conc (-log M),viability", [(-log_m(d), v) for d, v in treated()]), tmp_path)
    assert found == {key: pytest.approx(value, rel=NEAR) for key, value in ALONE.items()}


@pytest.mark.parametrize("said", ["1:9", "1:1", "1:99"])
def test_a_dilution_that_may_be_two_is_refused(said, tmp_path):
    path = tmp_path / "plate.csv"
    path.write_text(plate(dilution=said))
    with pytest.raises(InputError, match="parts") as caught:
        elisa.read(path)
    assert caught.value.code == "GP-A210"


@pytest.mark.parametrize("said", ["1:10", "1/10", "1 + 9", "10"])
def test_a_dilution_is_read_as_its_factor(said, tmp_path):
    path = tmp_path / "plate.csv"
    path.write_text(plate(dilution=said))
    samples = elisa.analyse(elisa.read(path)).tables["samples"]
    assert samples.filter(samples["sample"] == "s")["result"][0] == pytest.approx(200.0, rel=0.02)
