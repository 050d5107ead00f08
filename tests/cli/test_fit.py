"""`glueprint fit`: the examples of its page, numbers held to `curves`, and what it refuses."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import curves
from glueprint.cli.app import app
from glueprint.errors import InputError

PAGE = Path(__file__).parents[2] / "docs" / "prism.md"
(CSV,) = re.findall(r"```csv\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
(BASH,) = re.findall(r"```bash\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
COMMANDS = [line for line in BASH.splitlines() if not line.startswith("#")]
BASE = ["doses.csv", "--x", "dose_nM", "--y", "response", "--by", "compound"]


@pytest.fixture(autouse=True)
def doses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("doses.csv").write_text(CSV)


def run(*arguments):
    return CliRunner().invoke(app, ["fit", *arguments], catch_exceptions=False)


def told(*arguments):
    done = run(*BASE, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return payload(done.stdout)


def table():
    return pl.read_csv("doses.csv")


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_page_runs(line):
    program, command, *arguments = shlex.split(line)
    assert (program, command) == ("glueprint", "fit")
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    assert "ec50" in done.output or "span" in done.output


def test_the_numbers_are_those_of_the_library():
    found = told()
    both = curves.fit(
        "4pl",
        table()["dose_nM"][:8].to_numpy(),
        table()["response"].to_numpy().reshape(2, 8),
        intervals="all",
    )
    rows = {(row["set"], row["parameter"]): row for row in found["parameters"]}
    for i, name in enumerate("AB"):
        for ours, parameter in (("top", "front"), ("bottom", "back"), ("ec50", "ec50"), ("slope", "slope")):
            assert rows[name, ours]["estimate"] == pytest.approx(both[parameter][i], rel=1e-9)
            assert rows[name, ours]["low"] == pytest.approx(both.interval(parameter)[i, 0], rel=1e-6)
    assert rows["A", "asymmetry"]["fixed"]
    assert found["sets"][0]["rss"] == pytest.approx(both.rss[0])
    (one, _) = (row for row in found["potencies"] if row["definition"] == "relative")
    assert one["value"] == pytest.approx(both["ec50"][0], rel=1e-6)


def test_one_ec50_is_refuted_by_hand_made_f_and_aicc():
    (row,) = told("--shared", "top,bottom,slope", "--same", "ec50")["comparisons"]
    dose, y = table()["dose_nM"][:8].to_numpy(), table()["response"].to_numpy().reshape(2, 8)
    names = ("front", "back", "slope")
    one = curves.fit("4pl", dose, y, shared=(*names, "ec50"), intervals=False)
    each = curves.fit("4pl", dose, y, shared=names, intervals=False)
    assert row["f"] == pytest.approx((one.rss.sum() - each.rss.sum()) / (each.rss.sum() / 11.0), rel=1e-6)
    # AICc with n = 16 and k = 5 parameters and the error: 16 ln(rss / 16) + 2 k + 2 k (k + 1) / (n - k - 1).
    assert row["aicc_simple"] == pytest.approx(16 * np.log(one.rss.sum() / 16) + 10 + 60 / 10)
    assert (row["extra"], row["dof"], row["preferred"]) == (1, 11, "one each")


def test_models_are_compared_by_the_f_test_only_where_one_contains_the_other():
    nested = told("--model", "3pl", "--against", "4pl")["comparisons"]
    assert [row["p"] is None for row in nested] == [False, False]
    other = told("--against", "weibull")["comparisons"]
    assert [row["p"] for row in other] == [None, None]
    assert all(0.0 <= row["probability_general"] <= 1.0 for row in other)


def test_columns_are_data_sets_or_replicates():
    wide = pl.DataFrame(
        {
            "dose": [0.0, 1, 10, 100, 1000],
            "a": [1.0, 0.97, 0.8, 0.3, 0.1],
            "b": [1.02, 0.98, 0.78, 0.33, 0.12],
        }
    )
    apart = curves.fit_table(wide, x="dose", y=("a", "b"))
    assert apart.tables["sets"]["set"].to_list() == ["a", "b"]
    together = curves.fit_table(wide, x="dose", y=("a", "b"), replicates=True)
    assert together.tables["sets"]["points"].to_list() == [10]
    long = curves.fit_table(apart.tables["points"].with_columns(dose="x"), x="dose", y="y")
    lack, same = (one.tables["sets"]["lack_of_fit_p"][0] for one in (together, long))
    assert lack == pytest.approx(same)


def test_logarithms_of_doses_are_doses():
    logs = table().filter(pl.col("dose_nM") > 0.0).with_columns(log=pl.col("dose_nM").log10())
    plain = curves.fit_table(logs, x="dose_nM", y="response", by="compound")
    found = curves.fit_table(logs, x="log", y="response", by="compound", log10_x=True)
    estimates, plainly = (one.tables["parameters"]["estimate"].to_numpy() for one in (found, plain))
    np.testing.assert_allclose(estimates, plainly, rtol=1e-6)


def test_weights_of_the_curve_are_a_fixed_point():
    found = curves.fit_table(table(), x="dose_nM", y="response", by="compound", weights="1/y2")
    np.testing.assert_allclose(
        found.tables["points"]["weight"], found.tables["points"]["fitted"].to_numpy() ** -2, rtol=1e-4
    )
    again = curves.fit_table(
        found.tables["points"].rename({"set": "compound"}), x="x", y="y", by="compound", weights="weight"
    )
    np.testing.assert_allclose(
        again.tables["parameters"]["estimate"].to_numpy(),
        found.tables["parameters"]["estimate"].to_numpy(),
        rtol=1e-4,
    )


def test_an_outlier_is_listed_and_the_plain_fit_stays():
    bent = table().with_columns(
        response=pl.when((pl.col("dose_nM") == 100) & (pl.col("compound") == "A"))
        .then(80.0)
        .otherwise("response")
    )
    many = pl.concat([bent, table().with_columns(pl.col("response") + 0.5)])
    found = curves.fit_table(many, x="dose_nM", y="response", by="compound", robust=True)
    flagged = found.tables["points"].filter("outlier")
    assert flagged.select("set", "x", "y").rows() == [("A", 100.0, 80.0)]
    plain = curves.fit_table(many, x="dose_nM", y="response", by="compound")
    assert found.tables["parameters"].equals(plain.tables["parameters"])
    assert "A ec50" in str(found)


def test_two_inputs_are_named():
    time, dose = (
        part.ravel() for part in np.meshgrid([1.0, 3.0, 6.0, 24.0], [0.0, 3.0, 30.0, 300.0, 3000.0])
    )
    rate = 0.1 + 1.2 * dose / (dose + 40.0)
    left = 0.1 / rate + (1.0 - 0.1 / rate) * np.exp(-rate * time)
    pl.DataFrame({"t": time, "nM": dose, "left": left}).write_csv("kinetics.csv")
    inputs = ["--x", "dose_nm=nM", "--x", "time_h=t", "--y", "left"]
    done = run("kinetics.csv", *inputs, "--model", "degradation", "--fixed", "slope=1", "--json")
    rows = {row["parameter"]: row["estimate"] for row in payload(done.stdout)["parameters"]}
    assert rows["ec50_nm"] == pytest.approx(40.0, rel=1e-4)


def test_rows_without_numbers_are_counted():
    gap = table().with_columns(response=pl.when(pl.col("dose_nM") == 3).then(None).otherwise("response"))
    found = curves.fit_table(gap, x="dose_nM", y="response", by="compound")
    assert found.notes == ("2 rows without x or y left out",)
    assert found.tables["sets"]["points"].to_list() == [7, 7]


@pytest.mark.parametrize(
    ("code", "text", "arguments"),
    [
        ("GP-C050", 'did you mean "dose_nM"', ["--x", "dose_nm", "--y", "response"]),
        ("GP-C050", "is no number", ["--x", "dose_nM", "--y", "compound"]),
        ("GP-C051", "outliers with shared", [*BASE[1:], "--robust", "--shared", "slope"]),
        ("GP-C051", "one value of slope", ["--x", "dose_nM", "--y", "response", "--same", "slope"]),
        ("GP-C051", "level and control", [*BASE[1:], "--level", "50"]),
        (
            "GP-C051",
            "absolute potency",
            [*BASE[1:], "--model", "weibull", "--level", "50", "--control", "100"],
        ),
        ("GP-C051", '"bottom"', [*BASE[1:], "--fixed", "bottom"]),
        ("GP-C051", "NAME=NUMBER", [*BASE[1:], "--start", "bottom=low"]),
        ("GP-C051", "control of 1, where", [*BASE[1:], "--level", "0.5", "--control", "1"]),
        ("GP-C051", "one x for the model", [*BASE[1:], "--model", "degradation"]),
        ("GP-C020", 'did you mean "4pl"', [*BASE[1:], "--model", "4plx"]),
    ],
)
def test_refusals_name_what_is_wrong(code, text, arguments):
    with pytest.raises(InputError, match=code) as refused:
        run("doses.csv", *arguments)
    assert text in refused.value.render()
    if code == "GP-C050":
        assert refused.value.where.endswith("doses.csv")


def test_machine_code_and_the_general_descent_find_the_same():
    dose, y = table()["dose_nM"][:8].to_numpy(), table()["response"][:8].to_numpy()
    begun = {"front": 100.0, "back": 10.0, "ec50": 30.0, "slope": 1.0, "asymmetry": 1.0}
    for name in ("4pl", "3pl", "5pl"):
        slow, fast = curves.fit(name, dose, y, start=begun), curves.fit(name, dose, y)
        assert slow["ec50"][0] == pytest.approx(fast["ec50"][0], rel=1e-5)
        np.testing.assert_allclose(slow.interval("ec50"), fast.interval("ec50"), rtol=1e-4)
        assert slow.rss[0] == pytest.approx(fast.rss[0], rel=1e-6)


def fitted(rows, *arguments):
    Path("own.csv").write_text(rows)
    return run("own.csv", *arguments, "--json")


FALLING = "dose,y,c\n" + "".join(f"{d},{100 / (1 + d / 30) + 3:.2f},A\n" for d in (0, 1, 3, 10, 30, 100, 300))


def test_top_and_bottom_are_the_plateaus_whichever_way_the_curve_goes():
    options = ("--x", "dose", "--y", "y", "--fixed", "Bottom=0")
    falling = payload(fitted(FALLING, *options).stdout)
    assert next(row["estimate"] for row in falling["parameters"] if row["parameter"] == "bottom") == 0.0
    rising = "dose,y\n" + "".join(
        f"{d},{100 - 100 / (1 + d / 30) + 3:.2f}\n" for d in (0, 1, 3, 10, 30, 100, 300)
    )
    found = payload(fitted(rising, *options).stdout)
    assert next(row["estimate"] for row in found["parameters"] if row["parameter"] == "bottom") == 0.0
    both = FALLING + "".join(f"{d},{d},B\n" for d in (0, 1, 3, 10, 30, 100))
    with pytest.raises(InputError, match=r"GP-C051.*fall and curves that rise"):
        fitted(both, *options, "--by", "c")


def test_logarithms_given_as_doses_are_told_apart():
    with pytest.raises(InputError, match=r"GP-C023.*(?s:.*)--log10-x"):
        fitted("x,y\n-1,90\n0,80\n1,50\n2,20\n3,5\n", "--x", "x", "--y", "y")


def test_columns_that_nobody_asked_for_are_named():
    found = payload(fitted(FALLING, "--x", "dose", "--y", "y").stdout)
    assert "columns not read: c" in found["notes"]


def test_a_formula_may_be_written_in_the_name_of_the_column():
    rows = "hours,y\n" + "".join(f"{t},{50 * np.exp(-0.3 * t) + 3 + 0.1 * (-1) ** t:.5f}\n" for t in range(9))
    start = ("--start", "a=40", "--start", "k=0.2", "--start", "c=1")
    found = fitted(rows, "--x", "hours", "--y", "y", "--model", "a*exp(-k*hours)+c", *start)
    estimates = {row["parameter"]: row["estimate"] for row in payload(found.stdout)["parameters"]}
    assert estimates["k"] == pytest.approx(0.3, rel=0.02)


def test_constant_responses_have_no_error_and_no_interval():
    rows = "dose,y\n" + "".join(f"{d},100\n" for d in (0, 1, 3, 10, 30, 100, 300))
    for model in ("4PL", "5pl"):
        found = payload(fitted(rows, "--x", "dose", "--y", "y", "--model", model).stdout)
        assert all(row["low"] is row["high"] is row["standard_error"] is None for row in found["parameters"])
        assert found["potencies"][0]["relation"] == ">"


def test_what_cannot_be_compared_has_no_preference():
    rows = FALLING + "1,90,B\n10,50,B\n"
    options = ("--x", "dose", "--y", "y", "--by", "c")
    assert (
        payload(fitted(rows, *options, "--same", "ec50").stdout)["comparisons"][0]["preferred"] == "not told"
    )
    shared = payload(fitted(rows, *options, "--shared", "slope").stdout)
    assert [row["status"] for row in shared["sets"]] == ["FINE", "TOO_FEW_POINTS"]
    own = [
        row for row in shared["parameters"] if row["set"] == "B" and not row["fixed"] and not row["shared"]
    ]
    assert all(row["standard_error"] is None for row in own)


HOOK = "dose,y\n" + "".join(
    f"{d},{y}\n"
    for d, y in zip((0, 1, 3, 10, 30, 100, 300, 1000), (100, 95, 70, 30, 15, 40, 70, 90), strict=True)
)


def test_a_response_that_turns_back_is_no_absence_of_effect():
    found = payload(fitted(HOOK, "--x", "dose", "--y", "y").stdout)
    assert found["sets"][0]["status"] == "TURNS"
    (potency,) = found["potencies"]
    assert (potency["relation"], potency["value"]) == ("none", None)
    assert "model hook" in potency["reasons"]
    mild = HOOK.replace("15\n", "10\n").replace("40\n", "12\n").replace("70\n1000,90", "25\n1000,50")
    (note,) = payload(fitted(mild, "--x", "dose", "--y", "y").stdout)["notes"]
    assert "model hook fits better" in note


def test_flat_curves_rarely_turn():
    rng = np.random.default_rng(5)
    doses = np.array([0.0, 1, 3, 10, 30, 100, 300, 1000])
    fits = curves.fit("4pl", doses, rng.normal(100.0, 5.0, (2000, 8)), intervals=False)
    assert (fits.status == curves.Status.TURNS).mean() < 0.02
    assert (fits.status == curves.Status.NO_EFFECT).mean() > 0.93


def test_errors_are_weights_only_as_their_squares_inverse():
    rows = "dose,y,sd\n" + "".join(
        f"{d},{100 / (1 + d / 30) + d % 7},{1 + d % 2}\n" for d in (0, 1, 3, 10, 31, 99)
    )
    asked = ("--x", "dose", "--y", "y", "--model", "3pl", "--weights")
    with pytest.raises(InputError, match=r'GP-C051.*"sd", by its name an error'):
        fitted(rows, *asked, "sd")
    found = payload(fitted(rows, *asked, "1/sd2").stdout)
    assert [row["weight"] for row in found["points"]] == [1.0, 0.25, 0.25, 1.0, 0.25, 0.25]
    with pytest.raises(InputError, match=r'GP-C050.*row 2, column "sd": an error of 0'):
        fitted(rows.replace("0,100.0,1", "0,100.0,0"), *asked, "1/sd2")
    gap = payload(fitted(rows.replace("0,100.0,1", "0,100.0,"), *asked, "1/sd2").stdout)
    assert "1 rows without x, y or weight left out" in gap["notes"]


def test_a_weight_of_zero_leaves_a_row_out_and_says_so():
    rows = "dose,y,w\n" + "".join(f"{d},{100 / (1 + d / 30) + d % 7},1\n" for d in (0, 1, 3, 10, 31, 99))
    asked = ("--x", "dose", "--y", "y", "--model", "3pl", "--weights", "w")
    assert payload(fitted(rows, *asked).stdout)["notes"] == []
    silent = payload(fitted(rows.replace("3,93.9", "3,20.0").replace("1\n31", "0\n31"), *asked).stdout)
    assert "1 rows with a weight of 0 left out" in silent["notes"]
    assert len(silent["points"]) == 5


def test_cells_in_per_cent_are_numbers_under_the_name_of_their_column():
    bare = "dose,y\n" + "".join(f"{d},{100 / (1 + d / 30) + d % 7:.1f}\n" for d in (0, 1, 3, 10, 31, 99))
    signed = re.sub(r"(\d\.\d)\n", r"\1%\n", bare)
    asked = ("--x", "dose", "--y", "y", "--model", "3pl")
    plain, found = (payload(fitted(rows, *asked).stdout) for rows in (bare, signed))
    assert found["parameters"] == plain["parameters"]
    assert found["notes"] == ['"y" is in per cent', *plain["notes"]]
    cells = pl.read_csv(signed.encode(), schema_overrides={"y": pl.String})
    assert curves.fit_table(cells, x="dose", y="y", model="3pl").as_dict()["points"] == found["points"]


def test_a_formula_without_a_value_is_refused_at_the_point():
    with pytest.raises(InputError, match=r'GP-C023.*x of 0, where "a/x\+b" has no value'):
        fitted(FALLING, "--x", "dose", "--y", "y", "--model", "a/x+b", "--start", "a=1", "--start", "b=1")


def test_cells_that_are_limits_and_a_column_of_upper_ends():
    cells = CSV.replace("1000,9.8,A", "1000,<15,A").replace("300,13.9,A", "300,<15,A")
    Path("doses.csv").write_text(cells)
    found = told()
    rows = [row for row in found["points"] if row["set"] == "A" and row["x"] >= 300.0]
    assert [(row["y"], row["limit"]) for row in rows] == [(15.0, "< 15")] * 2
    assert [row["dof"] for row in found["sets"]] == [2, 4]
    lines = [line + ("," if i else ",most") for i, line in enumerate(CSV.strip().splitlines())]
    Path("doses.csv").write_text("\n".join(lines).replace("1000,9.8,A,", "1000,5,A,15"))
    ranged = told("--upper", "most")
    assert [row["limit"] for row in ranged["points"] if row["limit"]] == ["5 to 15"]


def test_a_column_of_logarithms_is_no_column_of_doses():
    logs = table().filter(pl.col("dose_nM") > 0.0).with_columns(log_dose=pl.col("dose_nM").log10())
    with pytest.raises(InputError, match="by its name a logarithm") as caught:
        curves.fit_table(logs, x="log_dose", y="response", by="compound")
    assert caught.value.code == "GP-C051"
    for name in ("catalog", "log_dose"):
        given = logs.rename({"log_dose": "kept", "dose_nM": "dose"}).rename({"dose": name})
        line = {"model": "a+b*x", "start": {"a": 1.0, "b": 0.0}} if name == "log_dose" else {}
        curves.fit_table(given, x=name, y="response", by="compound", **line)


PAIR = {"dose": [1.0, 10.0, 30.0, 100.0, 1000.0] * 2, "y": [100.0, 85, 52, 20, 5, 90, 80, 75, 40, 15]}


def test_data_sets_are_not_pooled_by_the_blanks_in_their_names():
    """ "x y" of "z" and "x" of "y z" were one data set, "x y z"."""
    table = pl.DataFrame({**PAIR, "a": ["x y"] * 5 + ["x"] * 5, "b": ["z"] * 5 + ["y z"] * 5})
    found = curves.fit_table(table, x="dose", y="y", by=("a", "b"))
    assert found.tables["sets"]["set"].to_list() == ["'x y', 'z'", "'x', 'y z'"]
    assert found.tables["sets"]["points"].to_list() == [5, 5]


def test_data_sets_that_may_be_one_are_told():
    table = pl.DataFrame({**PAIR, "a": ["GLX-1", "GLX-1 "] * 2 + ["GLX-1"] + ["glx-1"] * 4 + [None]})
    found = curves.fit_table(table, x="dose", y="y", by="a")
    assert found.tables["sets"]["points"].to_list() == [5, 4, 1]
    assert (
        "data sets 'GLX-1' and 'glx-1' differ in capitals or blanks alone, and are fitted apart"
        in found.notes
    )
    assert "rows without a name of their data set are one set" in found.notes


def test_a_number_given_twice_is_refused_and_starts_go_by_the_names_of_the_table():
    with pytest.raises(InputError, match="GP-C051") as caught:
        run(*BASE, "--fixed", "top=100", "--fixed", "top=90")
    assert "given twice" in caught.value.expected
    starts = ("top=90", "bottom=1", "ec50=20", "slope=1")
    words = [word for start in starts for word in ("--start", start)]
    ours, begun = (row["rss"] for row in (told()["sets"][0], told(*words)["sets"][0]))
    assert begun == pytest.approx(ours, rel=1e-6)
