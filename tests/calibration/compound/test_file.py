"""The compound file that a fit writes."""

from __future__ import annotations

import pytest

from glueprint.calibration import compound
from glueprint.errors import NotSupportedError
from glueprint.mechanism import compounds

REFERENCE = compounds.load("pomalidomide")


@pytest.fixture
def glue(same):
    return compound.compound_of(
        same,
        structure=REFERENCE.structure,
        pk=REFERENCE.pk,
        fraction_unbound=REFERENCE.pharmacology.fraction_unbound,
    )


def reread(found, tmp_path):
    path = tmp_path / "glue.toml"
    path.write_text(compound.compound_text(found), "utf-8")
    return compounds.load(path)


def test_the_file_of_a_fit_reads_back_to_the_same_compound(glue, tmp_path):
    again = reread(glue, tmp_path)
    assert again == glue
    assert again.digest == glue.digest


@pytest.mark.parametrize("name", compounds.names())
def test_every_compound_reads_back(name, tmp_path):
    found = compounds.load(name)
    assert reread(found, tmp_path).digest == found.digest


def test_numbers_are_measured_and_say_by_which_assays(glue):
    kd, efficacy = glue.kd(), glue.efficacy("IKZF1")
    assert kd.role == efficacy.role == "measured"
    for word in ("ki (fp, fp 1)", "rate_ec50 (degradation, degradation 1)", "against pomalidomide"):
        assert word in kd.why
    assert "rate_max_over_k_deg" in efficacy.why


def test_the_affinity_stands_on_the_scale_of_the_references_file(glue):
    assert glue.kd().typical == pytest.approx(REFERENCE.kd().typical, rel=0.05)
    assert glue.kd().prior.sd_log10 > REFERENCE.kd().prior.sd_log10


def test_without_a_reference_the_file_says_so(plates, tmp_path):
    found = plates(reference=False, parts=("fp",)).fit()
    glue = compound.compound_of(found, structure=REFERENCE.structure)
    assert "without a reference" in glue.kd().why
    assert "nothing measured speaks of it directly" in glue.efficacy("IKZF1").why
    assert reread(glue, tmp_path).digest == glue.digest


def test_without_pharmacokinetics_there_is_no_trial(same):
    glue = compound.compound_of(same, structure=REFERENCE.structure)
    with pytest.raises(NotSupportedError, match="GP-M005"):
        glue.trial_quantities({})


def test_words_with_quotes_and_controls_are_kept(glue, tmp_path):
    why = 'a "quoted" \\ word,\ttab and \x7f'
    odd = glue.kd().model_copy(update={"why": why})
    changed = glue.model_copy(update={"pharmacology": glue.pharmacology.model_copy(update={"kd_nm": odd})})
    assert reread(changed, tmp_path).kd().why == why
