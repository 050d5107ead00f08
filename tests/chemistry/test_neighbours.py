"""Neighbours in the evidence, and what is said by analogy: an interval, never a measurement."""

from __future__ import annotations

import math

import pytest
from scipy.stats import t as student_t
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import evidence
from glueprint.chemistry import neighbours, structures
from glueprint.cli.compound import app
from glueprint.errors import InputError
from glueprint.mechanism import compounds

OWN = "O=C1CCC(N2C(=O)c3cccc(O)c3C2=O)C(=O)N1"
N_METHYL = "CN1C(=O)CCC(N2C(=O)c3cccc(N)c3C2=O)C1=O"


def test_values_are_the_geometric_mean_of_evidence_rows():
    known = evidence.load()
    found = {one.structure.name: one.potencies for one in neighbours.nearest(structures.from_smiles(OWN), 40)}
    affinity = next(p for p in found["pomalidomide"] if p.endpoint == "crbn_affinity")
    assert affinity.claim_ids == ("BIN-001", "BIN-002", "BIN-004")
    assert affinity.value_nm == pytest.approx((264.0 * 156.6 * 3000.0) ** (1 / 3))
    assert (affinity.low_nm, affinity.high_nm) == (156.6, 3000.0)
    for potencies in found.values():
        assert all(claim_id in known for p in potencies for claim_id in p.claim_ids)


def test_leave_one_out_by_hand():
    errors = {(one.endpoint, one.compound): one for one in neighbours.leave_one_out()}
    assert len(errors) == 5
    pomalidomide = (264.0 * 156.6 * 3000.0) ** (1 / 3)
    assert errors["crbn_affinity", "lenalidomide"].error_log10 == pytest.approx(
        math.log10(pomalidomide / 3000)
    )
    assert errors["crbn_affinity", "pomalidomide"].error_log10 == pytest.approx(
        math.log10(3000 / pomalidomide)
    )
    tnf = math.sqrt(13.0 * 25.0)
    assert errors["tnf_ic50", "4-nitrothalidomide"].error_log10 == pytest.approx(math.log10(tnf / 580))
    assert errors["tnf_ic50", "lenalidomide"].error_log10 == pytest.approx(math.log10(tnf / 13))


def test_the_interval_is_t_times_the_error():
    affinity, tnf = neighbours.by_analogy(structures.from_smiles(OWN))
    assert (affinity.label, affinity.neighbour) == ("by analogy", "pomalidomide")
    rms = math.sqrt(sum(one.error_log10**2 for one in neighbours.leave_one_out()) / 5)
    half = student_t.ppf(0.975, 5) * rms * math.sqrt(1.2)
    assert math.log10(affinity.high_nm / affinity.value_nm) == pytest.approx(half)
    assert math.log10(affinity.value_nm / affinity.low_nm) == pytest.approx(half)
    assert affinity.sd_log10 == pytest.approx(half / 1.959964, rel=1e-6)
    assert affinity.sd_log10 > 1.0
    # Every value of the evidence lies in the interval that the others give it.
    assert all(abs(one.error_log10) < half for one in neighbours.leave_one_out())
    assert tnf.neighbour == "pomalidomide"


def test_the_substance_itself_is_no_neighbour_whatever_way_it_is_drawn():
    for drawn in ("Nc1cccc2c1C(=O)N(C1CCC(=O)N=C1O)C2=O", "Nc1cccc2c1C(=O)N([C@H]1CCC(=O)NC1=O)C2=O"):
        found = neighbours.nearest(structures.from_smiles(drawn), 40)
        assert "pomalidomide" not in {one.structure.name for one in found}
        assert all(
            one.neighbour != "pomalidomide" for one in neighbours.by_analogy(structures.from_smiles(drawn))
        )


def test_neighbours_come_by_similarity_with_their_change():
    found = neighbours.nearest(structures.load("pomalidomide"), 3)
    assert [one.similarity for one in found] == sorted((one.similarity for one in found), reverse=True)
    assert found[0].structure.name == "thalidomide"
    assert [(change.lost, change.gained) for change in found[0].changes] == [("H", "NH2")]
    assert all(0.0 <= one.similarity <= 1.0 for one in found)


@pytest.mark.parametrize(
    ("smiles", "word"),
    [("O=C1CCC(c2ccccc2)C(=O)N1", "nearer than 0.62"), (N_METHYL, "unlikely"), ("CCO", "unlikely")],
)
def test_too_far_off_or_no_binder_has_no_interval_and_no_prior(smiles, word):
    for analogy in neighbours.by_analogy(structures.from_smiles(smiles)):
        assert (analogy.low_nm, analogy.high_nm, analogy.sd_log10) == (None, None, None)
        assert word in analogy.remark
        with pytest.raises(InputError, match="GP-H024"):
            neighbours.prior_line(analogy)


def test_a_property_without_a_field_is_no_prior():
    tnf = neighbours.by_analogy(structures.from_smiles(OWN))[1]
    with pytest.raises(InputError, match="GP-H024"):
        neighbours.prior_line(tnf)


def test_the_prior_line_loads_in_a_dossier_and_is_no_measurement(tmp_path):
    line = neighbours.prior_line(neighbours.by_analogy(structures.from_smiles(OWN))[0])
    lines = compounds.source("lenalidomide").splitlines()
    path = tmp_path / "mine.toml"
    path.write_text("\n".join(line if row.startswith("kd_nm") else row for row in lines), encoding="utf-8")
    found = compounds.load(str(path)).pharmacology.kd_nm
    assert found.role == "assumed"
    assert found.prior.sd_log10 > 1.0
    assert "by analogy with pomalidomide" in found.why
    assert "not measured" in found.why


def test_the_command_shows_neighbours_label_error_and_prior():
    result = CliRunner().invoke(app, ["neighbours", OWN], env={"COLUMNS": "400"})
    assert result.exit_code == 0
    for word in ("by analogy", "pomalidomide", "BIN-001", "log10 error", "kd_nm = {", "teratogen"):
        assert word in result.output
    said = payload(CliRunner().invoke(app, ["neighbours", OWN, "--json", "--count", "2"]).output)
    assert len(said["neighbours"]) == 2
    assert {one["label"] for one in said["by_analogy"]} == {"by analogy"}
    assert len(said["leave_one_out"]) == 5
