"""All figures of a virtual trial by name, each from the trial's tables, with what its numbers are."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import polars as pl

from glueprint import references
from glueprint.calibration.clinical import ClinicalPosterior
from glueprint.errors import InputError, nearest
from glueprint.report import figures
from glueprint.report.estimates import pick, pick_comparison
from glueprint.report.figures import panels, theme
from glueprint.report.summaries import event_rates, survival
from glueprint.report.tables import TrialTables
from glueprint.report.trial import published_estimates
from glueprint.trials import Protocol, subgroups_table

__all__ = ["FIGURES", "Figure", "Given", "chosen", "draw"]

NOTE_LETTERS = 98
BANDS, OTHERS = "Bands: 95 % of this trial.", " Faint: other virtual trials of this size."
PREDICTIVE = "Bands, broken lines: the middle 95 % of {count} virtual trials, and their median."
OBSERVED = " Circles: observed."
NO_OBSERVATIONS = "No data of single patients are public: the lines are one virtual trial, not observations."
NO_CAUSE = (
    "Not cause and effect: neutropenia lowers the dose, and early progression leaves no time for holds."
)


@dataclass(frozen=True)
class Given:
    """A trial to be drawn. table: a table of docs/design.md by its name.

    label: how the numbers are to be read.   posterior: of the clinical calibration, where there is one.
    interactive: with words under the pointer.   observed: a published curve, columns endpoint, arm, time,
    survival.
    """

    protocol: Protocol
    seed: int
    label: str
    table: Callable[[str], pl.DataFrame]
    posterior: ClinicalPosterior | None = None
    interactive: bool = False
    observed: pl.DataFrame | None = None

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms in the protocol's order."""
        return tuple(arm.name for arm in self.protocol.arms)

    @cached_property
    def patients(self) -> pl.DataFrame:
        """The patients of the first replicate."""
        return self.first("patients")

    def first(self, name: str) -> pl.DataFrame:
        """The rows of a table that are of the first replicate."""
        table = self.table(name).fill_nan(None)
        return table.filter(pl.col("replicate") == pl.col("replicate").min())

    def note(self, *further: str) -> str:
        """What the numbers are: which trial, which replicate, how they are labelled."""
        count = self.table("patients").get_column("replicate").n_unique()
        failed = self.patients.filter(pl.col("status") != 0).height
        text = f"{self.protocol.name}, virtual trial 1 of {count}, seed {self.seed}. Simulated; {self.label}."
        if failed:
            text += f" {failed} of {self.patients.height} patients could not be computed and are not drawn."
        return "\n".join(line for part in (text, *further) for line in textwrap.wrap(part, NOTE_LETTERS))

    def shared(self) -> dict[str, Any]:
        """What every figure of patients takes."""
        return {"arms": self.arms, "interactive": self.interactive}


@dataclass(frozen=True)
class Figure:
    """What a figure shows, and how it is drawn: file stem -> chart."""

    says: str
    draw: Callable[[Given], dict[str, Any]]


def chosen(names: Sequence[str] | None) -> tuple[str, ...]:
    """Figures by name in the order of FIGURES; all of them for None.

    Raises InputError GP-P006 for a name that is none.
    """
    for name in names or ():
        if name not in FIGURES:
            raise InputError(
                "GP-P006",
                f'unknown figure "{name}"{nearest(name, FIGURES)}',
                where="--only",
                expected=f"some of {', '.join(FIGURES)}",
                next_step="correct the name, or leave --only out for all figures",
            )
    return tuple(name for name in FIGURES if names is None or name in names)


def draw(
    given: Given, names: Sequence[str] | None = None
) -> Iterator[tuple[str, dict[str, Any] | InputError]]:
    """The figures asked for, each with its charts by file stem.

    names: as in `chosen`. With None, a figure that has nothing to show comes with the reason in its place;
    one that was asked for by name raises it.
    Raises InputError GP-P005 for a figure asked for that has nothing to show, GP-P006 for an unknown name.
    """
    for name in chosen(names):
        try:
            yield name, FIGURES[name].draw(given)
        except InputError as problem:
            if names is not None or problem.code != "GP-P005":
                raise
            yield name, problem


def _kaplan_meier(given: Given) -> dict[str, Any]:
    endpoints, curves = given.first("endpoints"), given.table("survival_curves").fill_nan(None)
    count = curves.get_column("replicate").n_unique()
    replicate = int(endpoints.get_column("replicate")[0])
    drawn = {}
    for endpoint, (title, median, ratio) in survival().items():
        medians = {arm: pick(endpoints, arm, median, replicate) for arm in given.arms}
        mine, seen = curves.filter(pl.col("endpoint") == endpoint), _observed(given, endpoint)
        band = figures.predictive_band(mine)
        bands = f"{BANDS}{OTHERS if count > 1 else ''}" if band.is_empty() else PREDICTIVE.format(count=count)
        drawn[f"km_{endpoint}"] = figures.kaplan_meier(
            mine,
            title=title,
            note=given.note(f"{bands}{OBSERVED if seen is not None else ''}"),
            band=None if band.is_empty() else band,
            observed=seen,
            medians={arm: found for arm, found in medians.items() if found is not None},
            hazard_ratio=pick_comparison(endpoints, given.arms, ratio, replicate),
            **given.shared(),
        )
    return drawn


def _observed(given: Given, endpoint: str) -> pl.DataFrame | None:
    """The published curve of an endpoint; None where there is none."""
    if given.observed is None:
        return None
    rows = given.observed.filter(pl.col("endpoint") == endpoint)
    return None if rows.is_empty() else rows


def _waterfall(given: Given) -> dict[str, Any]:
    if given.patients.get_column("best_change_pct").drop_nulls().is_empty():
        raise panels.nothing("waterfall", "nobody was measured again", "patients seen after baseline")
    title = "Best change of serum M-protein from baseline, one bar per patient"
    note = given.note("Full colour: partial response or better. Lines at −50 and +25 %; bars end at +100 %.")
    chart = figures.waterfall(given.patients, title=title, note=note, **given.shared())
    return {"waterfall": chart}


def _swimmer(given: Given) -> dict[str, Any]:
    title = "Individual patients, evenly spaced by time on treatment"
    chart = figures.swimmer(given.patients, title=title, note=given.note(), **given.shared())
    return {"swimmer": chart}


def _spider(given: Given) -> dict[str, Any]:
    title = "M-protein up to progression, patients evenly spaced by best change"
    visits = given.first("visits")
    chart = figures.spider(visits, given.patients, title=title, note=given.note(), **given.shared())
    return {"spider": chart}


def _forest(given: Given) -> dict[str, Any]:
    subgroups = subgroups_table(given.protocol, given.patients)
    comparisons = [f"{one} vs {other}" for one, other in combinations(given.arms, 2)]
    drawn = {}
    for endpoint, (title, _, ratio) in survival().items():
        for place, comparison in enumerate(comparisons or [""], start=1):
            stem = f"forest_{endpoint}" if place == 1 else f"forest_{endpoint}_{place}"
            drawn[stem] = figures.subgroup_forest(
                subgroups.filter(pl.col("arm") == comparison),
                ratio,
                title=f"{title} by subgroup",
                note=given.note(f"{comparison.replace(' vs ', ' against ')}."),
                interactive=given.interactive,
            )
    return drawn


def _vpc(given: Given) -> dict[str, Any]:
    titles = {"m-protein": "M-protein under treatment", "neutrophils": "Neutrophils under treatment"}
    return {
        f"vpc_{name.replace('-', '_')}": figures.vpc(
            given.table("visits"), name, title=title, note=given.note(NO_OBSERVATIONS), **given.shared()
        )
        for name, title in titles.items()
    }


def _exposure_response(given: Given) -> dict[str, Any]:
    title = "Dose taken, response and neutropenia, by quarters of each arm"
    note = given.note(NO_CAUSE)
    return {"exposure_response": figures.exposure_response(
        given.patients, title=title, note=note, **given.shared()
    )}  # fmt: skip


def _adverse_events(given: Given) -> dict[str, Any]:
    first = {name: given.first(name) for name in ("patients", "visits", "endpoints", "survival_curves")}
    tables = TrialTables(given.protocol.title, given.arms, **first, protocol=given.protocol)
    rates = event_rates(tables, published_estimates(None, given.protocol.name))
    colours = theme.arm_colours(given.arms)
    chart = figures.adverse_events(rates, colours=colours, interactive=given.interactive)
    title = panels.heading("Patients with a grade 3 or 4 event", given.note())
    return {"adverse_events": chart.properties(title=title)}


def _dose_timeline(given: Given) -> dict[str, Any]:
    title = "Full dose, reduced, held, off the first treatment"
    visits = given.first("visits")
    chart = figures.dose_timeline(visits, given.patients, title=title, note=given.note(), **given.shared())
    return {"dose_timeline": chart}


def _posterior(given: Given, figure: str) -> ClinicalPosterior:
    if given.posterior is None:
        raise panels.nothing(
            figure,
            "no posterior was given",
            "a posterior of the clinical calibration",
            "add --posterior, or --posterior-from FOLDER of `glueprint calibrate clinical --out`",
        )
    return given.posterior


def _told(posterior: ClinicalPosterior) -> str:
    return f"Structure {posterior.structure}, {posterior.draws.height} draws, fit {posterior.status}"


def _prior_posterior(given: Given) -> dict[str, Any]:
    posterior = _posterior(given, "prior-posterior")
    title = f"Parameters before and after {references.default().trials_in_words}"
    note = f"{_told(posterior)}. Calibrated."
    return {"prior_posterior": figures.prior_posterior(posterior.parameters, title=title, note=note)}


def _intervals(given: Given) -> dict[str, Any]:
    posterior = _posterior(given, "intervals")
    title = "Published summaries beside what the posterior expects"
    chart = figures.predicted_and_observed(
        posterior.summaries, title=title, note=_told(posterior), interactive=given.interactive
    )
    return {"intervals": chart}


FIGURES: Mapping[str, Figure] = {
    "km": Figure("survival with the patients at risk, and where other virtual trials lie", _kaplan_meier),
    "waterfall": Figure("best change of M-protein of each patient", _waterfall),
    "swimmer": Figure("treatment, response, progression and death of single patients", _swimmer),
    "spider": Figure("M-protein of single patients up to progression", _spider),
    "adverse-events": Figure("patients with a grade 3 or 4 event, by arm", _adverse_events),
    "forest": Figure("hazard ratios by subgroup, with the test for interaction", _forest),
    "vpc": Figure("percentiles of M-protein and neutrophils against those of other virtual trials", _vpc),
    "exposure-response": Figure("dose intensity against response and neutropenia", _exposure_response),
    "dose-timeline": Figure("patients on full dose, reduced, held or off, by week", _dose_timeline),
    "prior-posterior": Figure("each parameter before and after the clinical calibration", _prior_posterior),
    "intervals": Figure("published summaries beside what the posterior expects", _intervals),
}
