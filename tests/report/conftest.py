"""Synthetic tables in the shape of a study's results: random numbers, no science, named so on the page."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import polars as pl
import pytest

from glueprint.report.tables import ReportInput, TrialTables

POM_DEX = "POM+LoDEX"
HIDEX = "HiDEX"
POM = "POM"
RESPONSES = ("CR", "VGPR", "PR", "MR", "SD", "PD", "NE")
GUIDE = (
    (1, "Cereblon binding affinity (Kd)", "", "264 ± 18 nM", 264.0, "nM", "input"),
    (1, "Cereblon binding affinity (Ki)", "", "156.60 nM", 156.6, "nM", "input"),
    (1, "Cereblon binding IC50", "", "153.9 nM", 153.9, "nM", "predicted"),
    (1, "Anti-proliferative IC50, RPMI8226", "", "8 µM", 8.0, "µM", "not modelled yet"),
    (1, "Anti-proliferative IC50, OPM2", "", "10 µM", 10.0, "µM", "not modelled yet"),
    (1, "Anti-proliferative IC50, MM1S", "", "128 nM", 128.0, "nM", "not modelled yet"),
    (1, "Treg proliferation inhibition IC50", "", "~1 µM", 1.0, "µM", "not modelled yet"),
    (2, "LPS-stimulated human PBMCs", "", "13 nM", 13.0, "nM", "input"),
    (2, "LPS-stimulated human whole blood", "", "25 nM", 25.0, "nM", "not modelled yet"),
    (3, "Overall response rate (ORR)", POM_DEX, "29.2%", 29.2, "%", "calibrated"),
    (3, "Overall response rate (ORR)", POM, "7.4%", 7.4, "%", "predicted"),
    (3, "Median duration of response", POM_DEX, "7.4 months", 7.4, "months", "predicted"),
    (3, "Median duration of response", POM, "Not Reached", None, "months", "predicted"),
    (3, "Median progression-free survival", POM_DEX, "4.2 months", 4.2, "months", "calibrated"),
    (3, "Median progression-free survival", POM, "2.7 months", 2.7, "months", "predicted"),
    (3, "Median overall survival", POM_DEX, "16.5 months", 16.5, "months", "calibrated"),
    (3, "Median overall survival", POM, "13.6 months", 13.6, "months", "predicted"),
    (4, "Median progression-free survival", POM_DEX, "4.0 months", 4.0, "months", "calibrated"),
    (4, "Median progression-free survival", HIDEX, "1.9 months", 1.9, "months", "calibrated"),
    (
        4,
        "Median progression-free survival",
        "Hazard ratio (95% CI)",
        "0.48 (0.39-0.60)",
        0.48,
        "ratio",
        "predicted",
    ),
    (4, "Median overall survival", POM_DEX, "12.7 months", 12.7, "months", "calibrated"),
    (4, "Median overall survival", HIDEX, "8.1 months", 8.1, "months", "calibrated"),
    (4, "Median overall survival", "Hazard ratio (95% CI)", "0.74 (0.56-0.98)", 0.74, "ratio", "predicted"),
    (4, "Overall response rate (ORR)", POM_DEX, "31%", 31.0, "%", "calibrated"),
    (4, "Overall response rate (ORR)", HIDEX, "10%", 10.0, "%", "predicted"),
    (5, "Neutropenia", POM_DEX, "48%", 48.0, "%", "calibrated"),
    (5, "Anaemia", POM_DEX, "33%", 33.0, "%", "calibrated"),
    (5, "Thrombocytopenia", POM_DEX, "22%", 22.0, "%", "predicted"),
    (5, "Pneumonia", POM_DEX, "13%", 13.0, "%", "predicted"),
)
ENDPOINT_OF = {
    "Overall": "orr", "Median duration": "median_dor", "Median progression": "median_pfs",
    "Median overall": "median_os", "Neutropenia": "neutropenia_grade_3_4", "Anaemia": "anaemia_grade_3_4",
    "Thrombocytopenia": "thrombocytopenia_grade_3_4", "Pneumonia": "pneumonia_grade_3_4",
}  # fmt: skip


def product_limit(times, events):
    """Kaplan-Meier rows by the product formula, with log-log bands; enough for a picture."""
    rows, survival, variance = [], 1.0, 0.0
    for time in np.unique(times):
        at_risk = int((times >= time).sum())
        died = int(((times == time) & events).sum())
        survival *= 1 - died / at_risk
        low = high = None
        if died and at_risk > died:
            variance += died / (at_risk * (at_risk - died))
        if 0 < survival < 1:
            reach = 1.96 * math.sqrt(variance) / math.log(survival)
            low, high = sorted((survival ** math.exp(reach), survival ** math.exp(-reach)))
        rows.append(
            {
                "time_months": float(time), "survival": survival, "low": low, "high": high,
                "at_risk": at_risk, "events": died, "censored": int((times == time).sum()) - died,
            }
        )  # fmt: skip
    return rows


def grade_shares(severe):
    """Shares of grades 0 to 4 for four events; `severe` is the share of grade 3 or 4 of the first."""
    rows = []
    for factor in (1.0, 0.5, 0.65, 0.3):
        worst = severe * factor
        rows.append([0.45 * (1 - worst), 0.3 * (1 - worst), 0.25 * (1 - worst), 0.6 * worst, 0.4 * worst])
    return rows


EVENTS = ("neutropenia", "thrombocytopenia", "anaemia", "pneumonia")
REASONS = ("progression", "death", "toxicity", "")
CUTS = ((-99, "CR"), (-90, "VGPR"), (-55, "PR"), (-30, "MR"), (25, "SD"), (math.inf, "PD"))


def best_of(change):
    """The response category of a change, by made-up cuts."""
    return next(label for cut, label in CUTS if change < cut)


class SyntheticArm:
    """One arm of one replicate: exponential times seen at 28-day visits, normal changes, random grades."""

    def __init__(self, random, head, n, medians):
        self.random, self.head, self.n = random, head, n
        pfs_median, os_median, change, severe = medians
        self.os = random.exponential(os_median / math.log(2), n)
        seen = np.ceil(random.exponential(pfs_median / math.log(2), n) / 0.92) * 0.92
        self.pfs = np.minimum(seen, self.os)
        self.follow = random.uniform(8, 22, n)
        self.change = np.clip(random.normal(change, 55, n), -100, 180)
        self.grades = np.stack([random.choice(5, n, p=shares) for shares in grade_shares(severe)])
        self.grades[3] = np.where(self.grades[3] >= 3, 3, 0)

    def curves(self):
        for endpoint, times in (("pfs", self.pfs), ("os", self.os)):
            for row in product_limit(np.minimum(times, self.follow), times <= self.follow):
                yield {**self.head, "endpoint": endpoint, **row}

    def endpoints(self):
        for endpoint, times in (("median_pfs", self.pfs), ("median_os", self.os)):
            middle = float(np.median(times))
            yield self.estimate(endpoint, middle, middle * 0.85, middle * 1.2, "months")
        for event, grades in zip(EVENTS, self.grades, strict=True):
            share = 100 * float((grades >= 3).mean())
            yield self.estimate(f"{event}_grade_3_4", share, max(0.0, share - 5), share + 5, "%")
        responders = 100 * float((self.change < -55).mean())
        yield self.estimate("orr", responders, responders - 5, responders + 6, "%")

    def estimate(self, endpoint, value, low, high, unit, p_value=None):
        return {
            **self.head, "endpoint": endpoint, "value": value, "low": low, "high": high, "unit": unit,
            "n": self.n, "events": 1, "p_value": p_value, "method": "synthetic",
        }  # fmt: skip

    def patients(self):
        draw = self.random
        for place in range(self.n):
            gone = place % 23 == 7
            yield {
                **self.head, "patient": place, "status": 0, "reason": "",
                "sex": "male" if draw.random() < 0.58 else "female",
                "age_y": float(draw.normal(64, 9)), "weight_kg": float(draw.normal(77, 14)),
                "best_response": "NE" if gone else best_of(self.change[place]),
                "best_change_pct": None if gone else float(self.change[place]),
                "off_treatment_reason": REASONS[int(draw.choice(4, p=[0.6, 0.14, 0.06, 0.2]))],
                "dose_reductions": int(draw.binomial(3, 0.12)), "dose_holds": int(draw.binomial(5, 0.25)),
                "relative_dose_intensity": float(np.clip(draw.normal(0.87, 0.12), 0.2, 1.0)),
                **{f"{name}_grade": int(row[place]) for name, row in zip(EVENTS, self.grades, strict=True)},
            }  # fmt: skip


def synthetic_trial(name, title, sizes, medians, replicates=3):
    """A trial of random patients. medians: arm -> months to progression and death, change, severe share."""
    random = np.random.Generator(np.random.Philox(key=sum(sizes)))
    patients, endpoints, curves = [], [], []
    for replicate in range(replicates):
        for (arm, given), n in zip(medians.items(), sizes, strict=True):
            one = SyntheticArm(random, {"trial": name, "replicate": replicate, "arm": arm}, n, given)
            patients += one.patients()
            endpoints += one.endpoints()
            curves += one.curves()
        one.head = {**one.head, "arm": " vs ".join(medians)}
        endpoints.append(one.estimate("hr_pfs", 0.51, 0.41, 0.64, "ratio", 0.00002))
        endpoints.append(one.estimate("hr_os", 0.77, 0.62, 0.96, "ratio", 0.031))
    everyone = pl.DataFrame(patients, infer_schema_length=None)
    return TrialTables(
        title=title,
        arms=tuple(medians),
        patients=everyone,
        visits=everyone.select("trial", "replicate", "arm", "patient"),
        endpoints=pl.DataFrame(endpoints, infer_schema_length=None),
        survival_curves=pl.DataFrame(curves, infer_schema_length=None),
    )


BOUNDS = {0.48: (0.39, 0.60), 0.74: (0.56, 0.98), 264.0: (246.0, 282.0)}


def arm_of(table, column):
    if table < 3:
        return None
    return f"{POM_DEX} vs {HIDEX}" if column.startswith("Hazard") else column


def synthetic_comparison():
    """The guide's rows, with made-up computed values beside them."""
    random = np.random.Generator(np.random.Philox(key=5))
    rows = []
    for place, (table, row, column, published, value, unit, label) in enumerate(GUIDE):
        computed = (
            None if label == "not modelled yet" or value is None else value * float(random.lognormal(0, 0.12))
        )
        if label == "input":
            computed = value
        key = next((name for start, name in ENDPOINT_OF.items() if row.startswith(start) and table > 2), None)
        if column.startswith("Hazard"):
            key = f"hr_{str(key).removeprefix('median_')}"
        rows.append(
            {
                "guide_table": table, "row": row, "column": column, "claim_id": f"G{table}-{place:02d}",
                "published": published, "published_value": value,
                "published_low": BOUNDS.get(value, (None, None))[0],
                "published_high": BOUNDS.get(value, (None, None))[1],
                "unit": unit, "computed": computed,
                "computed_low": None if computed is None or label == "input" else computed * 0.85,
                "computed_high": None if computed is None or label == "input" else computed * 1.2,
                "label": label,
                "how": "synthetic number for the test page" if computed is not None else "",
                "note": "the label of the drug prints 33 %" if (table, place) == (3, 9) else "",
                "trial": {3: "mm002", 4: "mm003", 5: "mm003"}.get(table),
                "arm": arm_of(table, column),
                "endpoint": key,
            }
        )  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def synthetic_profiles():
    """Smooth curves with bands: three profiles, several series and units."""
    rows = []
    for time in np.arange(0.0, 48.01, 0.5):
        value = 60 * (math.exp(-0.1 * (time % 24)) - math.exp(-1.2 * (time % 24)))
        rows.append(("pk", "pomalidomide 4 mg daily", time, value, value * 0.6, value * 1.6, "ng/mL"))
    for series, depth in (("IKZF1, myeloma", 0.9), ("IKZF3, myeloma", 0.94), ("IKZF1, T cells", 0.7)):
        for time in np.arange(0.0, 48.01, 0.5):
            value = 100 * (1 - depth * (1 - math.exp(-0.5 * (time % 24))) * math.exp(-0.02 * (time % 24)))
            rows.append(
                (
                    "degradation",
                    series,
                    time,
                    value,
                    max(0.0, value - 12),
                    min(100.0, value + 12),
                    "% of baseline",
                )
            )
    for series, unit, base in (("neutrophils", "10⁹/L", 4.0), ("platelets", "10⁹/L", 200.0)):
        for time in np.arange(0.0, 24 * 84 + 1, 24):
            value = base * (1 - 0.4 * math.sin(math.pi * (time / 24 % 28) / 28))
            rows.append(("marrow", series, time, value, value * 0.7, value * 1.35, unit))
    return pl.DataFrame(
        rows, schema=["profile", "series", "time_h", "value", "low", "high", "unit"], orient="row"
    )


ZIGZAG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="90" viewBox="0 0 200 90">'
    '<path d="M20 60 L60 30 L100 60 L140 30 L180 60" stroke="#000" fill="none" stroke-width="2"/></svg>'
)


def table(rows, *columns):
    return pl.DataFrame(rows, schema=columns, orient="row")


def synthetic_report():
    """A whole report of synthetic tables."""
    mm003 = synthetic_trial(
        "mm003", "Synthetic MM-003", (302, 153),
        {POM_DEX: (4.0, 12.7, -18.0, 0.42), HIDEX: (1.9, 8.1, 14.0, 0.22)},
    )  # fmt: skip
    mm002 = synthetic_trial(
        "mm002", "Synthetic MM-002", (113, 108),
        {POM_DEX: (4.2, 16.5, -18.0, 0.4), POM: (2.7, 13.6, 4.0, 0.45)},
    )  # fmt: skip
    parameters = [
        ("clearance_l_per_h", 7.78, "L/h", "input", "PK044", "population model"),
        ("central_volume_l", 69.9, "L", "input", "PK047", "population model"),
        (
            "tumour_growth_per_d",
            0.014,
            "1/d",
            "hand-set",
            "",
            "assumed: a scoping run reached the trial with it",
        ),
        ("marrow_block_maximum", 0.62, "", "calibrated", "CL031, CL033", "fits grade 3/4 neutropenia"),
    ]
    findings = [
        (
            "EV-IC50-KI",
            "conflict",
            "BIN-001, BIN-002",
            "IC50 153.9 nM lies below Ki 156.6 nM: no one competitive assay gives both",
        ),
        ("EV-OVERLAP", "conflict", "CL102, CL105", "ORR 29.2 % and 33 % for the same arm do not overlap"),
        (
            "EV-REGIO",
            "warning",
            "SYN-004",
            "4-nitrophthalic anhydride would give 5-aminothalidomide: same mass, another compound",
        ),
    ]
    return ReportInput(
        comparison=synthetic_comparison(),
        trials={"mm003": mm003, "mm002": mm002},
        profiles=synthetic_profiles(),
        parameters=table(parameters, "name", "typical", "unit", "role", "evidence", "why"),
        findings=table(findings, "code", "severity", "claim_ids", "what"),
        compounds=pl.DataFrame(
            {
                "name": "pomalidomide", "smiles": "O=C1CCC(N2C(=O)c3cccc(N)c3C2=O)C(=O)N1",
                "formula": "C13H11N3O4", "mass_da": 273.075, "inchikey": "UVSMNLNDYGZFPF-UHFFFAOYSA-N",
                "svg": ZIGZAG,
            }
        ),
        provenance={
            "glueprint": "0.1.0", "seed": 1, "study file": "pomalidomide.toml",
            "hashes": {"trial model": "5b1c9e0f", "evidence": "77ab0123"},
        },
        statements=(
            "All numbers on this page are synthetic: they show the layout and nothing else.",
            "Tumour and marrow parameters are set by hand from evidence and priors; they are not a fit.",
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def report_input():
    return synthetic_report()


@pytest.fixture(scope="session")
def small_input(report_input):
    """One small trial without further replicates and one profile, for pages that are rendered many times."""
    trial = synthetic_trial(
        "mm003", "Synthetic MM-003", (40, 20),
        {POM_DEX: (4.0, 12.7, -18.0, 0.42), HIDEX: (1.9, 8.1, 14.0, 0.22)}, replicates=1,
    )  # fmt: skip
    pk = report_input.profiles.filter(pl.col("profile") == "pk")
    return dataclasses.replace(report_input, trials={"mm003": trial}, profiles=pk)


@pytest.fixture(scope="session")
def mm003(report_input):
    return report_input.trials["mm003"]
