"""Small tables of a trial, counted from its patients: baseline, disposition, response, events, dose."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from glueprint.report.estimates import Estimate, fixed, interval, percent, pick, pick_comparison
from glueprint.report.figures.waterfall import RESPONDERS
from glueprint.report.tables import TrialTables
from glueprint.trials import TIME, endpoints
from glueprint.trials import adverse_events as events

__all__ = [
    "Plain",
    "adverse_events",
    "baseline",
    "disposition",
    "dose",
    "event_rates",
    "response",
    "survival",
    "times",
]

RESPONSES = {
    "sCR": "Stringent complete response",
    "CR": "Complete response",
    "VGPR": "Very good partial response",
    "PR": "Partial response",
    "MR": "Minimal response",
    "SD": "Stable disease",
    "PD": "Progressive disease",
    "NE": "Not evaluable",
}


@dataclass(frozen=True)
class Plain:
    """A table of texts: the first column names the row, the others follow the arms."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    groups: tuple[tuple[str, int], ...] = ()


def _events(trial: TrialTables) -> dict[str, str]:
    """Term of each adverse event that the trial has, by its name."""
    columns = trial.patients.columns
    return {event.name: event.term for event in events() if f"{event.name}_grade" in columns}


def _randomised(trial: TrialTables, arm: str) -> pl.DataFrame:
    first = pl.col("replicate") == trial.first_replicate
    return trial.patients.filter(first & (pl.col("arm") == arm))


def _arm(trial: TrialTables, arm: str) -> pl.DataFrame:
    """The patients of the analysis: those whose simulation ended well, as in the endpoints table."""
    return _randomised(trial, arm).filter(pl.col("status") == 0)


def _heads(trial: TrialTables) -> tuple[str, ...]:
    return ("", *(f"{arm} (n = {_arm(trial, arm).height})" for arm in trial.arms))


def _count(part: int, whole: int) -> str:
    return f"{part} ({percent(part, whole)} %)" if whole else "–"


def baseline(trial: TrialTables) -> Plain:
    """Who was randomised: age, sex and weight by arm."""
    rows: list[tuple[str, ...]] = []
    for label, column in (("Age, years", "age_y"), ("Weight, kg", "weight_kg")):
        cells = []
        for arm in trial.arms:
            values = _arm(trial, arm).get_column(column).drop_nulls()
            low, middle, high = (values.quantile(q) for q in (0.25, 0.5, 0.75))
            cells.append(f"{fixed(middle, 0)} ({fixed(low, 0)}–{fixed(high, 0)})")
        rows.append((f"{label}, median (quartiles)", *cells))
    for sex in sorted(trial.patients.get_column("sex").drop_nulls().cast(pl.String).unique().to_list()):
        counts = [
            _count(part.filter(pl.col("sex").cast(pl.String) == sex).height, part.height)
            for part in (_arm(trial, arm) for arm in trial.arms)
        ]
        rows.append((f"Sex: {sex}", *counts))
    return Plain("Virtual patients at randomisation", _heads(trial), tuple(rows))


def disposition(trial: TrialTables) -> Plain:
    """Why patients left treatment, most frequent first, and how many could not be simulated."""
    parts = [_arm(trial, arm) for arm in trial.arms]
    reasons = (
        pl.concat(parts)
        .with_columns(pl.col("off_treatment_reason").cast(pl.String).fill_null(""))
        .group_by("off_treatment_reason")
        .len()
        .sort("len", "off_treatment_reason", descending=[True, False])
        .get_column("off_treatment_reason")
        .to_list()
    )
    rows = []
    for reason in reasons:
        matches = pl.col("off_treatment_reason").cast(pl.String).fill_null("") == reason
        counts = [_count(part.filter(matches).height, part.height) for part in parts]
        rows.append((_sentence(reason) or "On treatment at the end", *counts))
    everyone = [_randomised(trial, arm) for arm in trial.arms]
    failed = [_count(part.filter(pl.col("status") != 0).height, part.height) for part in everyone]
    rows.append(("Left out: simulation failed (of all randomised)", *failed))
    return Plain("Reasons for leaving treatment", _heads(trial), tuple(rows))


def _sentence(text: str) -> str:
    plain = text.replace("_", " ").strip()
    return plain[:1].upper() + plain[1:]


def response(trial: TrialTables) -> Plain:
    """Best response by arm, categories from best to worst, and the overall response rate."""
    parts = [_arm(trial, arm) for arm in trial.arms]
    present = set(trial.patients.get_column("best_response").cast(pl.String).drop_nulls().to_list())
    known = [category for category in RESPONSES if category in present or category in {"CR", "VGPR", "PR"}]
    rows = [
        (
            f"{RESPONSES.get(category, category)} ({category})",
            *(
                _count(part.filter(pl.col("best_response").cast(pl.String) == category).height, part.height)
                for part in parts
            ),
        )
        for category in [*known, *sorted(present - RESPONSES.keys())]
    ]
    responded = pl.col("best_response").cast(pl.String).is_in(RESPONDERS)
    overall = [_count(part.filter(responded).height, part.height) for part in parts]
    rows.insert(0, ("Overall response (PR or better)", *overall))
    return Plain("Best response, IMWG criteria on serum M-protein", _heads(trial), tuple(rows))


def survival() -> dict[str, tuple[str, str, str]]:
    """Times to events whose curves are drawn: label, and the rows of the median and of the hazard ratio."""
    return {
        endpoint.name: (endpoint.label, f"median_{endpoint.name}", f"hr_{endpoint.name}")
        for endpoint in endpoints()
        if endpoint.curve and endpoint.first
    }


def times(trial: TrialTables) -> Plain:
    """Median of every time to an event by arm, and the hazard ratio of the first arm to the second."""
    heads, against = ["", *trial.arms], trial.arms[:2]
    if len(against) == 2:
        heads.append(f"Hazard ratio, {against[0]} to {against[1]}")
    rows = []
    for endpoint in endpoints():
        if endpoint.kind != TIME:
            continue
        medians = [
            pick(trial.endpoints, arm, f"median_{endpoint.name}", trial.first_replicate) for arm in trial.arms
        ]
        if not any(medians):
            continue
        cells = [interval(median) if median else "–" for median in medians]
        if len(against) == 2:
            ratio = pick_comparison(trial.endpoints, trial.arms, f"hr_{endpoint.name}", trial.first_replicate)
            cells.append(interval(ratio, 2) if ratio else "–")
        rows.append((endpoint.label, *cells))
    return Plain("Times to events: median in months (95 % interval)", tuple(heads), tuple(rows))


def adverse_events(trial: TrialTables, published: pl.DataFrame) -> Plain:
    """Patients by worst grade, per event and arm, beside the published share where there is one.

    published: columns endpoint, arm, value (per cent).
    """
    known = {(row["arm"], row["endpoint"]): row["value"] for row in published.to_dicts()}
    heads, groups = [""], []
    with_published = [
        arm for arm in trial.arms if any((arm, f"{stem}_grade_3_4") in known for stem in _events(trial))
    ]
    for arm in trial.arms:
        heads += ["any", "3", "4", "3/4"]
        width = 4
        if arm in with_published:
            heads.append("3/4 published")
            width += 1
        groups.append((f"{arm}, grade", width))
    rows = []
    for stem, label in _events(trial).items():
        cells = [label]
        for arm in trial.arms:
            cells += _grades(_arm(trial, arm).get_column(f"{stem}_grade").drop_nulls())
            if arm in with_published:
                value = known.get((arm, f"{stem}_grade_3_4"))
                cells.append("–" if value is None else f"{fixed(value, 0)} %")
        rows.append(tuple(cells))
    note = "A dash: the model does not tell this grade from the others."
    return Plain("Patients by worst grade", tuple(heads), tuple(rows), note, tuple(groups))


def _grades(grades: pl.Series) -> list[str]:
    """Shares of any grade, 3, 4 and 3/4; only the last where the model does not tell grades apart."""
    counts = ((grades >= 1).sum(), (grades == 3).sum(), (grades == 4).sum(), (grades >= 3).sum())
    if not grades.len():
        return ["–"] * len(counts)
    shares = [f"{percent(int(count), grades.len())} %" for count in counts]
    return shares if set(grades.to_list()) - {0, 3} else ["–", "–", "–", shares[-1]]


def event_rates(trial: TrialTables, published: pl.DataFrame) -> pl.DataFrame:
    """Grade 3/4 shares in long form for the figure, the published ones beside them.

    published: columns endpoint, arm, value, low, high (per cent).
    """
    rows: list[dict[str, object]] = []
    for stem, label in _events(trial).items():
        for arm in trial.arms:
            grades = _arm(trial, arm).get_column(f"{stem}_grade").drop_nulls()
            share = 100 * float((grades >= 3).sum()) / grades.len() if grades.len() else None
            seen = pick(trial.endpoints, arm, f"{stem}_grade_3_4", trial.first_replicate) or Estimate(None)
            low, high = (seen.low, seen.high) if seen.unit == "%" else (None, None)
            computed = {"arm": arm, "value": share, "low": low, "high": high}
            rows.append({"event": label, "kind": "computed", **computed})
            guide = published.filter(
                (pl.col("endpoint") == f"{stem}_grade_3_4") & (pl.col("arm") == arm)
            ).select("arm", "value", "low", "high")
            rows += [{"event": label, "kind": "published", **row} for row in guide.to_dicts()]
    texts, numbers = ("event", "arm", "kind"), ("value", "low", "high")
    return pl.DataFrame(
        rows, schema={**dict.fromkeys(texts, pl.String), **dict.fromkeys(numbers, pl.Float64)}
    )


def dose(trial: TrialTables) -> Plain:
    """What patients received: relative dose intensity, reductions and holds."""
    parts = [_arm(trial, arm) for arm in trial.arms]
    intensity = []
    for part in parts:
        values = part.get_column("relative_dose_intensity").drop_nulls()
        low, middle, high = (values.quantile(q) for q in (0.25, 0.5, 0.75))
        intensity.append(f"{fixed(middle, 2)} ({fixed(low, 2)}–{fixed(high, 2)})")
    rows = [
        ("Relative dose intensity, median (quartiles)", *intensity),
        (
            "At least one dose reduction",
            *(_count(part.filter(pl.col("dose_reductions") > 0).height, part.height) for part in parts),
        ),
        (
            "At least one dose held",
            *(_count(part.filter(pl.col("dose_holds") > 0).height, part.height) for part in parts),
        ),
    ]
    return Plain("Dose of the study drug", _heads(trial), tuple(rows))
