"""Models of somebody else's: marks, zero bytes, imports, depth and length, and what crashes the libraries."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import reading
from glueprint.errors import InputError

DECAY = "S = 1; k = 1;\nS' = -k*S;\n"
SBML = (
    '<?xml version="1.0" encoding="UTF-8"?><sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" '
    'level="3" version="1"><model id="m"><listOfParameters><parameter id="k" value="1" constant="false"/>'
    '<parameter id="p" value="0.5" constant="true"/></listOfParameters><listOfRules>'
    '<assignmentRule variable="k"><math xmlns="http://www.w3.org/1998/Math/MathML">{}</math></assignmentRule></listOfRules></model></sbml>'
)


def value(model, name):
    return float(model.ensemble()[name][0])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_of_editors(tmp_path, encoding):
    path = tmp_path / "decay.ant"
    path.write_bytes(("# µ\n" + DECAY).encode(encoding))
    assert engine.compile(path).species == engine.compile(DECAY).species


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b" \n\t\n", "it is empty"),
        (DECAY.encode() + b"\x00k = 2;\n", "zero byte"),
        (DECAY.encode() + b"# \xe9\n", "not UTF-8"),
    ],
)
def test_what_is_no_model_text(tmp_path, content, words):
    path = tmp_path / "decay.ant"
    path.write_bytes(content)
    with pytest.raises(InputError, match="GP-N001") as caught:
        engine.compile(path)
    assert words in str(caught.value)


def test_text_of_a_program_has_the_same_rules():
    assert engine.compile("\ufeff" + DECAY).species == engine.compile(DECAY).species
    with pytest.raises(InputError, match="GP-N001"):
        engine.compile(DECAY + "\x00k = 2;\n")


def test_devices_and_folders_are_no_models(tmp_path):
    for place in ("/dev/zero.ant", tmp_path):
        with pytest.raises(InputError, match="GP-N001"):
            engine.compile(place)
    (tmp_path / "endless.ant").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="GP-N001"):
        engine.compile(tmp_path / "endless.ant")


@pytest.mark.parametrize(
    "form", ['import "{}"\n', 'k=1;import "{}"\n', ' import"{}"\n', '/* */ import "{}"\n']
)
def test_no_other_file_is_read(tmp_path, form):
    secret = tmp_path / "secret.ant"
    secret.write_text("model secret()\n very_secret = 7;\nend\n")
    with pytest.raises(InputError, match=r"GP-N0(41|02)") as caught:
        engine.compile(form.format(secret) + "model m()\n A: secret();\n S = 1; S' = -S;\nend\n")
    assert "very_secret" not in str(caught.value)


def test_long_sums_and_deep_formulas_are_computed():
    many = 600
    model = engine.compile(
        DECAY + "t := " + " + ".join(["k"] * many) + ";\nd := " + " - ".join(["k"] * many) + ";\n"
    )
    assert value(model, "t") == many
    assert value(model, "d") == 2 - many
    model = engine.compile(SBML.format("<apply><sin/>" * many + "<ci>p</ci>" + "</apply>" * many))
    expected = 0.5
    for _ in range(many):
        expected = np.sin(expected)
    assert value(model, "k") == pytest.approx(expected, rel=1e-12)
    model = engine.compile(SBML.format("<apply><plus/>" + "<ci>p</ci>" * 20_000 + "</apply>"))
    assert value(model, "k") == 10_000


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (DECAY + "\nt := " + "+".join(["k"] * 99_999) + ";\n", "line 4"),
        (SBML.format("\n<apply><plus/>" + "<ci>p</ci>" * 100_000 + "</apply>"), "line 1"),
    ],
)
def test_a_sum_that_the_libraries_would_not_end_with_is_refused_before_any_work(monkeypatch, text, place):
    monkeypatch.setattr(reading, "_helper", lambda: pytest.fail("the library is asked"))
    with pytest.raises(InputError, match="GP-N063") as caught:
        engine.compile(text)
    assert "100000 terms" in caught.value.message
    assert caught.value.where == f"model text, {place}"
    assert "split it into assignment rules" in caught.value.next_step


def test_many_long_sums_are_no_long_sum():
    parts = "".join(f"p{n} := " + "+".join(["k"] * 1000) + ";\n" for n in range(3))
    assert value(engine.compile(DECAY + parts + "t := p0 + p1 + p2;\n"), "t") == 3000


def test_chains_of_rules_are_computed():
    many = 60
    rules = "".join(f"a{n} := a{n - 1} + k;\n" for n in range(1, many + 1))
    assert value(engine.compile(DECAY + "a0 := k;\n" + rules), f"a{many}") == many + 1
    starts = "".join(f"b{n} = b{n - 1} + k;\n" for n in range(1, many + 1))
    assert value(engine.compile(DECAY + "b0 = k;\n" + starts), f"b{many}") == many + 1


def test_functions_of_functions_cost_what_they_are_long():
    many = 30  # written out, 2 to the 30 terms
    text = "function f0(x) x + 1 end\n" + "".join(
        f"function f{n}(x) f{n - 1}(x) + f{n - 1}(x) end\n" for n in range(1, many + 1)
    )
    assert value(engine.compile(text + DECAY + f"t := f{many}(k);\n"), "t") == 2.0 ** (many + 1)


def test_what_crashes_the_libraries_is_an_error_and_the_next_model_is_read():
    with pytest.raises(InputError, match="GP-N040") as caught:
        engine.compile(SBML.format("<apply><sin/>" * 100_000 + "<ci>p</ci>" + "</apply>" * 100_000))
    assert "crashed" in str(caught.value)
    assert "assignment rules" in caught.value.next_step
    assert value(engine.compile(DECAY), "S") == 1


def test_what_takes_for_ever_is_an_error(monkeypatch):
    quick = reading.Limits(seconds=0.5)
    monkeypatch.setattr(reading, "_helper", lambda: helper)
    helper = reading.Helper("glueprint.boundary.model_text:to_sbml", quick)
    bomb = "model m0()\n a = 1;\nend\n" + "".join(
        f"model m{n}()\n A: m{n - 1}();\n B: m{n - 1}();\nend\n" for n in range(1, 25)
    )
    with pytest.raises(InputError, match="GP-N040") as caught:
        engine.compile(bomb)
    assert "0.5 s" in str(caught.value) or "MB" in str(caught.value)
    helper.close()


def test_our_own_text_is_the_same_model_either_way():
    assert engine.compile(DECAY, ours=True).hash == engine.compile(DECAY).hash


def test_a_model_reads_no_other_file(tmp_path):
    secret = tmp_path / "secret.ant"
    secret.write_text("model secret()\n  x = 1;\nend\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"GP-N041 .*imports the file") as caught:
        engine.compile(f'import "{secret}"\n{DECAY}')
    assert "copy the imported model" in caught.value.next_step
