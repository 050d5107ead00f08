"""The endpoints that come with Glueprint, a record each. Those of adverse events follow from theirs."""

from __future__ import annotations

from typing import Any

import polars as pl

from glueprint.trials.protocol.endpoint import (
    AT,
    CAUSE_MONTHS,
    MEAN,
    MEDIAN,
    NUMBER,
    ODDS,
    RATE,
    RATIO,
    SHARE,
    SPECIAL,
    TIME,
    DatasetParameter,
    Endpoint,
)
from glueprint.trials.protocol.schedule import MONTH_DAYS

__all__ = ["CYCLE", "LATER_CYCLE", "OF_DOSES", "OF_RESPONSE", "OF_TIMES", "STATES"]

WEEKS_PER_MONTH = MONTH_DAYS / 7.0
CYCLE = 3  # CL060 to CL069
LATER_CYCLE = 7  # CL063: by when a stable patient may have improved
STATES = ("left", "progression", "stable", "response")

RESPONSES = ("PR", "VGPR", "CR")
ALL_RANDOMISED = "All randomised patients that could be computed"
BEST = (
    f"{ALL_RANDOMISED}; best confirmed response before progression or another therapy, none counts as none."
)


def _best(name: str, label: str, *responses: str) -> Endpoint:
    return Endpoint(name, label, SHARE, BEST, value=pl.col("best_response").is_in(responses))


def _time(name: str, label: str, estimand: str, **more: Any) -> Endpoint:
    """A time to event in columns of its name: curve, median and hazard ratio; `more` tells what differs."""
    usual = {
        "value": pl.col(f"{name}_months"),
        "event": pl.col(f"{name}_event"),
        "unit": "months",
        "curve": True,
        "summaries": (MEDIAN, RATIO),
    }
    return Endpoint(name, label, TIME, estimand, **{**usual, **more})


OF_RESPONSE = (
    Endpoint(
        "orr",
        "Overall response rate",
        SHARE,
        BEST,
        short="ORR",
        value=pl.col("best_response").is_in(RESPONSES),
        summaries=(RATE, ODDS),
        headlines=(RATE, ODDS),
        first=(RATE,),
        claims={"orr": RATE},
        reviewed="orr_committee",
    ),
    _best("vgpr_or_better", "Very good partial response or better", "VGPR", "CR"),
    _best("mr_or_better", "Minimal response or better", "MR", *RESPONSES),
    _best("complete_response", "Complete response", "CR"),
    _best("very_good_partial_response", "Very good partial response", "VGPR"),
    _best("partial_response", "Partial response", "PR"),
    _best("minimal_response", "Minimal response", "MR"),
    _best("stable_disease", "Stable disease", "SD"),
    _best("progressive_disease", "Progressive disease", "PD"),
    _best("not_evaluable", "Not evaluable", "NE"),
    Endpoint(
        "orr_committee",
        "Overall response rate, by the review committee",
        SHARE,
        BEST,
        short="ORR, committee",
        value=pl.col("best_response_committee").is_in(RESPONSES),
    ),
)
OF_DOSES = (
    Endpoint(
        "dose_interruption",
        "Dose held at least once",
        SHARE,
        "During the first treatment.",
        short="dose held",
        value=pl.col("dose_holds") > 0,
        headlines=(RATE,),
        claims={"dose_interruption": RATE},
    ),
    Endpoint(
        "dose_reduction",
        "Dose reduced at least once",
        SHARE,
        "During the first treatment.",
        short="dose reduced",
        value=pl.col("dose_reductions") > 0,
        headlines=(RATE,),
        claims={"dose_reduction": RATE},
    ),
    Endpoint(
        "stopped_for_toxicity",
        "First treatment stopped for toxicity",
        SHARE,
        "Whatever else happens later.",
        value=pl.col("off_treatment_reason") == "toxicity",
        claims={"discontinued_for_ae": RATE},
    ),
    Endpoint(
        "second_treatment",
        "Another treatment after progression",
        SHARE,
        ALL_RANDOMISED + ", progressed or not.",
        value=pl.col("crossover_months").is_not_null(),
    ),
    *(
        Endpoint(
            f"cycle_{CYCLE}_{state}",
            label,
            SHARE,
            "State at the assessment that opens the cycle.",
            value=pl.col(f"cycle_{CYCLE}_state") == state,
        )
        for state, label in zip(
            STATES,
            (
                f"Left before cycle {CYCLE} opens",
                f"Progression by the opening of cycle {CYCLE}",
                f"Stable disease when cycle {CYCLE} opens",
                f"Response when cycle {CYCLE} opens",
            ),
            strict=True,
        )
    ),
    Endpoint(
        f"cycle_{CYCLE}_stable_improved_by_cycle_{LATER_CYCLE}",
        f"Of those stable at cycle {CYCLE}, response improved by cycle {LATER_CYCLE}",
        SPECIAL,
        "Among patients who were stable at the landmark.",
    ),
)
OF_TIMES = (
    _time(
        "pfs",
        "Progression-free survival",
        f"{ALL_RANDOMISED}; from randomisation to progression as the investigator dates it, or death; "
        "whatever else is treated, censored at the last assessment (SAF299).",
        short="PFS",
        ends="progression or death",
        summaries=(MEDIAN, RATIO, AT, MEAN),
        headlines=(MEDIAN, RATIO),
        first=(RATIO, MEDIAN),
        claims={"median_pfs": MEDIAN, "hr_pfs": RATIO},
        reviewed="pfs_committee",
        dataset=DatasetParameter(
            "PFS", "Progression-Free Survival, Investigator (Months)", pl.col("pfs_cause").str.to_uppercase()
        ),
    ),
    _time(
        "pfs_committee",
        "Progression-free survival, by the review committee",
        "As PFS by a review that reads files; censored where the investigator ended the treatment for a "
        "progression that it does not see.",
        short="PFS, committee",
        ends="progression or death, by the review committee",
        dataset=DatasetParameter("PFSIRC", "Progression-Free Survival, Committee (Months)"),
    ),
    _time(
        "os",
        "Overall survival",
        f"{ALL_RANDOMISED}; from randomisation to death of any cause, whatever followed progression.",
        short="OS",
        ends="death",
        summaries=(MEDIAN, RATIO, AT, MEAN),
        headlines=(MEDIAN, RATIO),
        first=(RATIO, MEDIAN),
        claims={"median_os": MEDIAN, "hr_os": RATIO},
        dataset=DatasetParameter("OS", "Overall Survival (Months)", pl.lit("DEATH")),
    ),
    _time(
        "dor",
        "Duration of response",
        "Responders; from the first confirmed response to progression or death.",
        short="DoR",
        ends="progression or death after a response",
        summaries=(MEDIAN,),
        headlines=(MEDIAN,),
        claims={"median_dor": MEDIAN},
        among="orr",
        dataset=DatasetParameter("DOR", "Duration of Response (Months)"),
    ),
    _time(
        "ttp",
        "Time to progression",
        f"{ALL_RANDOMISED}; from randomisation to progression as the investigator dates it; a death without "
        "one censors (Rajkumar 2011, doi:10.1182/blood-2010-10-299487).",
        short="TTP",
        value=pl.col("pfs_months"),
        event=pl.col("pfs_cause") == "progression",
        ends="progression",
        dataset=DatasetParameter("TTP", "Time to Progression (Months)", pl.lit("PROGRESSION")),
    ),
    _time(
        "ttnt",
        "Time to next treatment",
        f"{ALL_RANDOMISED}; from randomisation to the next treatment, before progression or after, or death; "
        "who has had none is censored at the end of follow-up.",
        short="TTNT",
        value=pl.min_horizontal("crossover_months", "os_months"),
        event=pl.col("crossover_months").is_not_null() | pl.col("os_event"),
        ends="next treatment or death",
        dataset=DatasetParameter(
            "TTNT",
            "Time to Next Treatment (Months)",
            pl.when(pl.col("crossover_months").is_not_null())
            .then(pl.lit("NEXT TREATMENT"))
            .otherwise(pl.lit("DEATH")),
        ),
    ),
    _time(
        "pfs2",
        "Progression-free survival to the second progression",
        f"{ALL_RANDOMISED}; from randomisation to progression under the next treatment, or death "
        "(EMA/CHMP/27994/2008/Rev.1, 2012); who has had neither is censored at the end of follow-up.",
        short="PFS2",
        ends="second progression or death",
        optional=True,
        recorded=True,
        dataset=DatasetParameter("PFS2", "Progression-Free Survival 2 (Months)"),
    ),
    _time(
        "os_without_later",
        "Overall survival, had nothing followed progression",
        f"{ALL_RANDOMISED}; a counterfactual: from randomisation to death, had nobody been given what "
        "follows progression. Only where the trial was run with it.",
        short="OS without later therapy",
        ends="death, had nothing followed progression",
        optional=True,
        headlines=(MEDIAN, RATIO),
    ),
    _time(
        "treatment",
        "Time on the first treatment",
        "From randomisation to the end of the first treatment for any reason; one that goes on censors.",
        value=pl.min_horizontal("off_treatment_months", "os_months"),
        event=pl.col("off_treatment_months").is_not_null(),
        ends="the end of the first treatment",
        summaries=(MEDIAN,),
        curve=False,
    ),
    Endpoint(
        "median_pfs_interval",
        "Median progression-free survival, between assessments",
        SPECIAL,
        "As PFS, the time known to lie between two assessments.",
        unit="months",
    ),
    *(
        Endpoint(
            f"{cause}_by_{CAUSE_MONTHS}_months",
            f"{label} by {CAUSE_MONTHS} months",
            SPECIAL,
            "Cumulative incidence; the other cause competes.",
        )
        for cause, label in (
            ("progression", "Progression"),
            ("death_without_progression", "Death without progression"),
        )
    ),
    *(
        Endpoint(
            f"median_os_cycle_{CYCLE}_{state}",
            f"Median overall survival, {words}",
            SPECIAL,
            "Among patients in that state at the landmark; from randomisation.",
            unit="months",
        )
        for state, words in zip(
            STATES[1:],
            (f"progression by cycle {CYCLE}", f"stable at cycle {CYCLE}", f"response at cycle {CYCLE}"),
            strict=True,
        )
    ),
    *(
        Endpoint(
            f"hr_os_cycle_{CYCLE}_{state}",
            f"Hazard ratio of death, {state} against stable at cycle {CYCLE}",
            SPECIAL,
            "Among patients in one of the two states at the landmark.",
            unit="ratio",
        )
        for state in ("response", "progression")
    ),
    Endpoint(
        "median_response_months",
        "Median time to response",
        NUMBER,
        "Responders; from randomisation to the first confirmed response.",
        value=pl.col("response_months"),
        unit="months",
        method="responders",
        summaries=(MEDIAN,),
    ),
    Endpoint(
        "time_to_first_interruption",
        "Median time to the first hold",
        NUMBER,
        "Patients ever held.",
        short="first hold",
        value=pl.col("first_hold_months"),
        scale=WEEKS_PER_MONTH,
        unit="weeks",
        method="patients ever held",
        summaries=(MEDIAN,),
        claims={"time_to_first_interruption": MEDIAN},
        among="dose_interruption",
    ),
    Endpoint(
        "time_to_first_reduction",
        "Median time to the first reduction",
        NUMBER,
        "Patients ever reduced.",
        short="first reduction",
        value=pl.col("first_reduction_months"),
        scale=WEEKS_PER_MONTH,
        unit="weeks",
        method="patients ever reduced",
        summaries=(MEDIAN,),
        claims={"time_to_first_reduction": MEDIAN},
        among="dose_reduction",
    ),
    Endpoint(
        "median_days_on_drug",
        "Median days on the leading drug",
        NUMBER,
        "During the first treatment.",
        value=pl.col("days_on_drug"),
        unit="days",
        method="days with a dose of the leading drug",
        summaries=(MEDIAN,),
    ),
    Endpoint(
        "mean_relative_dose_intensity",
        "Relative dose intensity, mean",
        NUMBER,
        "Given over planned mg of the leading drug, while on the first treatment.",
        short="relative dose intensity",
        value=pl.col("relative_dose_intensity"),
        unit="fraction",
        method="given over planned mg",
        summaries=(MEAN,),
        headlines=(MEAN,),
    ),
)
