"""Data sets of NONMEM's kind: read as they are, followed row by row, refused with the place."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Routes, Settings
from glueprint.errors import InputError, NotSupportedError

TEXT = """
  species gut = 0, central = 0;
  J1: gut -> central; ka*gut;  J2: central -> ; CL/V*central;
  CL := CL70*(WT/70)^0.75;  V := 0.5*WT;  conc := central/V;
  CL70 = 3.5; WT = 70; ka = 1.3; ALAG1 = 0.4; F1 = 0.8; R2 = 20; D1 = 3;
"""
KA, KE = 1.3, 0.1
FINE = Settings(accuracy=1e-9)
HEAD = "ID,TIME,AMT,RATE,DUR,EVID,CMT,ADDL,II,SS"


@pytest.fixture(scope="module")
def model():
    return engine.compile(TEXT)


@pytest.fixture
def read(tmp_path):
    def make(text, **how):
        path = tmp_path / "set.csv"
        path.write_text(text, encoding="utf-8")
        return engine.read_records(path, **how)

    return make


def row(time, amount=".", rate=".", dur=".", evid=".", cmt=2, addl=".", ii=".", ss=".", patient=1):
    if evid == ".":
        evid = 0 if amount == "." else 1
    return f"{patient},{time},{amount},{rate},{dur},{evid},{cmt},{addl},{ii},{ss}"


def table(*rows):
    return "\n".join([HEAD, *rows]) + "\n"


def central(model, records, routes=None, **how):
    followed = engine.follow(model, records, routes, outputs=["central"], settings=FINE, **how)
    assert followed.ok
    return followed["central"]


def bolus(since, ke=KE):
    return np.where(np.asarray(since) >= 0, np.exp(-ke * np.asarray(since)), 0.0)


def oral(since, ke=KE):
    since = np.asarray(since, dtype=float)
    with np.errstate(over="ignore"):
        return np.where(since >= 0, KA / (KA - ke) * (np.exp(-ke * since) - np.exp(-KA * since)), 0.0)


def infusion(since, duration, ke=KE):
    since = np.asarray(since, dtype=float)
    during = (1 - np.exp(-ke * np.minimum(since, duration))) / (ke * duration)
    return np.where(since >= 0, during * np.exp(-ke * np.maximum(since - duration, 0.0)), 0.0)


def theophylline_kind():
    """Twelve people, a swallowed dose each, eleven samples: made up, of the shape of the literature's set."""
    random = np.random.default_rng(12)
    hours = np.array([0.0, 0.25, 0.5, 1.0, 2.0, 3.5, 5.0, 7.0, 9.0, 12.0, 24.0])
    lines = ["ID,TIME,AMT,DV,WT,SEX", "# made up"]
    people = []
    for number in range(1, 13):
        weight, amount = round(random.uniform(54, 87), 1), int(random.uniform(260, 340))
        times = np.round(np.append(0.0, hours[1:] + random.uniform(-0.03, 0.1, 10)), 2)
        people.append((weight, amount, times))
        lines.append(f"{number},0,{amount},.,{weight},{'FM'[number % 2]}")
        lines += [
            f"{number},{time},.,{random.uniform(0, 11):.2f},{weight},{'FM'[number % 2]}" for time in times
        ]
    return "\n".join(lines) + "\n", people


def test_a_set_of_the_theophylline_kind(model, read):
    text, people = theophylline_kind()
    records = read(text)
    assert (len(records.labels), records.ignored, records.texts) == (12, 1, ("SEX",))
    assert list(Routes.of(model, records).covariates.items()) == [("WT", "WT")]
    for settings, within in ((FINE, 1e-6), (Settings(), 1e-4)):
        followed = engine.follow(model, records, outputs=["conc"], settings=settings)
        assert followed.ok
        for number, (weight, amount, times) in enumerate(people):
            volume = 0.5 * weight
            want = amount / volume * oral(times, 3.5 * (weight / 70) ** 0.75 / volume)
            got = followed["conc"][records.patient == number][1:]
            assert (np.abs(got - want) <= within * np.maximum(want, 1e-3 * want.max())).all()
    checked = engine.follow(model, records, outputs=["conc"], verify=True)
    assert checked.ok
    assert (checked.achieved < 1e-5).all()
    assert checked.runs > 1


def test_a_covariate_in_the_first_row_alone(model, read):
    """As the literature's theophylline set has it: no names, blanks, a weight beside the dose alone."""
    text, people = theophylline_kind()
    lines = [line.split(",") for line in text.splitlines()[2:]]
    rows = ["  ".join([i, amt, t, dv, wt if amt != "." else "."]) for i, t, amt, dv, wt, _ in lines]
    records = read("\n".join(rows), columns=["ID", "DOSE=AMT", "TIME", "CP=DV", "WT"])
    assert records.filled == {"WT": 132}
    again = engine.follow(model, records, outputs=["conc"], settings=FINE)
    whole = engine.follow(model, read(text), outputs=["conc"], settings=FINE)
    np.testing.assert_array_equal(again.values, whole.values)
    assert len(people) == 12


def test_rows_at_one_time_come_in_their_order(model, read):
    records = read(table(row(0, 50), row(3), row(3, 20), row(3)))
    want = [50, 50 * bolus(3), 50 * bolus(3) + 20, 50 * bolus(3) + 20]
    np.testing.assert_allclose(central(model, records), want, rtol=1e-7)


def test_an_additional_dose_comes_before_a_row_at_its_time(model, read):
    """Also where the times differ by rounding: 3 x 0.1 is not 0.3."""
    records = read(table(row(0, 50, addl=3, ii=0.1), row(0.3), row(0.4)))
    want = 50 * np.array(
        [1.0, sum(bolus(0.1 * k) for k in range(4)), sum(bolus(0.1 * k) for k in range(1, 5))]
    )
    np.testing.assert_allclose(central(model, records), want, rtol=1e-7)


@pytest.mark.parametrize(
    ("dose", "curve"),
    [
        (row(1, 60, rate=20), lambda t: infusion(t - 1, 3)),
        (row(1, 60, dur=3), lambda t: infusion(t - 1, 3)),
        (row(1, 60, rate=-1), lambda t: infusion(t - 1, 3)),
        (row(1, 60, rate=-2), lambda t: infusion(t - 1, 3)),
        (row(1, 60, cmt=1), lambda t: oral(t - 1)),
        (row(1, 60, cmt="gut"), lambda t: oral(t - 1)),
        (row(1, 60, cmt="."), lambda t: oral(t - 1)),
        (row(1, 60, cmt=0), lambda t: oral(t - 1)),
        (row(1, "6D1", cmt="2.0"), lambda t: bolus(t - 1)),
        (row(1, 60, rate=20, addl=2, ii=5), lambda t: sum(infusion(t - 1 - 5 * k, 3) for k in range(3))),
        (row(1, 60, cmt=1, ss=1, ii=8), lambda t: sum(oral(t - 1 + 8 * k) for k in range(90)) * (t >= 1)),
        (
            row(1, 60, rate=5, ss=1, ii=8, addl=1),
            lambda t: sum(infusion(t - 1 + 8 * k, 12) for k in range(-1, 90)) * (t >= 1),
        ),
        # An endless infusion, which ends with its row.
        (row(1, 0, rate=6, ss=1, evid=1), lambda t: bolus(t - 1)),
        (row(1, 0, rate=-1, ss=1, evid=1), lambda t: 20 / 6 * bolus(t - 1)),
    ],
)
def test_doses_as_their_rows_say(model, read, dose, curve):
    times = np.array([0.5, 2.0, 7.5, 8.75, 12.0, 30.0])
    rows = [row(times[0]), dose, *(row(time) for time in times[1:])]
    records = read(table(*rows))
    routes = Routes.of(model, records, rate={"central": "R2"}, duration={"central": "D1"})
    got = np.delete(central(model, records, routes), 1)
    np.testing.assert_allclose(got, 60 * curve(times), rtol=2e-7, atol=1e-9)


def test_lag_and_share_come_from_the_model_patient_by_patient(model, read):
    lines = ["id,time,amt,cmt,ALAG1,F1"]
    people = [(1, 0.0, 1.0), (2, 0.7, 0.5), (3, 4.0, 0.2)]
    for number, lag, share in people:
        lines += [f"{number},{time},{amount},1,{lag},{share}" for time, amount in ((0, 100), (3, 0), (9, 0))]
    records = read("\n".join(lines))
    routes = Routes.of(model, records, lag={"gut": "ALAG1"}, bioavailability={"gut": "F1"})
    want = [share * 100 * oral(np.array([-0.0, 3, 9]) - lag) for _, lag, share in people]
    np.testing.assert_allclose(central(model, records, routes), np.concatenate(want), rtol=1e-7, atol=1e-9)
    halves = Routes.of(model, records, lag={"gut": 2}, bioavailability={"gut": 0.5})
    got = central(model, records, halves)
    np.testing.assert_allclose(got[1:3], 50 * oral([1.0, 7.0]), rtol=1e-7)


def test_a_reset_cancels_what_is_there_and_what_is_to_come(model, read):
    rows = [
        row(0, 50, addl=9, ii=6),
        row(1, 60, dur=24),
        row(8),
        row(10, evid=3),
        row(12),
        row(13, 5),
        row(14),
    ]
    followed = engine.follow(model, read(table(*rows)), outputs=["central"], settings=FINE)
    given = 50 * (bolus(8) + bolus(2)) + 60 * infusion(7, 24)
    np.testing.assert_allclose(followed["central"][[2, 3, 4, 6]], [given, 0, 0, 5 * bolus(1)], rtol=1e-7)
    assert followed.waiting == 8  # of nine additional doses, one came


def test_a_reset_and_dose_may_begin_its_clock_anew(model, read):
    rows = [row(0, 50), row(5), row(0, 70, evid=4), row(5), row(2, 7, evid=4, addl=1, ii=2), row(6)]
    want = [50, 50 * bolus(5), 70, 70 * bolus(5), 7, 7 * (bolus(4) + bolus(2))]
    np.testing.assert_allclose(central(model, read(table(*rows))), want, rtol=1e-7)


def test_steady_states_replace_or_add(model, read):
    rows = [
        row(0, 99, addl=50, ii=7),
        row(20, 40, ss=1, ii=24),
        row(32, 10, ss=2, ii=24, addl=1),
        row(40),
        row(60),
    ]
    got = central(model, read(table(*rows)))

    def morning(time):
        return 40 * sum(bolus(time - 20 + 24 * k) for k in range(40))

    def evening(time):
        return 10 * (sum(bolus(time - 32 + 24 * k) for k in range(40)) + bolus(time - 56))

    want = [99, morning(20.0), *(morning(t) + evening(t) for t in (32.0, 40.0, 60.0))]
    np.testing.assert_allclose(got, want, rtol=1e-7)


def test_a_covariate_holds_up_to_its_own_row(model, read):
    """As in NONMEM: from the row before to its row, and for the doses of its row."""
    lines = [
        "ID,TIME,AMT,CMT,CL70,ALAG1",
        "1,0,100,2,3.5,0",
        "1,10,0,2,7,0",
        "1,20,50,2,7,1",
        "1,30,0,2,1.75,3",
    ]
    records = read("\n".join(lines))
    routes = Routes.of(model, records, lag={"central": "ALAG1"})
    after_10 = 100 * bolus(10, 0.2)
    after_20 = after_10 * bolus(10, 0.2)
    after_30 = after_20 * bolus(10, 0.05) + 50 * bolus(9, 0.05)
    np.testing.assert_allclose(
        central(model, records, routes), [100, after_10, after_20, after_30], rtol=1e-7
    )


def test_patients_start_at_their_first_row(model, read):
    """Also before 0, and with what the model holds at the start."""
    rows = [row(-12, 50), row(0), row(100, 50, patient=2), row(112, patient=2), row(7, patient=3)]
    want = [50, 50 * bolus(12), 50, 50 * bolus(12), 0]
    np.testing.assert_allclose(central(model, read(table(*rows))), want, rtol=1e-7)
    made = engine.compile("species x = 8; J: x -> ; 0.1*x;")
    followed = engine.follow(made, read("ID,TIME,AMT\n1,5,0\n1,6,0\n"), settings=FINE)
    np.testing.assert_allclose(followed["x"], [8, 8 * bolus(1)], rtol=1e-7)


def test_an_event_of_the_model_starts_anew_with_a_reset(read):
    made = engine.compile("t' = 1; t = 0; x = 0; at t > 2: x = x + 1;")
    records = read("ID,TIME,AMT,EVID\n1,0,0,0\n1,3,0,0\n1,3,0,3\n1,4,0,0\n1,6,0,0\n")
    followed = engine.follow(made, records, outputs=["x", "t"])
    np.testing.assert_allclose(followed.values, [[0, 0], [1, 3], [0, 0], [0, 1], [1, 3]], atol=1e-6)


def test_a_patient_does_not_depend_on_its_neighbours(model, read):
    """Bit for bit, whatever the others' rows are."""
    mine = [row(0, 50, addl=2, ii=5, patient=7), row(3, 9, rate=3, patient=7), row(30, patient=7)]
    others = [row(0, 5, ss=1, ii=4), row(2, evid=3), row(9)]
    alone = central(model, read(table(*mine)))
    among = central(model, read(table(*others, *mine, row(1, 1, dur=5, patient=9))))
    np.testing.assert_array_equal(among[3:6], alone)


def test_a_failure_stays_with_its_patient(read):
    made = engine.compile("species x = 0; J: x -> ; k*x; k = 1; A' = x; A = 0;")
    records = read("ID,TIME,AMT,SS,II\n1,0,5,1,8\n1,2,0,0,0\n2,0,5,0,0\n2,2,0,0,0\n")
    followed = engine.follow(made, records, outputs=["x"])
    assert followed.status.tolist() == [9, 0]
    assert np.isnan(followed["x"][:2]).all()
    np.testing.assert_allclose(followed["x"][2:], [5, 5 * np.exp(-2)], rtol=1e-4)


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("id\ttime\tAmt\n1\t0\t7\n1\t2\t.\n", {}),
        ("ID TIME AMT\n  1  0  7\n 1 2 .\n", {}),
        ("ID;TIME;AMT\n1;0;7\n1;2;\n", {}),
        ('"ID","TIME","AMT"\n"1",0,7\n"1",2,NA\n', {}),
        ("#ID,TIME,AMT\n1,0,7\n\n# note\n1,2,.\n", {}),
        ("C,ID,TIME,AMT\n.,1,0,7\nC,1,1,99\n.,1,2,.\n", {}),
        ("TABLE NO 1\nID,TIME,AMT\n1,0,7\nTABLE NO 2\nID,TIME,AMT\n1,2,0\n", {"ignore": "@"}),
        ("ID,TIME,AMT\n1,0,7\nC1,1,99\n1,2,0\n", {"ignore": "C"}),
        ("1,0,7\n1,2,0\n", {"columns": ["ID", "TIME", "AMT"]}),
        ("1 5/6 0. 7.\n1 5/6 2. .\n", {"columns": ["ID", "DATE=DROP", "TIME", "DOSE=AMT"]}),
        ("ID,DATE,TIME,AMT\n1,3/4/99,0,7\n1,3/4/99,2,.\n", {"drop": ["date"]}),
        ("﻿ID,TIME,AMT,\r\n1,0,7,\r\n01,+2.0e0,,\r\n".replace("AMT,", "AMT"), {}),
        ("ID,TIME,AMT,EVID,MDV\n1,0,7,1,1\n1,2,0,2,1\n", {}),
    ],
)  # fmt: skip
def test_ways_to_write_one_set(read, text, how):
    records = read(text, **how)
    assert records.labels == ("1",)
    assert records.time.tolist() == [0.0, 2.0]
    assert records.amount.tolist() == [7.0, 0.0]
    assert records.is_dose.tolist() == [True, False]


def test_what_is_observed(read):
    records = read("ID,TIME,AMT,DV,MDV\n1,0,7,3,1\n1,1,0,4,0\n1,2,0,5,1\n1,3,0,.,0\n")
    np.testing.assert_array_equal(records.observed, [np.nan, 4, np.nan, np.nan])


def changed(**cells):
    return table(row(0, 50), row(**{"time": 3, **cells}), row(9))


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "GP-N055", "no first line"),
        ("1,2,3\n", "GP-N055", "no first line"),
        ("ID,TIM,AMT\n1,0,7\n", "GP-N055", "no first line"),
        ("ID,TIME,AMT\n", "GP-N055", "no rows"),
        ("ID,TIME,AMT\n1,0," + "7" * 140_000 + "\n", "GP-N055", "line 2: a line cannot be read"),
        ("ID,TIME,AMT,amt\n1,0,7,7\n", "GP-N055", '"AMT"'),
        ("ID,TIME,AMT\n1,0,x\n", "GP-N056", 'line 2, column AMT: "x"'),
        ("ID,TIME,AMT\n1,0,1_000\n", "GP-N056", '"1_000"'),
        ("ID,TIME,AMT\n1,0,inf\n", "GP-N056", '"inf"'),
        ("ID,TIME,AMT\n1,.,7\n", "GP-N056", "line 2, column TIME: no time"),
        ("ID,TIME,AMT\n.,0,7\n", "GP-N056", "line 2, column ID: no ID"),
        ("ID,TIME,AMT\n1,0,7\nC1,1,99\n", "GP-N056", 'line 3, column ID: "C1" beside "1"'),
        ("ID,TIME,AMT\n1,0\n", "GP-N056", "line 2: 2 cells"),
        ("ID,TIME,AMT\n1,0,7,8\n", "GP-N056", "line 2: 4 cells"),
        ("ID,TIME,AMT,ADDL,II\n1,0,7,1.5,8\n", "GP-N056", 'column ADDL: "1.5"'),
        ("ID,TIME,AMT,MDV\n1,0,7,2\n", "GP-N056", 'column MDV: "2"'),
        ("ID,TIME,AMT\n1,9:15,7\n", "GP-N058", "clock"),
        ("ID,DATE,TIME,AMT\n1,3/4/99,0,7\n", "GP-N058", "DATE"),
        (changed(evid=5), "GP-N058", "line 3, column EVID: EVID 5"),
        (changed(amount=7, ss=3, ii=8), "GP-N058", "SS 3"),
        (changed(amount=7, addl=-9, ii=8), "GP-N058", "ADDL -9"),
        (changed(amount=0, rate=7, ss=1, ii=8, evid=1), "GP-N057", "an endless infusion, with ADDL, II"),
        (changed(amount=0, rate=7, ss=1, addl=1, evid=1), "GP-N057", "an endless infusion"),
        (changed(amount=0, rate=-2, ss=1, evid=1), "GP-N057", "an endless infusion"),
        (changed(cmt=-2, evid=2), "GP-N058", "CMT -2"),
        (changed(amount=7, rate=-3), "GP-N058", "RATE -3"),
        (changed(amount=-7, evid=1), "GP-N035", "line 3, column AMT: AMT -7"),
        (changed(amount=7, evid=0), "GP-N057", "AMT 7 where EVID is 0"),
        (changed(amount=7, evid=3), "GP-N057", "AMT 7 where EVID is 3"),
        (changed(rate=7, evid=0), "GP-N057", "RATE 7"),
        (changed(dur=7, evid=2), "GP-N057", "DUR 7"),
        (changed(ss=1, evid=0), "GP-N057", "SS 1"),
        (changed(addl=1, evid=0), "GP-N057", "ADDL 1"),
        (changed(amount=0, evid=1), "GP-N057", "without an amount"),
        (changed(amount=7, dur=-1), "GP-N057", "DUR -1"),
        (changed(amount=7, dur=1, rate=7), "GP-N057", "both RATE 7 and DUR 1"),
        (changed(amount=7, addl=10**9, ii=1), "GP-N057", "ADDL 1000000000"),
        (changed(amount=7, addl=2), "GP-N057", "II 0 of repeated doses"),
        (changed(amount=7, ss=1, ii=-4), "GP-N057", "II -4"),
        (changed(time=-1), "GP-N057", "line 3, column TIME: TIME -1 after 0"),
        (table(row(0), row(0, patient=2), row(1)), "GP-N057", "line 4, column ID: ID 1 comes again"),
    ],
)
def test_sets_that_cannot_be_read(read, text, code, words):
    with pytest.raises((InputError, NotSupportedError), match=code) as caught:
        read(text)
    assert words in str(caught.value)
    assert caught.value.next_step


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(InputError, match="GP-N055"):
        engine.read_records(tmp_path / "missing.csv")
    (tmp_path / "odd.csv").write_bytes(b"ID,TIME\n1,0\x00\n")
    with pytest.raises(InputError, match="zero byte"):
        engine.read_records(tmp_path / "odd.csv")


def test_what_is_dropped_is_there(read):
    with pytest.raises(InputError, match="GP-N055") as caught:
        read("ID,TIME,AMT\n1,0,7\n", drop=["WT"])
    assert "to be dropped" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "how", "code", "words"),
    [
        (changed(amount=7, cmt=3), {}, "GP-N059", 'line 3, column CMT: CMT "3"'),
        (changed(amount=7, cmt="centrl"), {}, "GP-N059", 'did you mean "central"'),
        (changed(), {"compartments": {"1": "centrl"}}, "GP-N059", 'did you mean "central"'),
        (changed(), {"lag": {"guts": 1.0}}, "GP-N059", 'did you mean "gut"'),
        (changed(), {"covariates": {"WT": "weight"}}, "GP-N059", '"weight" is no column'),
        (changed(), {"covariates": {"conc": "WT"}}, "GP-N059", '"conc"'),
        (changed(), {"lag": {"gut": "ALAG2"}}, "GP-N060", 'did you mean "ALAG1"'),
        (changed(), {"lag": {"gut": "conc"}}, "GP-N060", "changes while the model runs"),
        (changed(amount=7, rate=-1), {}, "GP-N060", "no rate of infusions into central"),
        (changed(amount=7, rate=-2), {}, "GP-N060", "--duration central=D1"),
        (changed(amount=7), {"lag": {"central": -1.0}}, "GP-N060", "line 2: -1.0 of central is -1"),
        (changed(amount=7, rate=-1), {"rate": {"central": 0.0}}, "GP-N060", "above 0"),
        (changed(amount=7, ss=1, ii=8), {"lag": {"central": 8.0}}, "GP-N057", "a lag of 8 with II 8"),
        ("ID,TIME,AMT,WT\n1,0,7,70\n2,1,0,.\n", {}, "GP-N056", "line 3, column WT: a covariate"),
    ],
)
def test_routes_that_lead_nowhere(model, read, text, how, code, words):
    records = read(text)
    with pytest.raises(InputError, match=code) as caught:
        engine.follow(model, records, Routes.of(model, records, **how))
    assert words in str(caught.value)
    assert caught.value.next_step


def test_a_value_beside_a_column(model, read):
    with pytest.raises(InputError, match="GP-N009") as caught:
        engine.follow(model, read("ID,TIME,AMT,WT\n1,0,7,70\n"), parameters={"WT": 80.0})
    assert "--drop WT" in str(caught.value)


def test_values_of_patients_beside_the_set(model, read):
    records = read("ID,TIME,AMT,CMT\n1,0,50,2\n1,5,0,2\n2,0,50,2\n2,5,0,2\n")
    got = central(model, records, parameters={"CL70": np.array([3.5, 7.0])})
    np.testing.assert_allclose(got, [50, 50 * bolus(5), 50, 50 * bolus(5, 0.2)], rtol=1e-7)


def test_a_column_of_another_name_and_of_words(model, read):
    records = read("ID,TIME,AMT,CMT,weight,SEX\n1,0,70,2,140,F\n1,10,0,2,140,F\n")
    with pytest.raises(InputError, match="holds other things than numbers"):
        Routes.of(model, records, covariates={"WT": "SEX"})
    followed = engine.follow(
        model,
        records,
        Routes.of(model, records, covariates={"WT": "weight"}),
        outputs=["conc"],
        settings=FINE,
    )
    np.testing.assert_allclose(followed["conc"], bolus([0, 10], 3.5 * 2**0.75 / 70), rtol=1e-7)


def test_other_compartments_by_number(model, read):
    records = read(table(row(0, 50, cmt=1), row(4)))
    got = central(model, records, Routes.of(model, records, compartments={"1": "central"}))
    np.testing.assert_allclose(got, 50 * bolus([0, 4]), rtol=1e-7)


def test_records_in_another_unit_of_time(model, read):
    records = read(table(row(0, 50, rate=480), row(0.5, 24, addl=1, ii=1), row(2))).scaled(24.0)
    want = [0, 50 * infusion(12, 2.5) + 24, 50 * infusion(48, 2.5) + 24 * (bolus(36) + bolus(12))]
    np.testing.assert_allclose(central(model, records), want, rtol=1e-7)
    assert dataclasses.is_dataclass(records)
