"""Every code of docs/errors/engine.md, with the text that lets the user go on."""

from __future__ import annotations

import libsbml
import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Doses, Settings, refusals
from glueprint.engine.sbml import flatten
from glueprint.errors import InputError, NotSupportedError

DECAY = "species x = 1; J: x -> ; k*x; k = 1; s := 2*x;"
SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
 <model id="m"><listOfParameters><parameter id="p" value="1" constant="false"/>
 <parameter id="q" value="1" constant="false"/></listOfParameters>
 {}</model></sbml>"""
RULE = """<listOfRules><{kind}Rule{target}><math xmlns="http://www.w3.org/1998/Math/MathML">{math}</math>
</{kind}Rule></listOfRules>"""


def rule(math, kind="rate"):
    target = "" if kind == "algebraic" else ' variable="p"'
    return SBML.format(RULE.format(kind=kind, target=target, math=math))


def csymbol(name, *args):
    url = f"http://www.sbml.org/sbml/symbols/{name}"
    return f'<apply><csymbol encoding="text" definitionURL="{url}">{name}</csymbol>{"".join(args)}</apply>'


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("no/such/model.ant", "GP-N001", "cannot read"),
        ("species x = ;\n x -> -> y", "GP-N002", "line"),
        ("<sbml>\n</sbml>", "GP-N003", "not valid SBML"),
        (rule("<apply><ci>f</ci><ci>p</ci></apply>"), "GP-N003", "f"),
    ],
)
def test_unusable_models(source, code, words):
    with pytest.raises(InputError) as caught:
        engine.compile(source)
    assert caught.value.code == code
    assert words in str(caught.value)
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (rule("<ci>p</ci>", "algebraic"), "GP-N021"),
        (rule(csymbol("delay", "<ci>p</ci>", "<cn>1</cn>")), "GP-N022"),
        ("x' = 1; x = 0; y = 0;" + "".join(f"at x > {i}: y = {i};" for i in range(65)), "GP-N026"),
    ],
)
def test_refused_models(source, code):
    with pytest.raises((NotSupportedError, InputError)) as caught:
        engine.compile(source)
    assert caught.value.code == code
    assert caught.value.next_step


def flattened(text):
    """The system of a document that was not checked for consistency first."""
    return flatten(libsbml.readSBMLFromString(text).getModel(), "test")


CALL = "<apply><ci>f</ci>{}</apply>"
FUNCTION = """<listOfFunctionDefinitions><functionDefinition id="f">
<math xmlns="http://www.w3.org/1998/Math/MathML"><lambda><bvar><ci>a</ci></bvar>{}</lambda></math>
</functionDefinition></listOfFunctionDefinitions>"""
ASSIGN = """<listOfRules>
<assignmentRule variable="p"><math xmlns="http://www.w3.org/1998/Math/MathML">{}</math></assignmentRule>
<{}Rule variable="q"><math xmlns="http://www.w3.org/1998/Math/MathML">{}</math></{}Rule></listOfRules>"""


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (rule("<ci>pp</ci>"), "GP-N004", '"pp" (did you mean "p"?)'),
        (rule(CALL.format("<ci>p</ci>")), "GP-N005", '"f"'),
        (
            SBML.format(
                FUNCTION.format("<ci>a</ci>")
                + RULE.format(kind="rate", target=' variable="p"', math=CALL.format("<cn>1</cn><cn>2</cn>"))
            ),
            "GP-N006",
            "2 arguments",
        ),
        (
            SBML.format(ASSIGN.format("<ci>q</ci>", "assignment", "<ci>p</ci>", "assignment")),
            "GP-N007",
            "p -> q -> p",
        ),
        (rule(csymbol("rateOf", "<ci>p</ci>")), "GP-N007", "itself"),
        (
            SBML.format(ASSIGN.format("<ci>q</ci>", "rate", csymbol("rateOf", "<ci>p</ci>"), "rate")),
            "GP-N023",
            '"p"',
        ),
        (
            rule("<apply><min/></apply>")
            .replace("version1/core", "version2/core")
            .replace('version="1">', 'version="2">'),
            "GP-N024",
            "does not know",
        ),
    ],
)
def test_models_that_libsbml_would_have_stopped(text, code, words):
    with pytest.raises((NotSupportedError, InputError)) as caught:
        flattened(text)
    assert caught.value.code == code
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (
            '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1" '
            'xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true">'
            '<model id="m"/></sbml>',
            "GP-N020",
            '"comp"',
        ),
        (
            SBML.format(
                '<listOfReactions><reaction id="r" reversible="false" fast="true"/></listOfReactions>'
            ),
            "GP-N025",
            '"r"',
        ),
    ],
)
def test_constructs_that_are_refused_by_name(text, code, words):
    with pytest.raises(NotSupportedError) as caught:
        refusals.check(libsbml.readSBMLFromString(text), "test")
    assert caught.value.code == code
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("act", "code", "words"),
    [
        (lambda m: m.ensemble({"k": 1.0}, initial={"k": 1.0}), "GP-N009", '"k"'),
        (lambda m: m.ensemble({"kk": 1.0}), "GP-N010", 'did you mean "k"'),
        (lambda m: m.ensemble({"s": 1.0}), "GP-N010", "computed by the model"),
        (lambda m: m.ensemble({"k": [1.0, 2.0]}, patients=3), "GP-N011", "3 patients"),
        (lambda m: m.ensemble(patients=-1), "GP-N012", "-1"),
        (lambda m: m.ensemble(patients=2).advance([1.0, -1.0]), "GP-N013", "patient 1"),
        (lambda m: m.ensemble(patients=2).advance([1.0, 2.0, 3.0]), "GP-N013", "shape"),
        (lambda _: Doses([0, 1], [0.0, 1.0, 2.0], "x", 1.0), "GP-N014", "do not fit"),
        (lambda _: Doses([0], np.nan, "x", 1.0), "GP-N014", "row 0"),
        (lambda _: Doses([0.5], 0.0, "x", 1.0), "GP-N014", "whole numbers"),
        (lambda m: m.ensemble().advance(1.0, Doses([0], 0.0, "k", 1.0)), "GP-N015", '"k"'),
        (lambda m: m.ensemble().advance(1.0, Doses([3], 0.0, "x", 1.0)), "GP-N016", "patient 3"),
        (lambda m: m.ensemble().advance(1.0, Doses([0], 1.0, "x", 1.0)), "GP-N017", "1.0 h"),
        (lambda m: m.ensemble().simulate([1.0], Doses([0], -1.0, "x", 1.0)), "GP-N017", "-1.0 h"),
        (lambda m: m.ensemble().simulate([2.0, 1.0]), "GP-N018", "rising"),
        (lambda m: m.ensemble().simulate([1.0], outputs=["y"]), "GP-N019", '"y"'),
        (lambda m: m.ensemble()["y"], "GP-N019", '"y"'),
        (lambda m: m.ensemble().values(["x", "y"]), "GP-N019", '"y"'),
        (lambda m: m.ensemble().set("J", 1.0), "GP-N010", '"J"'),
    ],
)
def test_unusable_requests(act, code, words):
    model = engine.compile(DECAY)
    with pytest.raises(InputError) as caught:
        act(model)
    assert caught.value.code == code
    assert words in str(caught.value)
    assert caught.value.expected
    assert caught.value.next_step


def test_a_missing_value_is_named():
    model = engine.compile("species x; J: x -> ; k*x; k = 1;")
    with pytest.raises(InputError, match="GP-N008") as caught:
        model.ensemble()
    assert '"x" has no value' in str(caught.value)
    assert model.ensemble(initial={"x": 2.0}).advance(1.0).ok


@pytest.mark.parametrize(
    "wrong",
    [
        {"accuracy": 0.0},
        {"accuracy": -1e-5},
        {"accuracy": float("nan")},
        {"accuracy": 1.5},
        {"floor": -1.0},
        {"longest_step": 0.0},
        {"step_limit": 0},
        {"threads": -1},
    ],
)
def test_settings_that_no_run_can_keep_to_are_refused(wrong):
    with pytest.raises(InputError, match="GP-N067") as caught:
        Settings(**wrong)
    assert next(iter(wrong)) in caught.value.message
