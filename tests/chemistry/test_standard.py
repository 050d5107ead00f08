"""One substance, whatever way it is drawn: drawings of the family, and look-alikes that are none of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from glueprint.chemistry import binder, groups, standard, structures, substances
from glueprint.errors import InputError, NotSupportedError

# Each drawing, and the substance it is: tautomers, salts, solvates, charges, hydrogens, order of atoms.
DRAWINGS = [
    ("Nc1cccc2c1C(=O)N(C1CCC(=O)N=C1O)C2=O", "pomalidomide"),
    ("[Na+].Nc1cccc2c1C(=O)N(C1CCC(=O)[N-]C1=O)C2=O", "pomalidomide"),
    ("[K+].Nc1cccc2c1C(=O)N(C1CCC(=O)[N-]C1=O)C2=O", "pomalidomide"),
    ("[Na]N1C(=O)CCC(N2C(=O)c3cccc(N)c3C2=O)C1=O", "pomalidomide"),
    ("Cl.Nc1cccc2c1C(=O)N(C1CCC(=O)NC1=O)C2=O", "pomalidomide"),
    ("[Cl-].[NH3+]c1cccc2c1C(=O)N(C1CCC(=O)NC1=O)C2=O", "pomalidomide"),
    ("[NH3+]c1cccc2c1C(=O)N(C1CCC(=O)NC1=O)C2=O", "pomalidomide"),
    ("Nc1cccc2c1C(=O)N(C1CCC(=O)[N-]C1=O)C2=O", "pomalidomide"),
    ("CS(=O)(=O)O.Nc1cccc2c1C(=O)N(C1CCC(=O)NC1=O)C2=O", "pomalidomide"),
    ("O.O.Nc1cccc2c1C(=O)N(C1CCC(=O)NC1=O)C2=O", "pomalidomide"),
    ("CS(C)=O.Nc1cccc2c1C(=O)N(C1CCC(=O)NC1=O)C2=O", "pomalidomide"),
    ("[H]N([H])c1cccc2c1C(=O)N(C1CCC(=O)N([H])C1=O)C2=O", "pomalidomide"),
    ("Nc1cccc2c1C(=O)N(C1CCC(O)=NC1=O)C2=O", "pomalidomide"),
    ("Nc1cccc2c1C(=O)N(C1CC=C(O)NC1=O)C2=O", "pomalidomide"),
    ("Nc1cccc2c1C(=O)N(C1=C(O)NC(=O)CC1)C2=O", "pomalidomide"),
    ("N1C(=O)C(CCC1=O)N1C(=O)C2=C(C1=O)C(N)=CC=C2", "pomalidomide"),
    ("O=C1CCC(N2C(=O)c3ccccc3C2=O)C(O)=N1", "thalidomide"),
    ("OC1=NC(=O)C(N2C(=O)c3ccccc3C2=O)CC1", "thalidomide"),
    ("OC1=NC(O)=C(N2C(=O)c3ccccc3C2=O)CC1", "thalidomide"),
    ("O=C1CCC(N2C(=O)c3ccccc3C2=O)=C(O)N1", "thalidomide"),
    ("OC1=CCC(N2C(=O)c3ccccc3C2=O)C(=O)N1", "thalidomide"),
    ("O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)[N-]1.[Na+]", "thalidomide"),
    ("O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)[N-]1.[K+]", "thalidomide"),
    ("O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)[N-]1.[Li+]", "thalidomide"),
    (".".join(["O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)[N-]1"] * 2) + ".[Ca+2]", "thalidomide"),
    ("O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)[N-]1.CC[NH+](CC)CC", "thalidomide"),
    ("O=C1CC[C@H](N2C(=O)c3ccccc3C2=O)C(=O)N1.O=C1CC[C@@H](N2C(=O)c3ccccc3C2=O)C(=O)N1", "thalidomide"),
    ("C1CCOC1.O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)N1", "thalidomide"),
    ("Nc1cccc2c1CN(C1CCC(O)=NC1=O)C2=O", "lenalidomide"),
    ("Nc1cccc2c1CN(C1CCC(=O)N=C1O)C2=O", "lenalidomide"),
    ("Cl.Nc1cccc2c1CN(C1CCC(=O)NC1=O)C2=O", "lenalidomide"),
    ("[Na+].Nc1cccc2c1CN(C1CCC(=O)[N-]C1=O)C2=O", "lenalidomide"),
    ("OS(=O)(=O)O.Nc1cccc2c1CN(C1CCC(=O)NC1=O)C2=O.Nc1cccc2c1CN(C1CCC(=O)NC1=O)C2=O", "lenalidomide"),
    ("Cl.Cc1nc2cccc(N)c2c(=O)n1C1CCC(=O)NC1=O", "avadomide"),
    ("[O-]C1=NC(=O)CCC1n1c(C)nc2cccc(N)c2c1=O.[Na+]", "avadomide"),
    ("Cl.O=C1CC[C@H](N2Cc3c(OCc4ccc(CN5CCOCC5)cc4)cccc3C2=O)C(=O)N1", "iberdomide"),
    ("[Cl-].O=C1CC[C@H](N2Cc3c(OCc4ccc(C[NH+]5CCOCC5)cc4)cccc3C2=O)C(=O)N1", "iberdomide"),
    ("Cl.N#Cc1ccc(N2CCN(Cc3ccc(COc4cccc5c4CN([C@H]4CCC(=O)NC4=O)C5=O)cc3)CC2)c(F)c1", "mezigdomide"),
    ("Nc1c(O)ccc2c1C(=O)N(C1CCC(=O)N=C1O)C2=O", "5-hydroxypomalidomide"),
    ("Nc1c([O-])ccc2c1C(=O)N(C1CCC(=O)NC1=O)C2=O.[Na+]", "5-hydroxypomalidomide"),
    ("NC(=O)C(CCC(=O)[O-])N1C(=O)c2ccccc2C1=O.[Na+]", "4-phthalimidoglutaramic acid"),
    ("O=C([O-])c1ccccc1C(=O)NC1CCC(=O)NC1=O", "2-(o-carboxybenzamido)glutarimide"),
]
# Stereo and isotopes stay: another key, the same compound by its skeleton.
FORMS = [
    ("Nc1cccc2c1C(=O)N([C@H]1CCC(=O)NC1=O)C2=O", "(S)-pomalidomide"),
    ("Nc1cccc2c1C(=O)N([C@@H]1CCC(=O)NC1=O)C2=O", "(R)-pomalidomide"),
    ("[Na+].Nc1cccc2c1C(=O)N([C@H]1CCC(=O)[N-]C1=O)C2=O", "(S)-pomalidomide"),
    ("[2H]C1(N2C(=O)c3ccccc3C2=O)CCC(=O)NC1=O", "isotopically labelled thalidomide"),
    ("[2H][C@]1(N2C(=O)c3ccccc3C2=O)CCC(=O)NC1=O", "isotopically labelled thalidomide"),
    ("[13CH2]1CC(N2C(=O)c3ccccc3C2=O)C(=O)NC1=O", "isotopically labelled thalidomide"),
    ("Nc1cccc2c1C(=O)N(C1CCC(=O)[15NH]C1=O)C2=O", "isotopically labelled pomalidomide"),
    ("Nc1cccc2c1[14C](=O)N(C1CCC(O)=NC1=O)C2=O", "isotopically labelled pomalidomide"),
]
# Parts of the family, drugs with an imide, reagents, and what only looks like it: none of the class.
LOOK_ALIKES = [
    "O=C1NC(=O)c2ccccc12",
    "O=C1N(C)C(=O)c2ccccc12",
    "O=C1N(O)C(=O)c2ccccc12",
    "O=C1CCCC(=O)N1",
    "O=C1CCC(=O)N1",
    "CCC1(c2ccc(N)cc2)CCC(=O)NC1=O",
    "CCC1(c2ccccc2)CCC(=O)NC1=O",
    "CCC1(C)CC(=O)NC(=O)C1",
    "CC1CC(C)C(=O)C1C(O)CC1CC(=O)NC(=O)C1",
    "CCC1(c2ccccc2)C(=O)NC(=O)NC1=O",
    "O=C1NC(=O)C(c2ccccc2)(c2ccccc2)N1",
    "CCC1(C)CC(=O)NC1=O",
    "O=C1CC2(CCCC2)CC(=O)N1CCCCN1CCN(c2ncccn2)CC1",
    "O=c1cc[nH]c(=O)[nH]1",
    "Cc1c[nH]c(=O)[nH]c1=O",
    "O=c1[nH]cc(F)c(=O)[nH]1",
    "O=C1CCNC(=O)N1",
    "NC1CCC(=O)NC1=O",
    "Cl.NC1CCC(=O)NC1=O",
    "CC(C)(C)OC(=O)NC1CCC(=O)NC1=O",
    "O=C1OC(=O)c2c1cccc2[N+](=O)[O-]",
    "O=C1OC(=O)c2ccc(cc12)[N+](=O)[O-]",
    "O=C(O)CC[C@@H](C(=O)O)N1C(=O)c2ccccc2C1=O",
    "O=C1NCCCC1N1C(=O)c2ccccc2C1=O",
    "O=C1CCCCN1",
    "O=C1NCc2ccccc12",
    "O=c1[nH]cnc2ccccc12",
    "Nc1cccc2c1C(=O)NC2=O",
    "NC(=O)CC[C@H](N)C(=O)O",
    "N[C@@H](CCC(=O)O)C(=O)O",
    "OC1CCCNC1=O",
    "O=C1CCC(C2CCCCC2)C(=O)N1",
    "CC1CCC(=O)NC1=O",
    "O=C1OC(CCC1)N1C(=O)c2ccccc2C1=O",
    "O=C1CCC(N2C(=O)c3ccccc3C2=O)CC1",
    "O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)O1",
    "CC(=O)Oc1ccccc1C(=O)O",
    "O=C1C=CC(=O)N1",
    "C1CCC(N2C(=O)c3ccccc3C2=O)CC1",
    "N[C@@H](CC(N)=O)C(=O)O",
    "CN1C(=O)CCC1=O",
    "O=C(NCc1ccccc1)c1ccccc1C(=O)O",
    "ClC(Cl)(Cl)SN1C(=O)c2ccccc2C1=O",
]


@pytest.mark.parametrize(("smiles", "name"), DRAWINGS)
def test_every_drawing_is_the_one_substance_with_its_note(smiles, name):
    found, real = substances.resolve(smiles), structures.load(name)
    assert found.structure.inchikey == real.inchikey
    assert found.structure.name == found.same_as == name
    assert groups.safety_note(found.structure) == groups.SAFETY_NOTE
    assert groups.safety_note(structures.from_smiles(smiles)) == groups.SAFETY_NOTE
    verdict = binder.check_binder(structures.from_smiles(smiles)).verdict
    assert verdict == binder.check_binder(real).verdict


@pytest.mark.parametrize(("smiles", "name"), FORMS)
def test_stereo_and_isotopes_stay_and_the_note_too(smiles, name):
    found = substances.resolve(smiles)
    assert found.name == name
    assert groups.safety_note(found.structure) == groups.SAFETY_NOTE
    plain = structures.load(name.rsplit(" ", 1)[-1].removeprefix("(S)-").removeprefix("(R)-"))
    assert found.structure.inchikey != plain.inchikey
    assert standard.flat_key(smiles) == plain.inchikey[:14]
    drawn, kept = (Chem.MolFromSmiles(text) for text in (smiles, found.structure.smiles))
    for isotopes in (2, 13, 14, 15):
        counts = [sum(atom.GetIsotope() == isotopes for atom in mol.GetAtoms()) for mol in (drawn, kept)]
        assert counts[0] == counts[1]


def test_there_are_enough_drawings_and_look_alikes():
    assert len({smiles for smiles, _ in DRAWINGS + FORMS}) >= 50
    assert len(set(LOOK_ALIKES)) >= 40


@pytest.mark.parametrize("smiles", LOOK_ALIKES)
def test_no_look_alike_gets_the_note_or_is_called_likely(smiles):
    found = substances.resolve(smiles)
    assert groups.safety_note(found.structure) == ""
    assert binder.check_binder(found.structure).verdict != "likely"


@pytest.mark.parametrize("name", structures.names())
def test_a_built_in_structure_is_its_own_parent_or_a_named_salt(name):
    found = substances.resolve(name)
    if not found.parts:
        assert found.structure.name == name
        assert found.changed == ()
    assert found.drawn_mass_g_per_mol == pytest.approx(structures.load(name).average_mass_g_per_mol)


def test_a_salt_is_the_substance_and_its_counter_ion_with_their_masses():
    found = substances.resolve("[Na+].Nc1cccc2c1C(=O)N(C1CCC(=O)[N-]C1=O)C2=O")
    # C13H10N3NaO4: 13 x 12.011 + 10 x 1.008 + 3 x 14.007 + 22.990 + 4 x 15.999 = 295.230.
    assert found.drawn_mass_g_per_mol == pytest.approx(295.230, abs=0.002)
    assert [(part.name, part.role, part.count) for part in found.parts] == [("sodium", "counter-ion", 1)]
    assert found.parts[0].average_mass_g_per_mol == pytest.approx(22.990, abs=0.001)
    assert found.changed == ("sodium split off as counter-ion", "charges taken away")
    half = substances.resolve(DRAWINGS[32][0])
    # Two lenalidomide (259.265) and one sulfuric acid (98.079): 308.305 g hold one mole.
    assert (half.count, half.parts[0].name) == (2, "sulfuric acid")
    assert half.mass_per_parent_g_per_mol == pytest.approx(259.265 + 98.079 / 2, abs=0.005)
    water = substances.resolve("O.O.Nc1cccc2c1C(=O)N(C1CCC(=O)NC1=O)C2=O")
    assert [(part.name, part.role, part.count) for part in water.parts] == [("water", "solvent", 2)]


@pytest.mark.parametrize("name", ["thalidomide", "lenalidomide", "pomalidomide", "avadomide"])
def test_every_tautomer_that_can_be_drawn_is_the_one_substance(name):
    real = structures.load(name)
    with rdBase.BlockLogs():
        found = rdMolStandardize.TautomerEnumerator().Enumerate(Chem.MolFromSmiles(real.smiles))
        drawn = [Chem.MolToSmiles(tautomer) for tautomer in found]
    assert len(drawn) >= 8
    assert {standard.key(smiles) for smiles in drawn} == {real.inchikey}


def test_the_standardiser_is_idempotent_on_what_it_gives():
    for smiles, _ in DRAWINGS + FORMS:
        once = standard.parent(smiles)
        assert standard.parent(once) == once


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(DRAWINGS), st.integers(0, 2**31 - 1))
def test_the_order_of_atoms_does_not_matter(drawing, seed):
    smiles, name = drawing
    shuffled = Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(smiles), 1, randomSeed=seed)[0]
    assert standard.key(shuffled) == structures.load(name).inchikey


@pytest.mark.parametrize(
    ("drawn", "other"),
    [
        ("C[S+](C)[O-]", "CS(C)=O"),
        ("C[S+2](C)([O-])[O-]", "CS(C)(=O)=O"),
        ("C[P+](C)(C)[O-]", "CP(C)(C)=O"),
        ("c1ccccc1[N-][N+]#N", "c1ccccc1N=[N+]=[N-]"),
        ("c1ccccc1N(=O)=O", "c1ccccc1[N+](=O)[O-]"),
    ],
)
def test_groups_drawn_in_two_ways_are_one(drawn, other):
    assert standard.parent(drawn) == standard.parent(other) == Chem.CanonSmiles(other)


def test_imides_stay_imides():
    # RDKit's own choice for these is a dihydroxypyrrole and a quinoid ring.
    for smiles in ("O=C1CCC(=O)N1O", "O=C1CCC(NC(=O)c2cccc([N+](=O)[O-])c2C(=O)O)C(=O)N1"):
        assert standard.parent(smiles) == Chem.CanonSmiles(smiles)


@pytest.mark.parametrize("smiles", ["c1ccccc1.C1CCCCC1", "NC1CCC(=O)NC1=O.O=C1OC(=O)c2ccccc12"])
def test_a_mixture_is_refused(smiles):
    with pytest.raises(InputError, match="GP-H017") as caught:
        substances.resolve(smiles, where="my.smi, line 3")
    assert caught.value.where == "my.smi, line 3"


@pytest.mark.parametrize(
    "smiles",
    ["N[Pt](N)(Cl)Cl", "[Pd]", "C[Mg]Br", "[Fe+2].c1ccccc1", "CC(=O)O[Hg]c1ccccc1", "[Cu+2].[O-]C(=O)C"],
)
def test_a_metal_is_refused(smiles):
    with pytest.raises(NotSupportedError, match="GP-H018"):
        substances.resolve(smiles)


@pytest.mark.parametrize("smiles", ["*CCO*", "[*:1]c1ccccc1", "O=C1CCC(*)C(=O)N1"])
def test_a_polymer_or_open_structure_is_refused(smiles):
    with pytest.raises(NotSupportedError, match="GP-H019"):
        substances.resolve(smiles)


def test_a_chain_without_end_is_refused():
    with pytest.raises(NotSupportedError, match="GP-H020"):
        substances.resolve("C" * 400)


def test_rules_ask_for_the_parent_and_take_what_has_none_as_it_is():
    assert groups.recognise(structures.from_smiles(DRAWINGS[1][0])) == groups.recognise(
        structures.load("pomalidomide")
    )
    assert standard.parent("c1ccccc1.C1CCCCC1") == "c1ccccc1.C1CCCCC1"
