"""Numbers behind names: which are replicates, which are compounds, and which only the readings tell."""

from __future__ import annotations

import pytest

from glueprint.assays import growth
from glueprint.assays.intake import door

DOSES = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]
# Of every second compound the potency is a tenth.
TRUTH_NM = 80.0


def per_cent(dose, weak, wobble):
    return 100.0 * wobble / (1.0 + dose / (TRUTH_NM * (10.0 if weak else 1.0)))


def written(folder, names):
    rows = [
        [
            f"{dose:g}",
            *(f"{per_cent(dose, name.endswith('2'), 1.0 + 0.004 * i):.2f}" for i, name in enumerate(names)),
        ]
        for dose in [0.0, *DOSES]
    ]
    path = folder / "table.csv"
    path.write_text("\n".join(",".join(row) for row in [["Conc (nM)", *names], *rows]), "utf-8")
    return path


def potencies(path):
    result = growth.analyse(door.read(path).observations)
    rows = result.tables["potencies"].filter(result.tables["potencies"]["definition"] == "relative IC50")
    return dict(rows.select("compound", "value").rows()), [
        one for one in result.findings if one.code == "GP-A223"
    ]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["GLX-1", "GLX-1", "GLX-2", "GLX-2"], False),  # a name again is a replicate of it, number and all
        (["Cpd 1", "Cpd 1", "Cpd 2", "Cpd 2"], False),
        (["PROTAC 1", "PROTAC 2"], False),
        (["Example 1", "Example 2"], False),
        (["Cpd #1", "Cpd #2"], False),
        (["MGD 1", "MGD 2"], True),  # as replicates are written, and too far apart for them
        (["POM_1", "POM_2"], True),
    ],
)
def test_two_compounds_are_not_pooled(tmp_path, names, told):
    found, said = potencies(written(tmp_path, names))
    one, two = dict.fromkeys(names)
    assert found == {one: pytest.approx(TRUTH_NM, rel=0.05), two: pytest.approx(10 * TRUTH_NM, rel=0.1)}
    assert bool(said) == told
    if told:
        assert said[0].message.startswith(f"{one}, {two} are read as curves of their own")


@pytest.mark.parametrize("names", [["POM 1", "POM 3", "POM 4"], ["POM 1", "POM 1"], ["rep 1", "rep 3"]])
def test_replicates_stay_curves_that_agree(tmp_path, names):
    found, said = potencies(written(tmp_path, names))
    assert list(found.values()) == pytest.approx([TRUTH_NM] * len(found), rel=0.05)
    assert said == []


@pytest.mark.parametrize(
    ("header", "last"),
    [
        ("nM,DMSO,{},PC", "900,910"),
        ("Conc (nM),DMSO,{},Blank", "0,0"),
        ("Compound,DMSO,{} nM,Blank", "0,0"),
    ],
)
def test_controls_stand_beside_doses_that_run_across(tmp_path, header, last):
    across = (" nM," if "{} nM" in header else ",").join(f"{dose:g}" for dose in DOSES)
    readings = [f"{500 * per_cent(dose, False, 1.0):.0f}" for dose in DOSES]
    lines = [",".join(["GLX", "50000", *readings, end]) for end in last.split(",")]
    path = tmp_path / "across.csv"
    path.write_text("\n".join([header.format(across), *lines]), "utf-8")
    found, _ = potencies(path)
    assert found == {"GLX": pytest.approx(TRUTH_NM, rel=0.05)}
