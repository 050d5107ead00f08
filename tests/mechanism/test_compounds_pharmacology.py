"""What a compound file says of forms, efficacies, ternary complexes and stability."""

from __future__ import annotations

import math
import re
import tomllib

import pytest

from glueprint import evidence
from glueprint.chemistry import stability, structures
from glueprint.errors import InputError, NotSupportedError
from glueprint.mechanism import Compound, cards, compounds, parameters, substrates

CAPACITIES = {
    pair: parameters.system()[f"{pair}_capacity"][1] for pair in substrates.pairs(substrates.rows())
}
NUMBER = 'unit = "dimensionless", role = "assumed", why = "mine" }'


def test_the_racemate_is_the_mean_of_the_affinities_of_its_halves():
    racemate = compounds.load("pomalidomide")
    s, r = racemate.enantiomer("S").kd().typical, racemate.enantiomer("R").kd().typical
    assert r == pytest.approx(10.0 * s)
    assert 1.0 / racemate.kd().typical == pytest.approx(0.5 / s + 0.5 / r)
    assert s == pytest.approx(145.2)


@pytest.mark.parametrize("form", ["S", "R"])
def test_forms_convert_there_and_back(form):
    there = compounds.load(f"({form})-pomalidomide")
    assert there == compounds.load(f"{form}-pomalidomide")
    assert there.name == f"({form})-pomalidomide"
    assert there.pharmacology.form == form
    back = there.enantiomer("racemate")
    assert back.name == "pomalidomide"
    assert back.kd().typical == pytest.approx(264.0)


def test_a_converted_affinity_says_what_it_rests_on():
    kd = compounds.load("(S)-pomalidomide").kd()
    assert kd.role == "assumed"
    assert kd.evidence == ("BIN-001", "BIN-006")
    assert "10" in kd.why


def test_pharmacokinetics_stay_with_the_form_measured():
    with pytest.raises(NotSupportedError, match="GP-M005"):
        compounds.load("(S)-pomalidomide").trial_quantities({})


def test_iberdomide_is_measured_as_the_s_enantiomer():
    assert compounds.load("iberdomide").enantiomer("S") == compounds.load("iberdomide")
    assert compounds.load("iberdomide").enantiomer("R").kd().typical == pytest.approx(264.0)


def test_a_form_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match=r'GP-M013 compound pomalidomide: "rac" is no form .*"racemate"'):
        compounds.load("pomalidomide").enantiomer("rac")


def test_lenalidomides_efficacy_follows_from_the_loss_that_was_seen():
    # DEG-004: 90.4 % at 10 uM; DRV-001: 21.3.
    lenalidomide = compounds.load("lenalidomide")
    occupancy = 1e4 / (1e4 + lenalidomide.kd().typical)
    rho = 0.904 / 0.096 / occupancy
    assert lenalidomide.efficacy("IKZF1").typical == pytest.approx(rho / 21.3, rel=2e-3)
    assert lenalidomide.rho("IKZF1", "myeloma", 21.3) == pytest.approx(rho, rel=2e-3)


def test_avadomide_is_ten_times_lenalidomide_at_low_dose():
    potency = {
        name: compounds.load(name).efficacy("IKZF1").typical / compounds.load(name).kd().typical
        for name in ("avadomide", "lenalidomide")
    }
    assert potency["avadomide"] / potency["lenalidomide"] == pytest.approx(10.0, rel=0.01)


@pytest.mark.parametrize(("compound", "name"), [("iberdomide", "pomalidomide")])
def test_iberdomide_is_ten_times_pomalidomide_at_low_dose(compound, name):
    potency = [
        compounds.load(n).efficacy("IKZF3").typical / compounds.load(n).kd().typical for n in (compound, name)
    ]
    assert potency[0] / potency[1] == pytest.approx(10.0)


def test_cooperativities_are_the_ratios_of_their_dissociation_constants():
    intrinsic, alpha = compounds.load("pomalidomide").ternary_constants("IKZF1")
    assert intrinsic.typical == pytest.approx(math.sqrt(223 * 285), rel=2e-3)
    assert alpha.typical == pytest.approx(math.sqrt(3.3 * 5.4), rel=0.01)
    intrinsic, alpha = compounds.load("lenalidomide").ternary_constants("CK1alpha")
    assert intrinsic.typical / alpha.typical == pytest.approx(75.0, rel=0.01)


def test_an_intrinsic_affinity_left_out_is_that_of_the_evidence(own):
    glue = own(f"[pharmacology.cooperativity]\nIKZF1 = {{ typical = 9.0, {NUMBER}")
    intrinsic, alpha = glue.ternary_constants("IKZF1")
    assert (intrinsic.typical, alpha.typical) == (252.0, 9.0)


def test_a_cooperativity_is_never_borrowed(own):
    with pytest.raises(NotSupportedError, match=r"GP-M011 .*pharmacology\.cooperativity\.IKZF1"):
        own().ternary_constants("IKZF1")


def test_rho_given_directly_wins(own):
    glue = own(
        f"[pharmacology.efficacy]\nIKZF1 = {{ typical = 2.0, {NUMBER}\n"
        f"[pharmacology.rho]\nikzf1_myeloma = {{ typical = 5.0, {NUMBER}"
    )
    assert glue.rho("IKZF1", "myeloma", 21.3) == 5.0
    assert glue.rho("IKZF1", "rpmi8226", 7.2) == pytest.approx(14.4)


def test_structure_alone_loads_and_says_what_it_lacks(own):
    glue = own()
    assert glue.pharmacology.form == "racemate"
    with pytest.raises(NotSupportedError, match=r"GP-M011 .*pharmacology\.kd_nm"):
        glue.kd()
    with pytest.raises(NotSupportedError, match=r"GP-M011 .*pharmacology\.efficacy\.GSPT1"):
        glue.rho("GSPT1", "myeloma", 21.3)


def test_a_racemate_without_a_ratio_cannot_be_parted(own):
    glue = own('[pharmacology]\nkd_nm = { typical = 50.0, unit = "nM", role = "assumed", why = "mine" }')
    with pytest.raises(NotSupportedError, match=r"GP-M011 .*pharmacology\.eudismic_ratio"):
        glue.enantiomer("S")


def test_a_substrate_outside_the_model_is_refused_with_the_nearest():
    with pytest.raises(
        InputError, match=r'GP-M014 compound pomalidomide: "IKZF2" is no substrate .*did you mean "IKZF'
    ):
        compounds.load("pomalidomide").efficacy("IKZF2")


def test_a_trial_takes_rho_from_capacity_and_efficacy():
    glue = compounds.load("pomalidomide")
    half = glue.efficacy("IKZF1").model_copy(update={"typical": 0.5, "role": "measured", "why": "mine"})
    efficacy = {**glue.pharmacology.efficacy, "IKZF1": half}
    glue = glue.model_copy(
        update={"pharmacology": glue.pharmacology.model_copy(update={"efficacy": efficacy})}
    )
    rho = glue.trial_quantities(CAPACITIES)
    assert rho["ikzf1_tcell_rho"].typical == pytest.approx(0.5 * 21.3)
    assert rho["ikzf3_tcell_rho"].typical == pytest.approx(21.3)
    assert rho["ikzf1_tcell_rho"].role == "measured"
    assert rho["ikzf1_tcell_rho"].why.startswith("capacity 21.3 x efficacy 0.5")


def test_stability_is_that_of_the_chemistry_room():
    # Both read the same claims; the numbers here are rounded to three digits.
    for name, medium in stability.available():
        here, there = compounds.load(name).in_medium(medium), stability.rates(name, medium)
        assert here.inversion_s_to_r_per_h.typical == pytest.approx(there.s_to_r.per_h, rel=2e-3)
        assert here.inversion_r_to_s_per_h.typical == pytest.approx(there.r_to_s.per_h, rel=2e-3)
        assert here.hydrolysis_per_h.typical == pytest.approx(there.s_loss.per_h, rel=2e-3)
        assert here.hydrolysis_per_h.role == there.s_loss.role


def test_a_medium_without_numbers_is_refused():
    with pytest.raises(NotSupportedError, match=r'GP-M012 .*"buffer".*\nExpected .*plasma'):
        compounds.load("lenalidomide").in_medium("buffer")


@pytest.mark.parametrize("name", compounds.names())
def test_structures_are_those_of_the_chemistry_room(name):
    assert (
        structures.from_smiles(compounds.load(name).structure.smiles, where="file").inchikey
        == structures.load(name).inchikey
    )


def filled(text=""):
    """The template as one fills it in, with its commented sections or without."""
    return (text or compounds.template()).replace("EXAMPLE ", "ours: ")


def test_the_template_is_refused_until_its_examples_are_ones_own(tmp_path):
    path, text = tmp_path / "my-compound.toml", compounds.template()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="GP-M080") as caught:
        compounds.load(path)
    examples = Compound.model_validate(tomllib.loads(text)).quantities()
    assert len(examples) > 8
    for field, quantity in examples.items():
        assert f"{field}: {quantity.typical:g} {quantity.unit} is the template's example" in str(caught.value)
    path.write_text(filled(), encoding="utf-8")
    glue = compounds.load(path)
    assert glue.name == "my-compound"
    assert glue.quantities().keys() == examples.keys()
    assert glue.rho("IKZF1", "myeloma", 21.3) == pytest.approx(21.3)
    assert glue.enantiomer("S").kd().typical == pytest.approx(145.2)


def test_the_commented_parts_of_the_template_are_right(tmp_path):
    text = compounds.template().partition("# Pharmacokinetics")[0]
    text = re.sub(r"(?m)^# (?=\[|\w+ = [{\"])", "", text)
    text = text.replace('inchikey = "..."', "").replace('"IKZF3"]', '"IKZF3", "ZNF692"]')
    path = tmp_path / "my-compound.toml"
    path.write_text(filled(text), encoding="utf-8")
    glue = compounds.load(path)
    assert glue.substrates["ZNF692"].cells["myeloma"].capacity.typical == 10.0
    assert {"substrates.ZNF692.intrinsic_kd_nm", "pharmacology.rho.ikzf1_myeloma"} <= set(glue.quantities())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kd_nm =", "kd_nM =", r'pharmacology\.kd_nM: is not known \(did you mean "kd_nm"'),
        ("[stability.serum]", "[stabilty.serum]", r'stabilty: is not known \(did you mean "stability"'),
        ("[structure]", "[structur]", r"structure: is missing\. Also: structur: is not known"),
        ("[stability.serum]", "[stability.sera]", r"did you mean \"serum\"\?\)\nExpected 'buffer', 'serum'"),
        (
            'form = "racemate"',
            'form = "rac"',
            r"form: 'rac' cannot be used .*\nExpected 'racemate', 'S' or 'R'",
        ),
        (
            '264.0, unit = "nM"',
            '0.264, unit = "uM"',
            r'kd_nm: unit "uM" does not fit .*\nExpected unit = "nM"',
        ),
        (
            "typical = 264.0",
            "typical = -264.0",
            r"kd_nm: -264\.0 is not .*\nExpected a finite number above zero",
        ),
        ("typical = 264.0", "typical = nan", r"kd_nm: nan is not a positive number"),
        ("typical = 264.0", "typical = inf", r"kd_nm: inf is not a positive number"),
        ("typical = 0.7", "typical = 7.0", r"fraction_unbound: 7\.0 is no fraction\nExpected .* at most 1"),
        ("IKZF3 = { typical = 1.0", "IKZF3 = { typical = -1.0", r"efficacy: IKZF3: -1\.0 is not .* or zero"),
    ],
)
def test_a_bad_file_is_told_its_field_and_what_is_allowed(tmp_path, old, new, told):
    text = filled()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=rf"GP-M004 .*mine\.toml, .*{told}"):
        compounds.load(path)


@pytest.mark.parametrize("name", compounds.names())
def test_every_number_says_what_is_believed_of_it(name):
    without = [field for field, q in compounds.load(name).quantities().items() if q.prior is None]
    assert without == []


def test_what_a_file_is_enough_for_grows_with_it(own):
    kd = '[pharmacology]\nkd_nm = { typical = 50.0, unit = "nM", role = "assumed", why = "mine" }\n'
    assert cards.missing(own())["binding"] == ("pharmacology.kd_nm",)
    assert cards.missing(own(kd))["binding"] == ()
    assert cards.missing(own(kd))["degradation"] == (
        "pharmacology.efficacy.IKZF1",
        "pharmacology.efficacy.IKZF3",
    )
    efficacies = "".join(f"{name} = {{ typical = 2.0, {NUMBER}\n" for name in ("IKZF1", "IKZF3"))
    both = own(f"{kd}[pharmacology.efficacy]\n{efficacies}")
    assert cards.missing(both)["degradation"] == ()
    assert cards.missing(both)["trial"] == (
        "pharmacology.fraction_unbound",
        "pk",
    )


def test_a_file_of_the_first_kind_means_what_it_meant(own):
    rho = "".join(f"{pair} = {{ typical = 5.0, {NUMBER}\n" for pair in CAPACITIES)
    glue = own(
        '[pharmacology]\ndegrades = ["IKZF1"]\n'
        'kd_nm = { typical = 50.0, unit = "nM", role = "assumed", why = "mine" }\n'
        f"fraction_unbound = {{ typical = 0.5, {NUMBER}\n[pharmacology.rho]\n{rho}"
    ).model_copy(update={"pk": compounds.load("pomalidomide").pk})
    found = glue.trial_quantities(CAPACITIES)
    assert {found[f"{pair}_rho"].typical for pair in CAPACITIES} == {5.0}
    assert cards.missing(glue)["degradation"] == ()


def test_avadomides_pharmacokinetics_are_those_of_a_man_with_myeloma():
    # GLU003 and GLU007, GLU004 and GLU008: healthy men, times the effect of the disease. GLU017: 631 ng*h/mL.
    pk = compounds.load("avadomide").pk
    assert pk.clearance_l_per_h.typical == pytest.approx(3.63 * 1.309, rel=1e-3)
    assert pk.central_l.typical == pytest.approx(36.2 * 1.682, rel=1e-3)
    assert 3000.0 / pk.clearance_l_per_h.typical == pytest.approx(631.0, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("avadomide", {"pharmacology.fraction_unbound"}),
        ("iberdomide", {"pharmacology.fraction_unbound", "pk"}),
        ("lenalidomide", set()),
    ],
)
def test_what_a_trial_lacks_is_said(name, lacking):
    assert set(cards.missing(compounds.load(name))["trial"]) == lacking


@pytest.mark.parametrize("name", ["avadomide", "iberdomide", "lenalidomide", "mezigdomide", "thalidomide"])
def test_what_was_not_seen_is_assumed_and_says_why(name):
    known = evidence.load()
    for field, quantity in compounds.load(name).quantities().items():
        assert quantity.why or quantity.role != "assumed", field
        assert all(known.parts(claim) for claim in quantity.evidence), field
        # A number read as it is stands on claims that may go into the model.
        if field.startswith("pk.") and quantity.role == "input":
            assert known[quantity.evidence[0]].role == "input", field


def _one_dose_ng_per_ml(pk, dose_mg, time_h):
    """Bateman's function: one compartment, first-order absorption."""
    k = pk.clearance_l_per_h.typical / pk.central_l.typical
    ka = pk.absorption_per_h.typical
    scale = 1000.0 * dose_mg / pk.central_l.typical * ka / (ka - k)
    return scale * (math.exp(-k * time_h) - math.exp(-ka * time_h))


def test_lenalidomides_area_agrees_with_the_limited_sampling_of_other_patients():
    # GLU053: AUC = 13.0 C8h + 1305, from 46 patients who are not those of the model.
    pk = compounds.load("lenalidomide").pk
    predicted = 13.0 * _one_dose_ng_per_ml(pk, 25.0, 8.0) + 1305.0
    assert predicted == pytest.approx(25_000.0 / pk.clearance_l_per_h.typical, rel=0.02)


def test_lenalidomides_prior_holds_the_conflict_of_its_sources():
    pk = compounds.load("lenalidomide").pk
    clearance, volume = pk.clearance_l_per_h, pk.central_l.typical
    implied = [math.log(2.0) / hours * volume for hours in (3.0, 4.0)]  # GLU038
    implied += [25_000.0 / area for area in (4852.0, 2464.9)]  # SAF103a, SAF103b
    reach = 10.0 ** (1.96 * clearance.prior.sd_log10)
    assert reach == pytest.approx(2.0, rel=0.05)
    assert all(clearance.typical / reach < other < clearance.typical * reach for other in implied)
    assert max(implied) / clearance.typical > 1.3
    assert {"GLU041", "GLU038", "SAF103a"} <= set(clearance.evidence)


def test_renal_impairment_raises_lenalidomides_area_by_about_what_was_seen():
    (effect,) = compounds.load("lenalidomide").pk.covariate

    def factor(ml_per_min):
        return 1.0 + effect.coefficient * (ml_per_min - effect.reference)

    # GLU049: 2.85 times in moderate and 5.2 times in end-stage impairment; the first is understated.
    assert factor(100.0) / factor(5.0) == pytest.approx(5.2, rel=0.02)
    assert 1.9 < factor(100.0) / factor(40.0) < 2.85
    assert factor(0.0) == pytest.approx(0.18)


def test_thalidomides_priors_hold_both_populations():
    pk = compounds.load("thalidomide").pk
    for quantity, others in ((pk.clearance_l_per_h, (5.5, 10.41)), (pk.central_l, (45.3, 120.69))):
        reach = 10.0 ** (1.96 * quantity.prior.sd_log10)
        assert all(quantity.typical / reach < o < quantity.typical * reach for o in others)
