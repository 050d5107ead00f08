"""The contract of the assays: settings check themselves, an option for every field, alike results."""

from __future__ import annotations

import dataclasses
import inspect
import sys

import numpy as np
import polars as pl
import pytest
import typer.main

from glueprint import assays
from glueprint.assays import blot, contract, polarization
from glueprint.assays.contract import Observations
from glueprint.cli.app import app
from glueprint.errors import EnvironmentProblemError, InputError

# The rooms, and what their commands are called.
NAMES = {name: name for name in ("blot", "degradation", "elisa", "growth")} | {"polarization": "binding"}
# The options that scripts of users have, by command.
FORMER = {
    "binding": (
        "brightness-ratio free-dye-mp g-factor layout mp-channel parallel perpendicular protein-cv "
        "protein-high protein-low protein-nm reader sheet tracer-cv tracer-kd-cv tracer-kd-high "
        "tracer-kd-low tracer-kd-nm tracer-nm"
    ),
    "blot": (
        "background background-light base-line boxes invert light page reference reference-image rim "
        "write-boxes"
    ),
    "degradation": ("column error hook method sheet"),
    "elisa": (
        "channel cv-limit layout model reader reference response sheet signal-cv-limit signal-range weights"
    ),
    "growth": (
        "bottom channel column dose-unit effect index layout model reader sheet time0 time0-layout top"
    ),
}
DOSES = np.array([0.0, 0.0, 0.0, *np.geomspace(1.0, 10000.0, 9)])


def cultures():
    scatter = 1.0 + 0.01 * np.random.default_rng(5).normal(size=DOSES.size)
    return pl.DataFrame({"dose_nm": DOSES, "viability": (1.0 - 0.8 * DOSES / (DOSES + 90.0)) * scatter})


def lanes():
    truth = assays.degradation.Kinetics(0.1, 1.2, 60.0)
    dose, time = (part.ravel() for part in np.meshgrid((0.0, 0.0, 10.0, 100.0, 1000.0), (1.0, 6.0, 24.0)))
    noise = np.exp(0.05 * np.random.default_rng(1).normal(size=dose.size))
    left = truth.remaining(dose, time) * noise
    return pl.DataFrame({"dose_nm": dose, "time_h": time, "fraction_remaining": left})


def densities():
    levels = np.repeat([0.0, 2.0, 10.0, 25.0, 75.0, 200.0], 2)
    od = 0.05 + 3.0 * levels / (levels + 100.0) + 0.004 * np.random.default_rng(2).normal(size=12)
    return pl.DataFrame(
        {
            "well": [f"{row}{column}" for row in "ABCDEF" for column in (1, 2)] + ["A3", "A4"],
            "value": [*od, 0.61, 0.62],
            "role": ["standard"] * 12 + ["sample"] * 2,
            "sample": [""] * 12 + ["one"] * 2,
            "concentration": [*levels, None, None],
            "concentration_unit": ["ng/mL"] * 12 + [""] * 2,
        }
    )


def light():
    """Protein 50 nM, tracer 5 nM of Kd 120 nM, a compound of Ki 156.6 nM."""
    doses = np.concatenate([[np.inf] * 3, [0.0] * 3, np.repeat(10.0 ** np.arange(0.0, 5.1, 0.5), 2)])
    truth = np.array([[0.05, 0.2, np.log10(156.6), *np.log([50.0, 120.0, 5.0, 1.0])]])
    scatter = np.random.default_rng(1).normal(0.0, 0.002, doses.size)
    r = polarization.model.anisotropy(truth, doses[None])[0][0] + scatter
    roles = ["tracer_only"] * 3 + ["tracer_protein"] * 3 + ["competitor"] * 22
    table = pl.DataFrame(
        {
            "well": [f"{'ABC'[i // 12]}{i % 12 + 1}" for i in range(doses.size)],
            "role": roles,
            "sample": ["glue" if role == "competitor" else "" for role in roles],
            "concentration": [
                d if role == "competitor" else None for d, role in zip(doses, roles, strict=True)
            ],
            "concentration_unit": ["nM"] * doses.size,
        }
    )
    both = zip(("parallel", "perpendicular"), polarization.signal.channels(r, 30000.5), strict=True)
    wells = pl.concat([table.with_columns(channel=pl.lit(name), value=pl.Series(v)) for name, v in both])
    stated = {"protein_nm": 50.0, "protein_cv": 0.2, "tracer_nm": 5.0, "tracer_kd_nm": 120.0, "g_factor": 1.0}
    return Observations(wells, assay=stated | {"tracer_kd_low": 90.0, "tracer_kd_high": 160.0})


def picture():
    """Four lanes of one band and a loading control."""
    rows, columns = np.mgrid[0:300, 0:360]
    counts = np.full((300, 360), 500.0)
    for lane, target in enumerate((1.0, 1.1, 0.5, 0.1)):
        across = np.exp(-(((columns - 60 - 80 * lane) / 24.0) ** 8))
        counts += 4000 * target * across * np.exp(-0.5 * ((rows - 100) / 5.0) ** 2)
        counts += 6000 * across * np.exp(-0.5 * ((rows - 200) / 5.0) ** 2)
    return blot.from_array(np.random.default_rng(1).poisson(counts).astype(np.uint16))


OBSERVATIONS = {"blot": picture} | {
    "degradation": lanes,
    "elisa": densities,
    "growth": cultures,
    "polarization": light,
}


@pytest.fixture(scope="module", params=NAMES)
def result(request):
    """The result of every assay from observations of its kind."""
    module = getattr(assays, request.param)
    return module.analyse(OBSERVATIONS[request.param](), module.Settings())


def settings():
    return [getattr(assays, name).Settings for name in NAMES]


def leaves(kind):
    """Every field of settings and of their parts."""
    for one in kind.fields():
        yield from leaves(one.kind) if hasattr(one.kind, "fields") else [(kind, one)]


EVERY = [pair for kind in settings() for pair in leaves(kind)]
NUMBERS = [(kind, one) for kind, one in EVERY if one.kind in (int, float)]


def of(pair):
    return f"{pair[0].__module__.split('.')[2]}.{pair[1].name}"


@pytest.mark.parametrize("pair", EVERY, ids=of)
def test_every_field_says_what_it_is(pair):
    _, one = pair
    assert len(one.choice.help) > 10
    assert one.default is None or one.wrong(one.default) is None


@pytest.mark.parametrize("pair", [pair for pair in EVERY if pair[1].choice.allowed], ids=of)
def test_a_word_that_is_none_is_refused_with_the_nearest(pair):
    kind, one = pair
    word = one.choice.allowed[0]
    with pytest.raises(InputError, match=f'{kind.CODE} setting {one.name}: "{word}x" .did you mean "{word}"'):
        kind(**{one.name: f"{word}x"})


@pytest.mark.parametrize("pair", NUMBERS, ids=of)
@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), "a", True])
def test_what_is_no_number_is_refused(pair, wrong):
    kind, one = pair
    with pytest.raises(InputError, match=f"{kind.CODE} setting {one.name}: "):
        kind(**{one.name: (wrong,) * one.many if one.many else wrong})


@pytest.mark.parametrize("pair", NUMBERS, ids=of)
def test_the_ends_of_a_number_hold(pair):
    kind, one = pair
    choice = one.choice
    outside = [
        *([choice.above] if choice.above is not None else []),
        *([choice.below] if choice.below is not None else []),
        *([choice.least - 1] if choice.least is not None else []),
        *([choice.most + 1] if choice.most is not None else []),
    ]
    assert outside or one.many
    for value in outside:
        with pytest.raises(InputError, match=kind.CODE):
            kind(**{one.name: value})


@pytest.mark.parametrize("name", NAMES)
def test_the_command_has_an_option_for_every_field(name):
    group = typer.main.get_command(app).commands["assay"]
    command = group.commands[NAMES[name]]
    options = {word for one in command.params for word in one.opts}
    for _, one in leaves(getattr(assays, name).Settings):
        parts = getattr(one.kind, "PARTS", {"": ""})
        wanted = {f"--{one.option}-{part}".removesuffix("-") for part in parts}
        assert wanted <= options, one.name
    assert {"--figure", "--out", "--json", "--exclude"} <= options
    assert {f"--{word}" for word in FORMER[NAMES[name]].split()} <= options
    assert all(one.help for one in command.params if one.name != "help")


@pytest.mark.parametrize("name", NAMES)
def test_every_room_has_the_same_verbs(name):
    room = getattr(assays, name)
    assert {"Result", "Settings", "analyse", "read"} <= set(room.__all__)
    assert list(inspect.signature(room.analyse).parameters) == ["observations", "settings"]
    assert issubclass(room.Settings, contract.Settings)
    assert issubclass(room.Result, contract.AssayResult)


def test_every_result_has_the_same_parts(result):
    assert isinstance(result.settings, getattr(assays, result.ASSAY).Settings)
    assert result.quality.schema == contract.QUALITY
    assert result.quality.height
    assert list(result.tables) == [*result.SCHEMAS, "findings"]
    for name, schema in result.SCHEMAS.items():
        assert {column: result.tables[name].schema[column] for column in schema} == dict(schema), name
        if not hasattr(type(result), name) and name not in {one.name for one in dataclasses.fields(result)}:
            assert getattr(result, name) is result.tables[name]
    assert set(result.as_dict()) >= {
        "assay", "settings", "tables", "potencies", "quality", "findings",
    }  # fmt: skip
    assert set(result.tables) <= set(result.files())
    assert not result.refused


def test_a_result_is_shown_in_a_notebook_and_drawn(result):
    assert repr(result).startswith(f"<{result.ASSAY}: ")
    html = result._repr_html_()
    for title, table in result.summary().items():
        assert title in html
        assert isinstance(table, pl.DataFrame)
    assert result.plot().to_dict()["$schema"].startswith("https://vega.github.io/")


def test_an_unknown_name_is_an_attribute_error_with_the_nearest(result):
    with pytest.raises(AttributeError, match=r"has no findigs \(did you mean \"findings\"\?\)"):
        _ = result.findigs
    with pytest.raises(AttributeError):
        _ = object.__new__(type(result)).tables


def test_what_was_noticed_while_reading_stays_with_the_result():
    noticed = assays.growth.analyse(cultures()).findings[:1]
    seen = Observations(cultures(), noticed, line="twelve wells")
    result = assays.growth.analyse(seen)
    assert result.findings[0] == noticed[0]
    assert Observations.of(seen) is seen


def test_a_channel_of_a_table_is_refused():
    with pytest.raises(InputError, match="GP-A158 setting channel"):
        assays.growth.analyse(cultures(), assays.growth.Settings(channel="450"))


def test_tables_as_pandas_or_why_not(result, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(EnvironmentProblemError, match="GP-N090"):
        result.to_pandas()

    class Frames:
        DataFrame = dict

    monkeypatch.setitem(sys.modules, "pandas", Frames)
    assert result.to_pandas()["suspects"] == result.tables["suspects"].to_dict(as_series=False)
