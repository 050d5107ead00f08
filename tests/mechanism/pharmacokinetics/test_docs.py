"""docs/pharmacokinetics.md and the template: examples load and run as printed, and state no fact unasked."""

from __future__ import annotations

import io
import math
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from glueprint.errors import InputError
from glueprint.mechanism import compounds, pharmacokinetics
from glueprint.mechanism.pharmacokinetics import own_module, scaling
from glueprint.mechanism.pharmacokinetics.preclinical import Liver

PAGE = (Path(__file__).parents[3] / "docs" / "pharmacokinetics.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.S)


def test_python_examples_run_and_print_what_they_say():
    for example in blocks("python"):
        stream = io.StringIO()
        with redirect_stdout(stream):
            exec(compile(example, "docs/pharmacokinetics.md", "exec"), {})
        promised = [line.partition("# ")[2] for line in example.splitlines() if line.startswith("print(")]
        assert stream.getvalue().splitlines() == [text for text in promised if text]


def test_the_sections_of_the_page_load(pk, tmp_path):
    (module,) = blocks("text")
    (tmp_path / "my-pk.ant").write_text(module, encoding="utf-8")
    examples = blocks("toml")
    assert len(examples) == 3
    for example in examples:
        assert example.startswith("[pk]\n")
        glue = pk.compound(example.removeprefix("[pk]\n"), where=str(tmp_path / "mine.toml"))
        assert pk.course(glue, [5.0], pk.swallowed(glue, [0.0], 4.0))["cp_ng_per_ml"][0, 0] > 0


def test_the_numbers_of_the_page_are_those_of_the_code():
    (liver_row,) = [line for line in PAGE.splitlines() if line.startswith("| liver weight")]
    (content,) = [line for line in PAGE.splitlines() if line.startswith("| microsomal protein")]
    usual = Liver()
    assert f"{usual.weight_g_per_kg} g/kg, {usual.blood_flow_ml_per_min_per_kg} mL/min/kg" in liver_row
    assert f" {usual.microsomal_protein_mg_per_g:g} (95 %" in content
    assert f" {usual.hepatocytes_1e6_per_g:g} (74" in content
    for fold, sd in ((2.64, scaling.SD_SIMPLE), (2.10, scaling.SD_RULE)):
        assert f"{fold:.2f}, SD {sd:.2f}" in PAGE
    vials = [*scaling.SD_VIALS.values(), *scaling.SD_VIALS_TOTAL.values()]
    assert [f"{sd:.2f}" for sd in vials] == ["0.46", "0.41", "0.81", "0.78"]
    assert "SD 0.46 and 0.41" in PAGE
    assert "SD 0.81 and 0.78" in PAGE
    assert math.isclose(scaling.SD_VOLUME, 0.3)
    assert f"SD {scaling.SD_INTERCOMPARTMENT}" in PAGE


def ways():
    """The three commented sections of the template, without their "# "."""
    lines = compounds.template().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("# Pharmacokinetics by mouth"))
    parts = re.split(r"^# \d\. .*$", "\n".join(lines[start:]), flags=re.M)[1:]
    bare = ["\n".join(line[2:] for line in part.splitlines()) for part in parts]
    return [part[part.index("[pk]\n") + 5 :] for part in bare]


def test_the_template_states_no_pharmacokinetics(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(compounds.template().replace("EXAMPLE", "ours:"), encoding="utf-8")
    assert compounds.load(path).pk is None


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_way_of_the_template_loads_once_its_gaps_are_filled_and_not_before(pk, number, tmp_path):
    text = ways()[number]
    module = "species depot, centre;\nin: depot -> centre; ka * depot;\nout: centre -> ; cl * centre / v;\n"
    module += "cp := 1000 * centre / v;\nfree := 1000 * fraction_unbound * cp / molar_mass_g_per_mol;\n"
    (tmp_path / "my-pk.ant").write_text(module, encoding="utf-8")
    where = str(tmp_path / "mine.toml")
    with pytest.raises(InputError, match=r"GP-M004 .*pk\.\w+.*a number|GP-M004 .*wrong type"):
        pk.compound(text, where=where)
    numbered = re.sub(r'(?<!why = )(?<!source = )"\?"', "0.3", text).replace("value = 0.3", "value = 0.03")
    assert pharmacokinetics.parts(pk.compound(numbered, where=where).pk)


def test_the_page_lists_what_a_module_may_read_and_gives():
    for name in (*own_module.INPUTS, *own_module.OUTPUTS, *own_module.FUNCTIONS):
        assert f"`{name}`" in PAGE
