"""Whole plates through the analysis: simulated light in, potencies and findings out."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint.assays import polarization
from glueprint.assays.polarization import Amount, Conditions, Optics, Settings, model, signal
from glueprint.errors import InputError

STATED = Conditions(Amount(50.0, 0.2), Amount(5.0, 0.05), Amount.between(120.0, 90.0, 160.0))
DOSES = 10.0 ** np.arange(0.0, 5.1, 0.5)
BLANK = {"parallel": 900.0, "perpendicular": 700.0}
G = 1.1


def light(well, role, r, total, **content):
    channels = dict(zip(BLANK, signal.channels(r, total, G), strict=True))
    return [
        {"plate": "p1", "well": well, "channel": name, "value": float(np.round(value + BLANK[name])),
         "unit": "count", "role": role, "sample": "", "concentration": None, "concentration_unit": ""}
        | content
        for name, value in channels.items()
    ]  # fmt: skip


def competition_plate(ki=156.6, *, brightness=0.9, noise=0.003, level=30000.0, protein=50.0, seed=3):
    """Blanks, both controls and one compound in triplicate, tracer 5 nM with Kd 120 nM."""
    scatter = np.random.default_rng(seed).standard_normal
    numbers = [0.05, 0.2, np.log10(ki), *np.log([protein, 120.0, 5.0, brightness])]
    theta = np.array([numbers])
    share = model.occupancy(theta, DOSES[None])[0][0]
    r = model.anisotropy(theta, DOSES[None])[0][0]
    rows = []
    for i in range(1, 5):
        rows += light(f"H{i}", "blank", 0.0, 0.0)
        rows += light(f"G{i}", "tracer_only", 0.05 + noise * scatter(), level)
        rows += light(f"F{i}", "tracer_protein", 0.2 + noise * scatter(), level * brightness)
    for row in "ABC":
        for i, dose in enumerate(DOSES):
            total = level * (1.0 - share[i] + brightness * share[i])
            content = {"sample": "glue", "concentration": dose / 1000.0, "concentration_unit": "uM"}
            rows += light(f"{row}{i + 1}", "competitor", r[i] + noise * scatter(), total, **content)
    return pl.DataFrame(rows)


def codes(result, severity=None):
    return [found.code for found in result.findings if severity in (None, found.severity)]


def analysed(wells, conditions=STATED, **settings):
    return polarization.analyse(wells, Settings(conditions, Optics(g_factor=G), **settings))


def test_a_clean_plate_gives_its_ki_and_no_warning():
    result = analysed(competition_plate())
    (ki,) = result.of("glue")
    assert ki.definition == "exact"
    assert ki.low_nm < 156.6 < ki.high_nm
    assert ki.low_nm > 100.0
    assert ki.high_nm < 230.0
    assert codes(result) == []
    relative, absolute = result.of("glue", "IC50")
    assert absolute.value_nm == pytest.approx(254.6, rel=0.1)
    assert relative.value_nm > ki.value_nm


def test_every_table_is_filled_and_plain():
    result = analysed(competition_plate())
    (fit,) = result.tables["fits"].to_dicts()
    assert fit["points"] == 33 + 8
    assert fit["doses"] == 11
    assert fit["status"] == "fine"
    assert 0.1 < fit["ki_floor_nm"] < 5.0
    shares = ("wells", "protein", "tracer_kd", "tracer", "brightness")
    assert sum(fit[f"share_{name}"] for name in shares) == pytest.approx(1.0)
    methods = result.tables["conversions"]
    assert methods["method"].to_list()[0] == "exact"
    assert methods["factor"].to_list()[:3] == pytest.approx([1.0, 1.56, 1.0], abs=0.03)
    assert result.tables["curves"]["dose_nm"].min() == pytest.approx(10.0**-0.5)
    plain = result.as_dict()
    assert plain["potencies"][0]["kind"] == "Ki"
    assert plain["findings"] == []
    values = dict(result.quality.select("name", "value").iter_rows())
    assert values["z_prime"] > 0.5
    assert values["window"] == pytest.approx(
        float(signal.mp_from_anisotropy(0.2) - signal.mp_from_anisotropy(0.05)), rel=0.05
    )
    assert values["intensity_ratio"] == pytest.approx(0.9, rel=1e-3)
    # 28.8 % of the tracer is bound, and with it goes a tenth of the light.
    assert values["brightness_ratio"] == pytest.approx(1.0 - 0.1 / 0.28808552, rel=1e-3)
    assert values["replicate_dof"] == 2 * 11 + 3 + 3
    assert abs(values["intensity_drift"]) < 1.0


def test_blanks_are_subtracted_in_each_channel():
    wells = analysed(competition_plate(noise=0.0)).tables["wells"]
    control = wells.filter(pl.col("role") == "tracer_protein")
    assert control["anisotropy"].to_list() == pytest.approx([0.2] * 4, abs=1e-4)
    assert control["intensity"].to_list() == pytest.approx([27000.0] * 4, rel=1e-4)


def test_the_order_of_rows_does_not_matter():
    wells = competition_plate()
    straight, shuffled = analysed(wells), analysed(wells.sample(fraction=1.0, shuffle=True, seed=5))
    assert straight.as_dict() == shuffled.as_dict()


def test_several_compounds_and_plates_do_not_touch_each_other():
    one = competition_plate()
    other = competition_plate(10.0, seed=4).with_columns(
        sample=pl.when(pl.col("sample") == "glue").then(pl.lit("tight")).otherwise("sample"),
        plate=pl.lit("p2"),
    )
    both = analysed(pl.concat([one, other]))
    assert both.of("glue") == analysed(one).of("glue")
    assert both.of("tight", plate="p2") == analysed(other).of("tight")
    assert both.of("tight", plate="p1") == ()


@pytest.mark.parametrize(
    ("conditions", "word"),
    [
        (Conditions(), "protein concentration, tracer concentration, tracer Kd"),
        (Conditions(Amount(50.0, 0.2), Amount(5.0)), "missing tracer Kd"),
        (Conditions(Amount(50.0), Amount(5.0), Amount(120.0, 0.1)), "uncertainty of the protein"),
        (Conditions(Amount(50.0, 0.2), Amount(5.0), Amount(120.0)), "uncertainty of the tracer Kd"),
    ],
)
def test_without_its_inputs_the_ki_is_refused_and_the_ic50_stays(conditions, word):
    result = analysed(competition_plate(), conditions)
    (finding,) = [found for found in result.findings if found.severity == "refusal"]
    assert finding.code == "GP-A064"
    assert word in finding.message
    (ki,) = result.of("glue")
    assert (ki.relation, ki.value_nm) == ("none", None)
    assert ki.explanations
    assert result.of("glue", "IC50")[0].relation == "="
    assert result.tables["fits"]["ki_nm"].to_list() == [None]
    assert result.tables["conversions"].is_empty()


def test_a_tracer_without_uncertainty_is_a_note():
    exact = Conditions(STATED.protein, Amount(5.0), STATED.tracer_kd)
    assert codes(analysed(competition_plate(), exact)) == ["GP-A064"]
    assert codes(analysed(competition_plate(), exact), "note") == ["GP-A064"]


def test_a_tight_compound_is_a_limit():
    result = analysed(competition_plate(0.05, protein=100.0), Conditions(
        Amount(100.0, 0.2), STATED.tracer, STATED.tracer_kd))  # fmt: skip
    (ki,) = result.of("glue")
    assert ki.relation == "<"
    assert 0.05 < ki.value_nm < 10.0
    assert ki.low_nm is None
    assert [reason.value for reason in ki.reasons] == ["assay_floor"]
    assert codes(result, "warning") == ["GP-A072"]


def test_a_weak_compound_is_a_limit():
    result = analysed(competition_plate(1e8))
    (ki,) = result.of("glue")
    assert ki.relation == ">"
    assert 1e4 < ki.value_nm < 1e8
    assert "GP-A073" in codes(result)


def test_less_active_protein_than_stated_is_seen():
    # The compound titrates the protein: its IC50 says how much there is.
    wrong = Conditions(Amount(400.0, 0.1), STATED.tracer, STATED.tracer_kd)
    assert "GP-A074" in codes(analysed(competition_plate(1.0, protein=100.0), wrong))


def test_a_fluorescent_compound_is_flagged_and_can_be_left_out():
    wells = competition_plate()
    last = pl.col("well").is_in(["A11", "B11", "C11"])
    bright = wells.with_columns(value=pl.when(last).then(pl.col("value") * 1.5).otherwise("value"))
    result = analysed(bright)
    (finding,) = [found for found in result.findings if found.code == "GP-A071"]
    assert "fluorescent" in finding.message
    assert "100000 nM" in finding.message
    clean = analysed(bright, exclude=("A11", "B11", "p1:C11"))
    assert codes(clean) == ["GP-A241"] * 3
    assert clean.tables["excluded"]["where"].to_list() == ["p1:A11", "p1:B11", "p1:C11"]
    dark = wells.with_columns(value=pl.when(last).then(pl.col("value") * 0.5).otherwise("value"))
    (finding,) = [found for found in analysed(dark).findings if found.code == "GP-A071"]
    assert "quenching" in finding.message


def test_displacement_of_a_dimmer_tracer_is_no_interference():
    assert "GP-A071" not in codes(analysed(competition_plate(brightness=0.75)))


def test_wells_below_the_blank_are_left_out_and_named():
    wells = competition_plate()
    empty = (pl.col("well") == "B4") & (pl.col("channel") == "perpendicular")
    wells = wells.with_columns(value=pl.when(empty).then(650.0).otherwise("value"))
    result = analysed(wells)
    (finding,) = result.findings
    assert finding.code == "GP-A067"
    assert "B4" in finding.where
    assert result.tables["fits"]["points"].to_list() == [40]
    row = result.tables["wells"].filter(pl.col("well") == "B4").row(0, named=True)
    assert (row["anisotropy"], row["note"]) == (None, "at or below the blank")


def test_low_counts_are_flagged_with_what_rounding_allows():
    result = analysed(competition_plate(level=150.0, noise=0.0))
    (finding,) = [found for found in result.findings if found.code == "GP-A068"]
    assert "counts may be" in finding.message


def test_negative_counts_are_no_light():
    wells = competition_plate()
    wells = wells.with_columns(value=pl.when(pl.col("well") == "A1").then(-5.0).otherwise("value"))
    assert codes(analysed(wells)) == ["GP-A067"]


def test_no_blanks_and_no_g_are_warnings():
    wells = competition_plate().filter(pl.col("role") != "blank")
    result = polarization.analyse(wells, Settings(STATED))
    assert codes(result, "warning")[:2] == ["GP-A065", "GP-A066"]
    assert result.g_factors == {"p1": 1.0}


def test_g_from_a_free_dye():
    wells = competition_plate()
    dye = [row for i in (1, 2) for row in light(f"E{i}", "free_dye", 0.018, 20000.0)]
    mp = float(signal.mp_from_anisotropy(0.018))
    result = polarization.analyse(
        pl.concat([wells, pl.DataFrame(dye, schema=wells.schema)]), Settings(STATED, Optics(free_dye_mp=mp))
    )
    assert result.g_factors["p1"] == pytest.approx(G, rel=1e-3)
    assert codes(result) == ["GP-A066"]
    tracer = polarization.analyse(
        competition_plate(noise=0.0),
        Settings(STATED, Optics(free_dye_mp=float(signal.mp_from_anisotropy(0.05)))),
    )
    assert tracer.g_factors["p1"] == pytest.approx(G, rel=1e-3)


def stored(wells, *, wrong=(), g=G):
    wide = wells.pivot("channel", index="well", values="value", maintain_order=True)
    mp = np.round(signal.polarization_mp(wide["parallel"], wide["perpendicular"], g))
    mp = np.where(wide["well"].is_in(wrong).to_numpy(), mp + 25.0, mp)
    own = wells.filter(pl.col("channel") == "parallel").with_columns(
        channel=pl.lit("mP"), value=pl.Series(mp), unit=pl.lit("mP")
    )
    return pl.concat([wells, own])


def test_stored_mp_that_follow_from_the_channels_pass():
    assert codes(analysed(stored(competition_plate()))) == []


def test_stored_mp_that_do_not_are_named():
    result = analysed(stored(competition_plate(), wrong=("A3", "C7")))
    (finding,) = result.findings
    assert finding.code == "GP-A069"
    assert "A3, C7" in finding.where
    assert result.of("glue") == analysed(competition_plate()).of("glue")


def test_stored_mp_with_another_g_are_a_finding():
    (finding,) = analysed(stored(competition_plate(), g=0.9)).findings
    assert finding.code == "GP-A069"
    assert "G = 0.8998, here it is 1.1" in finding.message


def mp_only(wells):
    net = wells.with_columns(value=pl.col("value") - pl.col("channel").replace_strict(BLANK))
    return stored(net.filter(pl.col("role") != "blank")).filter(pl.col("channel") == "mP")


def test_mp_alone_are_used_and_said_to_be_uncorrected():
    result = polarization.analyse(mp_only(competition_plate(brightness=1.0)), Settings(STATED))
    assert codes(result) == ["GP-A070"]
    assert result.g_factors == {}
    (ki,), (whole,) = result.of("glue"), analysed(competition_plate(brightness=1.0)).of("glue")
    assert ki.value_nm == pytest.approx(whole.value_nm, rel=0.02)


def test_a_given_brightness_ratio_is_used():
    found = polarization.analyse(
        competition_plate(), Settings(STATED, Optics(g_factor=G, brightness_ratio=1.0 - 0.1 / 0.28808552))
    )
    assert found.of("glue")[0].value_nm == pytest.approx(
        analysed(competition_plate()).of("glue")[0].value_nm, rel=1e-3
    )


def test_an_impossible_brightness_is_said():
    assert "GP-A079" in codes(analysed(competition_plate(brightness=0.6)))


def test_missing_controls_are_a_warning():
    for role in ("tracer_only", "tracer_protein"):
        result = analysed(competition_plate().filter(pl.col("role") != role))
        assert codes(result) == ["GP-A075"]
        (ki,) = result.of("glue")
        assert ki.low_nm < 156.6 < ki.high_nm


def test_few_doses_are_no_curve():
    few = competition_plate().filter(~pl.col("well").str.contains(r"^[ABC](4|5|6|7|8|9|10|11)$"))
    result = analysed(few)
    assert codes(result) == ["GP-A076"]
    assert result.of("glue") == ()


def test_flat_nonsense_has_no_ki():
    wells = competition_plate()
    rng = np.random.default_rng(1)
    flat = rng.uniform(5000.0, 15000.0, wells.height)
    tracer = ~pl.col("role").is_in(["blank"])
    with pytest.raises(InputError, match="GP-A208"):
        analysed(wells.with_columns(value=pl.when(tracer).then(pl.Series(flat)).otherwise("value")))
    rivals = pl.col("role") == "competitor"
    result = analysed(wells.with_columns(value=pl.when(rivals).then(pl.Series(flat)).otherwise("value")))
    assert {"GP-A076", "GP-A073", "GP-A072"} & set(codes(result))


@pytest.mark.parametrize(
    ("exchanged", "said"),
    [
        ({"parallel": "perpendicular", "perpendicular": "parallel"}, "below zero, and lower with protein"),
        ({"tracer_only": "tracer_protein", "tracer_protein": "tracer_only"}, "protein lowers it"),
    ],
)
def test_exchanged_channels_and_controls_are_refused(exchanged, said):
    column = "channel" if "parallel" in exchanged else "role"
    wells = competition_plate().with_columns(pl.col(column).replace(exchanged))
    with pytest.raises(InputError, match="GP-A208") as caught:
        analysed(wells)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("factor", "said"), [(1e-3, "polarisations, not mP"), (5.0, "above what a solution")]
)
def test_stored_polarisations_that_cannot_be_are_refused(factor, said):
    mp = competition_plate().filter(pl.col("channel") == "parallel").with_columns(channel=pl.lit("mP"))
    level = {"tracer_only": 60.0, "tracer_protein": 200.0, "competitor": 130.0, "blank": 0.0}
    wells = mp.with_columns(
        value=factor * pl.col("role").replace_strict(level, return_dtype=pl.Float64), unit=pl.lit("mP")
    )
    with pytest.raises(InputError, match="GP-A208") as caught:
        analysed(wells)
    assert said in str(caught.value)


def test_a_bell_is_no_simple_competition():
    wells = competition_plate(noise=0.001)
    shift = pl.when(pl.col("well").str.contains("1[01]$")).then(1.2).otherwise(1.0)
    par = pl.when(pl.col("channel") == "parallel").then(shift).otherwise(1.0)
    assert "GP-A077" in codes(analysed(wells.with_columns(value=pl.col("value") * par)))


def test_unused_wells_are_counted_with_their_reason():
    wells = competition_plate()
    flagged = wells.with_columns(
        flag=pl.when(pl.col("well") == "A1").then(pl.lit("above_range")).otherwise(pl.lit("")),
        value=pl.when(pl.col("well") == "B1").then(None).otherwise("value"),
        role=pl.when(pl.col("well") == "C1").then(pl.lit("protein_only"))
        .when(pl.col("well") == "C2").then(pl.lit("")).otherwise("role"),
    )  # fmt: skip
    found = [found for found in analysed(flagged).findings if found.code == "GP-A078"]
    assert {(one.where, one.severity) for one in found} == {
        ("A1", "warning"), ("B1", "warning"), ("C1", "note"), ("C2", "note")
    }  # fmt: skip


def test_channels_of_other_names_are_refused_and_can_be_named():
    wells = competition_plate().with_columns(pl.col("channel").replace("parallel", "S-channel"))
    with pytest.raises(InputError, match=r'GP-A060.*no channel "parallel".*S-channel'):
        analysed(wells)
    named = polarization.analyse(wells, Settings(STATED, Optics(g_factor=G, parallel="s-CHANNEL")))
    assert named.of("glue") == analysed(competition_plate()).of("glue")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"concentration_unit": pl.lit("")}, "without unit"),
        ({"concentration": pl.lit(-1.0)}, "-1"),
        ({"concentration": pl.lit(None, pl.Float64)}, "without concentration"),
    ],
)
def test_competitors_need_a_concentration_with_unit(changed, words):
    with pytest.raises(InputError, match=f"GP-A061.*{words}"):
        analysed(competition_plate().with_columns(**changed))


@pytest.mark.parametrize("unit", ["furlong", "ng/mL"])
def test_units_that_are_not_molar_are_refused_with_their_well(unit):
    with pytest.raises(InputError, match=f'GP-A061.*"{unit}"') as caught:
        analysed(competition_plate().with_columns(concentration_unit=pl.lit(unit)))
    assert "well " in caught.value.where


def test_a_well_to_leave_out_must_be_there():
    with pytest.raises(InputError, match="GP-A240"):
        analysed(competition_plate(), exclude=("Z99",))


def test_a_plate_with_nothing_to_fit_is_refused():
    with pytest.raises(InputError, match="GP-A063"):
        analysed(competition_plate().filter(pl.col("role") != "competitor"))


def titration_rows(kd=120.0, q=0.8, tracer=5.0):
    rows = []
    for i, protein in enumerate(np.repeat(3000.0 / 2.0 ** np.arange(10), 2)):
        total = protein + tracer + kd
        bound = 0.5 * (total - np.sqrt(total * total - 4.0 * protein * tracer)) / tracer
        brightness = 1.0 - bound + q * bound
        r = ((1.0 - bound) * 0.05 + q * bound * 0.3) / brightness
        content = {"concentration": protein, "concentration_unit": "nM"}
        rows += light(f"{'DE'[i % 2]}{1 + i // 2}", "tracer_protein", r, 30000.0 * brightness, **content)
    return rows


def test_a_titration_on_the_plate_gives_the_kd_and_serves_the_ki():
    wells = competition_plate(noise=0.0)
    both = pl.concat([wells, pl.DataFrame(titration_rows(), schema=wells.schema)])
    result = analysed(both, Conditions(STATED.protein, STATED.tracer))
    (kd,) = result.of("tracer titration", "Kd")
    assert kd.value_nm == pytest.approx(120.0, rel=0.01)
    assert result.tables["titrations"]["model"].to_list() == ["quadratic", "hyperbola"]
    assert result.tables["titrations"]["brightness_ratio"][0] == pytest.approx(0.8, rel=0.01)
    assert codes(result) == ["GP-A064"]
    assert "from the titration" in result.findings[0].message
    assert result.of("glue")[0].value_nm == pytest.approx(156.6, rel=0.01)


def test_a_titration_alone_needs_the_tracer():
    controls = competition_plate().filter(pl.col("role").is_in(["blank", "tracer_only"]))
    alone = pl.concat([controls, pl.DataFrame(titration_rows(), schema=controls.schema)])
    assert analysed(alone, Conditions(tracer=Amount(5.0))).of("tracer titration", "Kd")[0].relation == "="
    refused = analysed(alone, Conditions())
    assert codes(refused, "refusal") == ["GP-A064"]
    assert refused.potencies == ()


def test_a_layout_with_another_protein_concentration_is_named():
    control = pl.col("role") == "tracer_protein"
    wells = competition_plate().with_columns(
        concentration=pl.when(control).then(0.1).otherwise("concentration"),
        concentration_unit=pl.when(control).then(pl.lit("uM")).otherwise("concentration_unit"),
    )
    (finding,) = analysed(wells).findings
    assert finding.code == "GP-A074"
    assert "names 100 nM protein" in finding.message


def test_endless_light_is_not_measured():
    wells = competition_plate()
    wells = wells.with_columns(value=pl.when(pl.col("well") == "A1").then(np.inf).otherwise("value"))
    (finding,) = analysed(wells).findings
    assert (finding.code, finding.where) == ("GP-A078", "A1")
