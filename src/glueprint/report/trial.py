"""One virtual trial as the page shows it: headline estimates, figures and small tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from glueprint.report import figures, summaries
from glueprint.report.diagrams.section import Shown, schema_of
from glueprint.report.drawn import Drawn, draw
from glueprint.report.estimates import Estimate, interval, p_value, pick, pick_comparison
from glueprint.report.figures.dose_timeline import weekly_states
from glueprint.report.figures.waterfall import CEILING
from glueprint.report.tables import TrialTables
from glueprint.trials import subgroups_table

__all__ = ["TrialView", "published_estimates", "trial_view"]

DESCRIBED_WEEKS = (4, 8, 16)


@dataclass(frozen=True)
class TrialView:
    """Everything the template needs of one trial."""

    name: str
    title: str
    short: str
    design: str
    headline: str
    figures: tuple[Drawn, ...]
    hazard: Drawn | None
    subgroups: Drawn | None
    waterfall: Drawn
    events: Drawn
    baseline: summaries.Plain
    disposition: summaries.Plain
    response: summaries.Plain
    times: summaries.Plain
    events_table: summaries.Plain
    doses: Drawn | None
    dose: summaries.Plain
    schema: Shown | None


def published_estimates(comparison: pl.DataFrame | None, trial: str) -> pl.DataFrame:
    """The guide's values of one trial with arm and endpoint id, where a comparison table names them."""
    columns = {"published_value": "value", "published_low": "low", "published_high": "high"}
    wanted = ["trial", "arm", "endpoint"]
    if comparison is None or any(column not in comparison.columns for column in wanted):
        names = ("arm", "endpoint", *columns.values())
        return pl.DataFrame(schema={name: pl.String if name in wanted else pl.Float64 for name in names})
    found = comparison.filter((pl.col("trial") == trial) & pl.col("published_value").is_not_null())
    # A p value stands in a row of its own, after the ratio it belongs to.
    found = found.unique(["arm", "endpoint"], keep="first", maintain_order=True)
    return found.select("arm", "endpoint", *columns).rename(columns)


def trial_view(
    name: str, trial: TrialTables, colours: Mapping[str, str], published: pl.DataFrame
) -> TrialView:
    """Tables and figures of one trial; colours: arm -> colour, the same through the whole page."""
    first = trial.patients.filter(pl.col("replicate") == trial.first_replicate)
    mine = {arm: colours[arm] for arm in trial.arms}
    curves = [
        _survival(name, trial, endpoint, mine, published)
        for endpoint in summaries.survival()
        if trial.survival_curves.filter(pl.col("endpoint") == endpoint).height
    ]
    rates = summaries.event_rates(trial, published)
    beside = " Open diamonds: as published." if "published" in rates.get_column("kind") else ""
    return TrialView(
        name=name,
        title=trial.title,
        short=trial.title.split(":")[0],
        design=_design(trial),
        headline=f"In the first of them: {_headline(trial)}" if trial.replicates > 1 else _headline(trial),
        figures=tuple(curves),
        hazard=_hazard(name, trial, published),
        subgroups=_subgroups(name, trial, first),
        waterfall=_waterfall(name, trial, first, mine),
        events=draw(
            f"{name}-events",
            lambda live: figures.adverse_events(rates, colours=mine, interactive=live),
            description=_events_in_words(rates),
            caption=f"Patients with a worst grade of 3 or 4. Dots: Glueprint, with 95 % interval.{beside}",
            key=trial.arms,
        ),
        baseline=summaries.baseline(trial),
        disposition=summaries.disposition(trial),
        response=summaries.response(trial),
        times=summaries.times(trial),
        events_table=summaries.adverse_events(trial, published),
        doses=_doses(name, trial, first, mine),
        dose=summaries.dose(trial),
        schema=None if trial.protocol is None else schema_of(trial.protocol, mine),
    )


def _design(trial: TrialTables) -> str:
    first = trial.patients.filter(pl.col("replicate") == trial.first_replicate)
    sizes = [f"{first.filter(pl.col('arm') == arm).height} {arm}" for arm in trial.arms]
    spread = ""
    if trial.replicates > 1:
        spread = (
            f" The study ran {trial.replicates} virtual trials of this size. "
            "Tables and strong lines show the first, "
            "faint lines some others."
        )
    return f"Virtual patients: {', '.join(sizes)}.{spread}"


def _headline(trial: TrialTables) -> str:
    """One sentence per endpoint that the trial's table holds."""
    sentences = []
    for label, median, ratio in summaries.survival().values():
        parts = []
        for arm in trial.arms:
            found = pick(trial.endpoints, arm, median, trial.first_replicate)
            if found is not None:
                parts.append(f"{interval(found)} months with {arm}")
        if not parts:
            continue
        text = f"Median {label.lower()} was {' against '.join(parts)}"
        against = pick_comparison(trial.endpoints, trial.arms, ratio, trial.first_replicate)
        if against is not None and against.value is not None:
            tail = f"hazard ratio {interval(against, 2)}, {p_value(against.p_value)}".rstrip(", ")
            text = f"{text} ({tail})"
        sentences.append(f"{text}.")
    rates = [(arm, pick(trial.endpoints, arm, "orr", trial.first_replicate)) for arm in trial.arms]
    known = [f"{interval(found, 0)} % with {arm}" for arm, found in rates if found is not None]
    if known:
        sentences.append(f"The overall response rate was {' against '.join(known)}.")
    return " ".join(sentences)


def _survival(
    name: str, trial: TrialTables, endpoint: str, colours: Mapping[str, str], published: pl.DataFrame
) -> Drawn:
    label, median, ratio = summaries.survival()[endpoint]
    curves = trial.survival_curves.filter(pl.col("endpoint") == endpoint)
    medians: dict[str, Estimate] = {}
    for arm in trial.arms:
        found = pick(trial.endpoints, arm, median, trial.first_replicate)
        if found is not None:
            medians[arm] = found
    guide = published.filter(pl.col("endpoint") == median)
    diamonds = dict(zip(guide.get_column("arm").to_list(), guide.get_column("value").to_list(), strict=True))
    against = pick_comparison(trial.endpoints, trial.arms, ratio, trial.first_replicate)
    words = [f"{arm}: median {interval(found)} months" for arm, found in medians.items()]
    if against is not None:
        words.append(f"hazard ratio {interval(against, 2)}, {p_value(against.p_value)}".rstrip(", "))
    note = " Open diamonds: medians printed in the guide." if diamonds else ""
    note += " Faint lines: other virtual trials of this size." if trial.replicates > 1 else ""
    return draw(
        f"{name}-{endpoint}",
        lambda live: figures.kaplan_meier(
            curves,
            arms=trial.arms,
            title=label,
            colours=colours,
            medians=medians,
            published_medians=diamonds,
            hazard_ratio=against,
            interactive=live,
        ),
        description=f"Kaplan-Meier curves of {label.lower()}. {'; '.join(words)}.",
        caption=(
            f"Kaplan-Meier estimate of {label.lower()} with pointwise 95 % log-log band; "
            f"ticks mark censored patients.{note}"
        ),
    )


def _waterfall(name: str, trial: TrialTables, first: pl.DataFrame, colours: Mapping[str, str]) -> Drawn:
    unmeasured = first.get_column("best_change_pct").fill_nan(None).null_count()
    cut = first.filter(pl.col("best_change_pct") > CEILING).height
    notes = ["Full colour: partial response or better. Lines at −50 % and +25 %."]
    if unmeasured:
        notes.append(f"{unmeasured} patients without a measurement after baseline are not drawn.")
    if cut:
        notes.append(f"{cut} {'bar ends' if cut == 1 else 'bars end'} at +100 %.")
    words = []
    for arm in trial.arms:
        changes = first.filter(pl.col("arm") == arm).get_column("best_change_pct").drop_nulls()
        halved = int((changes <= -50).sum())
        words.append(f"{arm}: {halved} of {changes.len()} measured patients fell by half or more")
    return draw(
        f"{name}-waterfall",
        lambda live: figures.waterfall(first, arms=trial.arms, colours=colours, interactive=live),
        description=f"Best change of serum M-protein from baseline, one bar per patient. {'; '.join(words)}.",
        caption=" ".join(("Best change of serum M-protein from baseline, one bar per patient.", *notes)),
    )


def _hazard(name: str, trial: TrialTables, published: pl.DataFrame) -> Drawn | None:
    rows: list[dict[str, object]] = []
    for label, _, ratio in summaries.survival().values():
        against = pick_comparison(trial.endpoints, trial.arms, ratio, trial.first_replicate)
        if against is None or against.value is None:
            continue
        guide = published.filter(pl.col("endpoint") == ratio).select("value", "low", "high")
        rows += [{"name": label, "kind": "published", **row} for row in guide.to_dicts()]
        rows.append(
            {
                "name": label,
                "kind": "computed",
                "value": against.value,
                "low": against.low,
                "high": against.high,
            }
        )
    if not rows:
        return None
    beside = " Open diamonds: as published." if any(row["kind"] == "published" for row in rows) else ""
    table = pl.DataFrame(rows, infer_schema_length=None)
    words = "; ".join(f"{row['name']}, {row['kind']}: {row['value']:.2f}" for row in rows)
    return draw(
        f"{name}-hazard",
        lambda live: figures.forest(table, interactive=live),
        description=f"Hazard ratios of {trial.arms[0]} against {trial.arms[1]}. {words}.",
        caption=(
            f"Hazard ratio of {trial.arms[0]} against {trial.arms[1]}: below 1 favours {trial.arms[0]}. "
            f"Dots: Glueprint.{beside}"
        ),
    )


def _subgroups(name: str, trial: TrialTables, first: pl.DataFrame) -> Drawn | None:
    """Hazard ratios of progression or death by subgroup; None without a protocol, a second arm, or times."""
    if trial.protocol is None or len(trial.arms) < 2 or "pfs_months" not in first.columns:
        return None
    table = subgroups_table(trial.protocol, first).filter(pl.col("endpoint") == "hr_pfs")
    found = table.filter(
        pl.col("value").is_between(0, math.inf, closed="none")
        & (pl.col("arm") == f"{trial.arms[0]} vs {trial.arms[1]}")
    )
    if found.is_empty():
        return None
    words = "; ".join(
        f"{row['factor'].replace('_', ' ')} {row['level']}: {row['value']:.2f}" for row in found.to_dicts()
    )
    return draw(
        f"{name}-subgroups",
        lambda live: figures.subgroup_forest(table, "hr_pfs", interactive=live),
        description=f"Hazard ratios of progression or death by subgroup. {words}.",
        caption=(
            "Hazard ratio of progression or death by subgroup in one virtual trial, with 95 % interval; the "
            "area of a square goes with its events. A p value tests whether the levels of a factor differ; "
            "one in twenty falls below 0.05 by chance alone."
        ),
    )


def _doses(name: str, trial: TrialTables, first: pl.DataFrame, colours: Mapping[str, str]) -> Drawn | None:
    """Who takes which dose by week; None where the visits hold no doses, or nobody could be computed."""
    if "dose_mg" not in trial.visits.columns:
        return None
    visits = trial.visits.filter(pl.col("replicate") == trial.first_replicate)
    states = weekly_states(visits, first)
    if states.is_empty():
        return None
    words = []
    for week in DESCRIBED_WEEKS:
        rows = states.filter(pl.col("week") == week)
        for arm in trial.arms:
            shares = [
                f"{row['state']} {row['share_pct']:.0f} %"
                for row in rows.filter(pl.col("arm") == arm).to_dicts()
            ]
            words += [f"Week {week}, {arm}: {', '.join(shares)}"] if shares else []
    return draw(
        f"{name}-doses",
        lambda live: figures.dose_timeline(visits, first, arms=trial.arms, colours=colours, interactive=live),
        description=f"Patients on the full dose, reduced, held and off treatment. {'; '.join(words)}.",
        caption=(
            "Dose of the leading drug after the last visit, of all patients not yet censored; the dead count "
            "as off treatment. The figure ends where a third of an arm is censored."
        ),
    )


def _events_in_words(rates: pl.DataFrame) -> str:
    words = [
        f"{row['event']}, {row['arm']}, {row['kind']}: {row['value']:.0f} %"
        for row in rates.filter(pl.col("value").is_not_null()).to_dicts()
    ]
    return f"Share of patients with a grade 3 or 4 event. {'; '.join(words)}."
