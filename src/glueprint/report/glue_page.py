"""One offline HTML page for one glue: what it rests on, its plates, its numbers, its doses, its trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from glueprint.report import figures, glue_report, glue_tables, glue_uncertainty
from glueprint.report import rows as reading
from glueprint.report.drawn import Drawn, draw
from glueprint.report.estimates import number
from glueprint.report.figures import theme
from glueprint.report.glue_report import GlueInput
from glueprint.report.glue_tables import TITLES
from glueprint.report.page import PROFILES
from glueprint.report.plates import FIGURES
from glueprint.report.shell import rendered
from glueprint.report.trial import published_estimates, trial_view
from glueprint.runs.store import write_file
from glueprint.study.glue import GlueResult

__all__ = ["FILE", "Plate", "render", "write"]

FILE = "report.html"
# Kinds of assay -> the figure that shows them.
DRAWN_AS: Mapping[str, str] = {"degradation": "blot"}
# What a figure says of the twins of a study, and not of any plate.
OF_TWINS = " of two lines"


@dataclass(frozen=True)
class Plate:
    """One assay as the page shows it."""

    name: str
    kind: str
    title: str
    files: tuple[str, ...]
    samples: str
    simulated: bool
    drawn: Drawn | None


def write(result: GlueResult, path: str | Path) -> Path:
    """Write the page of a project's result, whole or not at all.

    Returns the path.   Raises what `runs.store.write_file` raises.
    """
    target = Path(path)
    write_file(target, render(glue_report.input_of(result)))
    return target


def render(given: GlueInput) -> str:
    """The page as text: one file, no foreign host, same input, same bytes."""
    views = []
    colours: Mapping[str, str] = {}
    if given.trial is not None:
        colours = theme.arm_colours(given.trial.arms)
        views = [trial_view("glue", given.trial, colours, published_estimates(None, "glue"))]
    return rendered(
        "glue.html.j2",
        given.title,
        given=given,
        trials=views,
        arm_places={arm: place for place, arm in enumerate(colours)},
        glance=glue_tables.glance(given.outcomes),
        against=glue_tables.against(given.against),
        learnt=glue_tables.learnt(given.learnt),
        numbers=given.numbers.to_dicts(),
        compared=glue_tables.compared(given.compared),
        odds=glue_tables.odds(given.odds),
        limits=glue_tables.limits(given.limits),
        dose_labels=_dose_labels(given.outcomes),
        sources=glue_uncertainty.sources(given.uncertainty),
        next_experiments=glue_uncertainty.next_experiments(given.next_experiment),
        plates=[_plate(row, given.figures) for row in given.assays.to_dicts()],
        profiles=_profiles(given.profiles),
        sweep=_sweep(given),
        findings=given.findings.to_dicts(),
        number=number,
        written=reading.written,
    )


def _dose_labels(outcomes: pl.DataFrame | None) -> list[tuple[str, str]]:
    """How the trials of the glue's doses are to be read: each label with its doses."""
    if outcomes is None:
        return []
    own = outcomes.filter(pl.col("part") != "reference").sort("dose_mg", maintain_order=True)
    return [
        (label, ", ".join(f"{dose:g}" for dose in part.get_column("dose_mg").unique(maintain_order=True)))
        for (label,), part in own.group_by("label", maintain_order=True)
    ]


def _plate(row: Mapping[str, Any], tables: Mapping[str, pl.DataFrame]) -> Plate:
    name, kind = str(row["name"]), str(row["kind"])
    prefix = f"{name}_"
    own = {key.removeprefix(prefix): table for key, table in tables.items() if key.startswith(prefix)}
    drawn = None
    if own:
        caption, chart = FIGURES[DRAWN_AS.get(kind, kind)]
        figure = chart(own)
        mark = "Simulated, not measured. " if row["simulated"] else ""
        samples = ", ".join(row["samples"])
        drawn = draw(
            f"plate-{name}",
            lambda _: figure,
            description=f"{mark}{TITLES[kind]} of {samples}.",
            caption=f"{mark}{caption.replace(OF_TWINS, '')}",
        )
    return Plate(
        name=name,
        kind=kind,
        title=TITLES[kind],
        files=tuple(row["files"]),
        samples=", ".join(row["samples"]),
        simulated=bool(row["simulated"]),
        drawn=drawn,
    )


def _profiles(profiles: pl.DataFrame | None) -> list[tuple[str, Drawn]]:
    if profiles is None:
        return []
    drawn = []
    for key in profiles.get_column("profile").unique(maintain_order=True).to_list():
        part = profiles.filter(pl.col("profile") == key)
        heading, what = PROFILES.get(key, (key, key))
        series = ", ".join(part.get_column("series").unique(maintain_order=True).to_list())
        chart = draw(
            f"profile-{key}",
            lambda live, part=part: figures.profile(part, interactive=live),  # type: ignore[misc]
            description=f"{what} over time: {series}.",
            caption=f"{what}. Line: median; band: middle 90 % of the virtual patients.",
        )
        drawn.append((heading, chart))
    return drawn


def _sweep(given: GlueInput) -> Drawn | None:
    """Response and neutropenia over the doses; None where there is one dose alone."""
    if given.odds is None or given.odds.is_empty() or given.outcomes is None:
        return None
    outcomes = given.outcomes
    limits = dict(given.odds.select("endpoint", "limit_percent").unique().iter_rows())
    words = [
        f"{row['arm']}, {row['endpoint'].replace('_', ' ')}: {number(row['value'])} % "
        f"({number(row['low'])} to {number(row['high'])})"
        for row in outcomes.filter(pl.col("endpoint").is_in(list(limits))).to_dicts()
    ]
    reference = next(iter(outcomes.filter(pl.col("part") == "reference").get_column("arm")), "")
    return draw(
        "dose-sweep",
        lambda live: figures.dose_sweep(outcomes, limits=limits, interactive=live),
        description=f"Response and neutropenia at each dose. {'; '.join(words)}.",
        caption=f"Median of the virtual trials and their middle 95 %. Full dot: the dose of the trial. Grey: "
        f"{reference} in the same patients. Dashed: the limits that were asked about.",
    )
