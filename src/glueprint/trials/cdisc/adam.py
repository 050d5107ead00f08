"""The analysis datasets of one virtual trial after CDISC ADaM: ADSL, ADTTE, ADRS, ADLB, ADAE, ADEX.

Virtual patients have no calendar: times are days or months from randomisation, day 1 being its day, and the
variables of dates, which may be left out, are.
Source: CDISC ADaM Implementation Guide 1.3; ADaM Basic Data Structure for Time-to-Event Analyses 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import polars as pl

from glueprint.trials.analysis import CLINICAL, LABORATORY
from glueprint.trials.cdisc.datasets import Dataset, Variable
from glueprint.trials.protocol import MONTH_DAYS, LaboratoryRule, Protocol, adverse_events, endpoints

__all__ = ["datasets"]

YES_NO = ("Y", "N")
STUDY = (
    Variable("STUDYID", "Study Identifier"),
    Variable("USUBJID", "Unique Subject Identifier"),
)
PLANNED = (Variable("TRTP", "Planned Treatment"), Variable("TRTPN", "Planned Treatment (N)", "integer"))
PARAMETER = (Variable("PARAM", "Parameter"), Variable("PARAMCD", "Parameter Code"))
VALUE = Variable("AVAL", "Analysis Value", "float")
DAY = Variable("ADY", "Analysis Relative Day", "integer")
# Columns of the patients table -> variable of ADSL. What a protocol draws beside these is named after itself.
BASELINE: Mapping[str, Variable] = {
    "weight_kg": Variable("WEIGHTBL", "Baseline Weight (kg)", "float"),
    "creatinine_clearance_ml_per_min": Variable("CRCLBL", "Baseline Creatinine Clearance (mL/min)", "float"),
    "albumin_g_per_l": Variable("ALBBL", "Baseline Albumin (g/L)", "float"),
    "beta2_microglobulin_mg_per_l": Variable("B2MBL", "Baseline Beta-2-Microglobulin (mg/L)", "float"),
    "m_protein_g_per_l": Variable("MPROTBL", "Baseline M-Protein (g/L)", "float"),
    "anc_1e9_per_l": Variable("ANCBL", "Baseline Neutrophils (10^9/L)", "float"),
    "platelets_1e9_per_l": Variable("PLATBL", "Baseline Platelets (10^9/L)", "float"),
    "haemoglobin_g_per_dl": Variable("HGBBL", "Baseline Hemoglobin (g/dL)", "float"),
    "prior_lines": Variable("PRIORLN", "Number of Prior Lines", "float"),
    "iss_stage": Variable("ISSBL", "ISS Stage", "float"),
    "cytogenetic_risk": Variable("CYTORISK", "Cytogenetic Risk"),
    "refractoriness": Variable("REFRACT", "Refractoriness"),
    "disease_population": Variable("DISPOP", "Disease Population"),
}
OWN = ("sex", "age_y")
BEST = {
    "best_response": ("BOR", "Best Overall Response, Investigator"),
    "best_response_committee": ("BORIRC", "Best Overall Response, Committee"),
}
RESPONSES = ("CR", "VGPR", "PR", "MR", "SD", "PD", "NE")
COUNTS = {
    "anc_1e9_per_l": ("NEUT", "Neutrophils (10^9/L)"),
    "platelets_1e9_per_l": ("PLAT", "Platelets (10^9/L)"),
    "haemoglobin_g_per_dl": ("HGB", "Hemoglobin (g/dL)"),
    "m_protein_g_per_l": ("MPROT", "M-Protein (g/L)"),
}
REASONS = {
    "progression": "PROGRESSIVE DISEASE",
    "toxicity": "ADVERSE EVENT",
    "withdrawal": "WITHDRAWAL BY SUBJECT",
    "patient decision": "WITHDRAWAL BY SUBJECT",
    "death": "DEATH",
    "": None,
}


def datasets(
    protocol: Protocol, patients: pl.DataFrame, visits: pl.DataFrame, replicate: int
) -> tuple[Dataset, ...]:
    """The six datasets of one replicate; patients that could not be computed are in ADSL alone.

    patients, visits: the tables of docs/design.md.
    Returns ADSL, ADTTE, ADRS, ADLB, ADAE and ADEX.
    """
    arms = [arm.name for arm in protocol.arms]
    who = patients.filter(pl.col("replicate") == replicate)
    subject = _subject(protocol, replicate, arms)
    everyone = who.with_columns(**subject)
    usable = everyone.filter(pl.col("status") == 0)
    seen = visits.filter(pl.col("replicate") == replicate).with_columns(**subject)
    seen = seen.filter(pl.col("patient").is_in(usable["patient"].implode())).with_columns(
        ADY=pl.col("time_days").floor().cast(pl.Int64) + 1
    )
    return (
        _adsl(everyone, arms),
        _adtte(usable),
        _adrs(usable, seen),
        _adlb(seen),
        _adae(usable),
        _adex(usable, seen),
    )


def _subject(protocol: Protocol, replicate: int, arms: list[str]) -> dict[str, pl.Expr]:
    number = pl.col("patient").cast(pl.String).str.zfill(5)
    return {
        "STUDYID": pl.lit(protocol.name),
        "SUBJID": number,
        "USUBJID": pl.concat_str(pl.lit(f"{protocol.name}-{replicate:04d}-"), number),
        "TRTP": pl.col("arm"),
        "TRTPN": pl.col("arm").replace_strict(
            {arm: k + 1 for k, arm in enumerate(arms)}, return_dtype=pl.Int64
        ),
    }


def _flag(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(pl.lit("Y")).otherwise(pl.lit("N"))


def _adsl(patients: pl.DataFrame, arms: list[str]) -> Dataset:
    listed = {name: variable for name, variable in BASELINE.items() if name in patients.columns}
    start, end = patients.columns.index("stratum") + 1, patients.columns.index("best_response")
    drawn = [name for name in patients.columns[start:end] if name not in (*OWN, *listed)]
    taken = {variable.name for variable in listed.values()}
    for name in drawn:
        listed[name] = _named(name, patients[name].dtype, taken)
        taken.add(listed[name].name)
    frame = patients.with_columns(
        TRT01P=pl.col("arm"),
        TRT01PN=pl.col("TRTPN"),
        ARM=pl.col("arm"),
        AGE=pl.col("age_y").floor() if "age_y" in patients.columns else None,
        AGEU=pl.lit("YEARS"),
        SEX=pl.col("sex").replace_strict({"male": "M", "female": "F"}, default="U")
        if "sex" in patients.columns
        else pl.lit("U"),
        ITTFL=_flag(pl.col("status") == 0),
        SAFFL=_flag((pl.col("status") == 0) & (pl.col("days_on_drug") > 0)),
        STRATUM=pl.col("stratum"),
        DCSREAS=pl.col("off_treatment_reason").replace_strict(
            REASONS, default=pl.col("off_treatment_reason").str.to_uppercase()
        ),
        TRTDURD=pl.col("days_on_drug"),
        DTHFL=pl.when(pl.col("os_event")).then(pl.lit("Y")),
        STATUS=pl.col("reason"),
        **{variable.name: pl.col(name) for name, variable in listed.items()},
    )
    variables = (
        *STUDY,
        Variable("SUBJID", "Subject Identifier for the Study"),
        Variable("ARM", "Description of Planned Arm", terms=tuple(arms)),
        Variable("TRT01P", "Planned Treatment for Period 01", terms=tuple(arms)),
        Variable("TRT01PN", "Planned Treatment for Period 01 (N)", "integer"),
        Variable("AGE", "Age", "integer"),
        Variable("AGEU", "Age Units", terms=("YEARS",)),
        Variable("SEX", "Sex", terms=("F", "M", "U")),
        Variable("ITTFL", "Intent-To-Treat Population Flag", terms=YES_NO),
        Variable("SAFFL", "Safety Population Flag", terms=YES_NO),
        Variable("STRATUM", "Stratum of Randomisation", "integer"),
        *listed.values(),
        Variable("TRTDURD", "Total Treatment Duration (Days)", "integer"),
        Variable("DCSREAS", "Reason for Discontinuation of Treatment"),
        Variable("DTHFL", "Subject Death Flag", terms=("Y",)),
        Variable("STATUS", "Why the Patient Could Not Be Computed"),
    )
    return Dataset.of(
        ("ADSL", "Subject-Level Analysis Dataset", "One record per subject", ("USUBJID",)), variables, frame
    )


def _named(name: str, dtype: pl.DataType, taken: set[str]) -> Variable:
    """A variable for a column that has no name of CDISC: its letters, shortened to eight, each once."""
    letters = re.sub(r"[^A-Z0-9]", "", name.upper())[:8]
    short = letters
    for number in range(2, 100):
        if short not in taken:
            break
        short = f"{letters[:6]}{number}"
    kind = "float" if dtype.is_float() else "integer" if dtype.is_integer() else "string"
    return Variable(short, name.replace("_", " ")[:40].capitalize(), kind)


def _adtte(patients: pl.DataFrame) -> Dataset:
    parts = list(_times(patients))
    variables = (
        *STUDY,
        *PLANNED,
        *PARAMETER,
        VALUE,
        Variable("AVALU", "Analysis Value Unit", terms=("MONTHS",)),
        DAY,
        Variable("CNSR", "Censor", "integer", ("0", "1")),
        Variable("EVNTDESC", "Event or Censoring Description"),
        Variable("STRATUM", "Stratum of Randomisation", "integer"),
    )
    about = (
        "ADTTE",
        "Time-to-Event Analysis Dataset",
        "One record per subject per parameter",
        ("USUBJID", "PARAMCD"),
    )
    return Dataset.of(about, variables, pl.concat(parts))


def _times(patients: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for endpoint in endpoints():
        told, time, event = endpoint.dataset, endpoint.value, endpoint.event
        if told is None or time is None or event is None:
            continue
        if not set(endpoint.columns) <= set(patients.columns):
            continue
        yield patients.filter(time.is_not_null()).with_columns(
            PARAM=pl.lit(told.name),
            PARAMCD=pl.lit(told.code),
            AVAL=time,
            AVALU=pl.lit("MONTHS"),
            ADY=(time * MONTH_DAYS).round().cast(pl.Int64) + 1,
            CNSR=1 - event.cast(pl.Int64),
            EVNTDESC=pl.when(event).then(told.event).otherwise(pl.lit("CENSORED")),
            STRATUM=pl.col("stratum"),
        )


def _adrs(patients: pl.DataFrame, visits: pl.DataFrame) -> Dataset:
    columns = ["STUDYID", "USUBJID", "TRTP", "TRTPN", "PARAM", "PARAMCD", "AVALC", "ADY"]
    assessed = visits.filter(pl.col("response") != "").with_columns(
        PARAM=pl.lit("Overall Response by Visit, Investigator, Unconfirmed"),
        PARAMCD=pl.lit("OVRLRESP"),
        AVALC=pl.col("response"),
    )
    best = [
        patients.with_columns(
            PARAM=pl.lit(text), PARAMCD=pl.lit(code), AVALC=pl.col(name), ADY=pl.lit(None, dtype=pl.Int64)
        ).select(columns)
        for name, (code, text) in BEST.items()
    ]
    variables = (
        *STUDY,
        *PLANNED,
        *PARAMETER,
        Variable("AVALC", "Analysis Value (C)", terms=RESPONSES),
        DAY,
    )
    keys = ("USUBJID", "PARAMCD", "ADY")
    about = ("ADRS", "Response Analysis Dataset", "One record per subject per parameter per visit", keys)
    return Dataset.of(about, variables, pl.concat([assessed.select(columns), *best]))


def _adlb(visits: pl.DataFrame) -> Dataset:
    parts = []
    for name, (code, text) in COUNTS.items():
        part = visits.filter(pl.col(name).is_not_null() & pl.col(name).is_not_nan()).with_columns(
            PARAM=pl.lit(text), PARAMCD=pl.lit(code), AVAL=pl.col(name)
        )
        # The measurement on the day of randomisation; what is true of the patient stands in ADSL.
        base = part.filter(pl.col("ADY") == 1).group_by("patient").agg(BASE=pl.col("AVAL").first())
        parts.append(part.join(base, on="patient", how="left", maintain_order="left"))
    frame = pl.concat(parts).with_columns(
        CHG=pl.col("AVAL") - pl.col("BASE"),
        ABLFL=pl.when(pl.col("ADY") == 1).then(pl.lit("Y")),
        PERIOD=pl.col("period"),
    )
    variables = (
        *STUDY,
        *PLANNED,
        *PARAMETER,
        VALUE,
        Variable("BASE", "Baseline Value", "float"),
        Variable("CHG", "Change from Baseline", "float"),
        Variable("ABLFL", "Baseline Record Flag", terms=("Y",)),
        DAY,
        Variable("PERIOD", "Period of Treatment or Follow-Up"),
    )
    keys = ("USUBJID", "PARAMCD", "ADY")
    about = ("ADLB", "Laboratory Analysis Dataset", "One record per subject per parameter per visit", keys)
    return Dataset.of(about, variables, frame)


def _adae(patients: pl.DataFrame) -> Dataset:
    reported_events = [event for event in adverse_events() if f"{event.name}_grade" in patients.columns]
    parts = [
        patients.filter(pl.col(f"{event.name}_grade") > 0).with_columns(
            AETERM=pl.lit(event.term),
            AEDECOD=pl.lit(event.term),
            AETOXGR=pl.col(f"{event.name}_grade").cast(pl.String),
            ASTDY=_onset(event.name, patients),
            TRTEMFL=pl.lit("Y"),
            AEBASIS=pl.lit(LABORATORY if isinstance(event.rule, LaboratoryRule) else CLINICAL),
        )
        for event in reported_events
    ]
    variables = (
        *STUDY,
        *PLANNED,
        Variable("AETERM", "Reported Term for the Adverse Event"),
        Variable("AEDECOD", "Dictionary-Derived Term", terms=tuple(event.term for event in reported_events)),
        Variable("AETOXGR", "Standard Toxicity Grade, Worst", terms=("1", "2", "3", "4", "5")),
        Variable("ASTDY", "Analysis Start Relative Day", "integer"),
        Variable("TRTEMFL", "Treatment Emergent Analysis Flag", terms=("Y",)),
        Variable("AEBASIS", "Laboratory Value or Clinical Event", terms=(LABORATORY, CLINICAL)),
    )
    about = (
        "ADAE",
        "Adverse Event Analysis Dataset",
        "One record per subject per term, worst grade",
        ("USUBJID", "AEDECOD"),
    )
    return Dataset.of(about, variables, pl.concat(parts))


def _onset(name: str, patients: pl.DataFrame) -> pl.Expr:
    """Day of onset where the trial keeps it; counts have a worst grade and no first day."""
    if f"{name}_months" not in patients.columns:
        return pl.lit(None, dtype=pl.Int64)
    return (pl.col(f"{name}_months") * MONTH_DAYS).floor().cast(pl.Int64) + 1


def _adex(patients: pl.DataFrame, visits: pl.DataFrame) -> Dataset:
    columns = ["STUDYID", "USUBJID", "TRTP", "TRTPN", "PARAM", "PARAMCD", "AVAL", "ADY", "PERIOD"]
    dose = visits.filter(pl.col("period") != "follow-up").with_columns(
        PARAM=pl.lit("Dose from This Visit On (mg)"),
        PARAMCD=pl.lit("DOSE"),
        AVAL=pl.col("dose_mg"),
        PERIOD=pl.col("period"),
    )
    whole = {
        "days_on_drug": ("DURATION", "Days on Drug"),
        "relative_dose_intensity": ("RDI", "Relative Dose Intensity"),
        "dose_reductions": ("NREDUCT", "Number of Dose Reductions"),
        "dose_holds": ("NHOLD", "Number of Dose Interruptions"),
    }
    parts = [
        patients.with_columns(
            PARAM=pl.lit(text),
            PARAMCD=pl.lit(code),
            AVAL=pl.col(name).cast(pl.Float64),
            ADY=pl.lit(None, dtype=pl.Int64),
            PERIOD=pl.lit("treatment"),
        ).select(columns)
        for name, (code, text) in whole.items()
    ]
    variables = (*STUDY, *PLANNED, *PARAMETER, VALUE, DAY, Variable("PERIOD", "Period of Treatment"))
    keys = ("USUBJID", "PARAMCD", "ADY")
    about = ("ADEX", "Exposure Analysis Dataset", "One record per subject per parameter per visit", keys)
    return Dataset.of(about, variables, pl.concat([dose.select(columns), *parts]))
