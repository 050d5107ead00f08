"""SBGN-ML: what is written follows the format's rules, says what the models say, and comes back the same."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

import pytest

from glueprint.errors import InputError
from glueprint.report import diagrams
from glueprint.report.diagrams import layout, sbgnml
from glueprint.report.diagrams.network import shipped

MAPS = layout.map_names()
TAG = f"{{{sbgnml.NAMESPACE}}}"


@pytest.fixture(scope="module", params=MAPS)
def pair(request):
    drawn = diagrams.scene(request.param)
    return drawn, sbgnml.write(drawn)


def test_the_rules_of_the_format_hold(pair):
    """The written files also pass libsbgn's SBGN.xsd (Milestone 3) and its Schematron rules for process
    descriptions, as shipped with libsbgnpy 0.7.1; here the same rules stand without a schema processor.
    """
    _, text = pair
    sheet = ElementTree.fromstring(text)[0]
    inside = {}
    for glyph in sheet.findall(f"{TAG}glyph"):
        inside[glyph.get("id")] = glyph
        assert glyph.find(f"{TAG}bbox") is not None
        tags = [one.tag.removeprefix(TAG) for one in glyph]
        assert tags == sorted(tags, key=("label", "clone", "bbox", "glyph", "port").index)
        if glyph.get("class") not in ("compartment", "process", "or"):
            assert inside[glyph.get("compartmentRef")].get("class") == "compartment"
        if glyph.get("class") == "process":
            assert len(glyph.findall(f"{TAG}port")) == 2
    sketch = sbgnml.read(text)
    kinds = {key: kind for key, (kind, _) in sketch.entities.items()}
    for kind, source, target in sketch.arcs:
        if kind == "consumption":
            assert kinds[target] == "process"
        elif kind == "production":
            assert kinds[source] == "process"
        elif kind == "logic arc":
            assert kinds[target] == "or"
        else:
            assert kinds[target] == "process"
            assert kinds[source] not in ("process", "source and sink", "compartment")
    out_of_or = Counter(source for kind, source, _ in sketch.arcs if kinds[source] == "or")
    assert set(out_of_or.values()) <= {1}


def test_clones_are_marked(pair):
    drawn, text = pair
    marked = {
        glyph.get("id") for glyph in ElementTree.fromstring(text)[0] if glyph.find(f"{TAG}clone") is not None
    }
    assert len(marked) == sum(node.clone for node in drawn.nodes.values())
    assert all("drug" in one for one in marked)


def test_what_comes_back_is_the_model(pair):
    """Consumption, production and modulation per process, counted from the models, not from the map."""
    drawn, text = pair
    sketch = sbgnml.read(text)
    expected = Counter()
    medium = set(layout.read(drawn.chart.name)[1]["medium"].process)
    seen = set()
    for use in drawn.chart.models:
        for name, reaction in shipped(use.model, use.form).reactions.items():
            key = name if name in medium else f"{use.part}/{name}"
            if key in seen:
                continue
            seen.add(key)
            sides = len(reaction.reactants) or 1
            expected["production" if reaction.reversible else "consumption"] += sides
            expected["production"] += len(reaction.products) or 1
            for kind in reaction.modulators.values():
                expected[kind] += 1
    found = Counter()
    members = Counter(target for kind, _, target in sketch.arcs if kind == "logic arc")
    for kind, source, _ in sketch.arcs:
        if kind != "logic arc":
            found[kind] += members.get(source, 1)
    assert found == expected
    assert len(seen) == sum(kind == "process" for kind, _ in sketch.entities.values())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<sbgn ", "<sbgn <", "not XML"),
        ("process description", "activity flow", "no map"),
        ('class="macromolecule"', 'class="protein"', "no class of glyph"),
        ('class="inhibition"', 'class="blocks"', "no class of arc"),
        ('source="n_drug_s_nm"', 'source="n_drug"', "not there"),
        ('id="n_drug_r_nm"', 'id="n_drug_s_nm"', "stands twice"),
    ],
)
def test_a_text_that_breaks_a_rule_is_refused(old, new, said):
    text = sbgnml.write(diagrams.scene("immune"))
    assert old in text
    with pytest.raises(InputError, match=said) as caught:
        sbgnml.read(text.replace(old, new))
    assert caught.value.code == "GP-P030"
