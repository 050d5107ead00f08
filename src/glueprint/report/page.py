"""One offline HTML page: published beside computed, the virtual trials, and what was put in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from glueprint.report import figures, guide
from glueprint.report import rows as reading
from glueprint.report.case_mix import case_mixes
from glueprint.report.chemistry import chemistry_section
from glueprint.report.diagrams.section import ASSAYS, PATHWAY, shown
from glueprint.report.drawn import Drawn, draw
from glueprint.report.estimates import number
from glueprint.report.figures import theme
from glueprint.report.glance import at_a_glance
from glueprint.report.held_out import held_out_section
from glueprint.report.plates import plates_section
from glueprint.report.shell import rendered
from glueprint.report.tables import LABELS, ReportInput, TrialTables, check, without_nan
from glueprint.report.trial import published_estimates, trial_view
from glueprint.runs.store import write_file

__all__ = ["ReportInput", "TrialTables", "render", "write"]

LEGEND = {
    "input": "Put in as published. Agreement is no achievement.",
    "calibrated": "The model was fitted or hand-set so that this number comes out. Not a prediction.",
    "predicted": "Computed from other numbers. No fit read it.",
    "extrapolated": "Computed as a prediction is, for patients, doses or times that no fitted trial had.",
    "assumed": "Computed with parameters of other trials or another compound, and without their uncertainty.",
    "not modelled yet": "Published, but this version computes nothing to set beside it.",
}
# What "calibrated" says where the trials' parameters are draws of a posterior.
FITTED = "The model was fitted to this number, or to others of the same arms. Not a prediction."
PROFILES = {
    "pk": ("Pharmacokinetics", "Concentration in plasma"),
    "degradation": ("Degradation of neosubstrates", "Ikaros (IKZF1) and Aiolos (IKZF3) left"),
    "marrow": ("Blood counts", "Neutrophils and platelets through treatment"),
}


def write(given: ReportInput, path: str | Path) -> Path:
    """Write the page whole or not at all.

    Returns the path.   Raises as `render`, and what `runs.store.write_file` raises.
    """
    target = Path(path)
    write_file(target, render(given))
    return target


def render(given: ReportInput) -> str:
    """The page as text: one file, no foreign host, same input, same bytes.

    Raises InputError GP-P001 (missing column), GP-P002 (unknown label), GP-P003 (unknown arm).
    """
    check(given)
    given = without_nan(given)
    arms = [arm for trial in given.trials.values() for arm in trial.arms]
    colours = theme.arm_colours(arms)
    views = [
        trial_view(name, trial, colours, published_estimates(given.comparison, name))
        for name, trial in given.trials.items()
    ]
    return rendered(
        "page.html.j2",
        given.title,
        given=given,
        glance=[
            line
            for name, trial in list(given.trials.items())[:1]
            for line in at_a_glance(given.comparison, name, trial)
        ],
        arm_places={arm: place for place, arm in enumerate(colours)},
        assays=shown(ASSAYS),
        case_mixes=case_mixes(given.trials),
        pathway=shown(PATHWAY),
        comparisons=_dots_of_tables(given.comparison, colours),
        chemistry=chemistry_section(given.compounds.to_dicts()),
        findings=given.findings.to_dicts(),
        fitted=_has_fitted(given.parameters),
        held_out=held_out_section(given.held_out, {view.name: view.short for view in views}),
        legend=_legend(given),
        number=number,
        written=reading.written,
        parameters=_sections(given.parameters),
        plates=plates_section(given.plates),
        profiles=_profiles(given.profiles),
        provenance=_provenance(given.provenance),
        tables=[] if given.comparison is None else guide.guide_tables(given.comparison, given.guide),
        tally=None if given.comparison is None else guide.tally(given.comparison),
        trials=views,
    )


def _legend(given: ReportInput) -> dict[str, str]:
    """What each label means that the page shows; beside a guide the usual ones are there in any case."""
    legend = LEGEND | {"calibrated": FITTED} if given.posterior else LEGEND
    alone = given.comparison is None
    tables = [given.comparison, given.held_out, *(t.headlines for t in given.trials.values() if alone)]
    used = {label for table in tables if table is not None for label in table.get_column("label")}
    used |= set() if alone else set(LABELS) - {"assumed", "extrapolated"}
    return {label: meaning for label, meaning in legend.items() if label in used}


def _dots_of_tables(comparison: pl.DataFrame | None, colours: Mapping[str, str]) -> dict[int, Drawn]:
    """The figure of each of the guide's tables that says which trial its rows are of."""
    if comparison is None or "trial" not in comparison.columns:
        return {}
    of_trials = comparison.filter(pl.col("trial").is_not_null() & (pl.col("trial") != ""))
    numbers = of_trials.get_column("guide_table").unique().sort().to_list()
    drawn = {table: _dots(comparison, table, colours) for table in numbers}
    return {table: found for table, found in drawn.items() if found is not None}


def _dots(comparison: pl.DataFrame, table: int, colours: Mapping[str, str]) -> Drawn | None:
    part = comparison.filter((pl.col("guide_table") == table) & pl.col("computed").is_not_null())
    if part.is_empty():
        return None
    words = [
        f"{reading.name_of(row)}: published {row['published']}, "
        f"computed {number(row['computed'])} {reading.written(row['unit'])}".rstrip()
        for row in part.to_dicts()
    ]
    return draw(
        f"guide-{table}",
        lambda live: figures.comparison_dots(comparison, table, colours=colours, interactive=live),
        description=f"Published and computed values of table {table}. {'; '.join(words)}.",
        caption="Open diamonds: as published, with the interval where one is printed. Dots: Glueprint.",
        key=_arms_of(part, colours),
    )


def _arms_of(rows: pl.DataFrame, colours: Mapping[str, str]) -> tuple[str, ...]:
    """The arms among the rows of a comparison, in the page's order."""
    present = set(rows.get_column("arm").to_list()) if "arm" in rows.columns else set()
    return tuple(arm for arm in colours if arm in present)


def _profiles(profiles: pl.DataFrame) -> list[tuple[str, Drawn]]:
    drawn = []
    for key in profiles.get_column("profile").unique(maintain_order=True).to_list():
        part = profiles.filter(pl.col("profile") == key)
        heading, what = PROFILES.get(key, (key, key))
        series = ", ".join(part.get_column("series").unique(maintain_order=True).to_list())
        drawn.append(
            (
                heading,
                draw(
                    f"profile-{key}",
                    lambda live, part=part: figures.profile(part, interactive=live),  # type: ignore[misc]
                    description=f"{what} over time: {series}.",
                    caption=f"{what}. Line: median; band: middle 90 % of the virtual patients.",
                ),
            )
        )
    return drawn


def _has_fitted(parameters: pl.DataFrame) -> bool:
    """Whether a fit stands in the place of some typical value."""
    return "fitted" in parameters.columns and parameters.get_column("fitted").is_not_null().any()


def _sections(parameters: pl.DataFrame) -> list[tuple[str, list[dict[str, Any]]]]:
    """Parameters by the value of column "section" where there is one, in the order given."""
    sections: dict[str, list[dict[str, Any]]] = {}
    for row in parameters.to_dicts():
        sections.setdefault(str(row.get("section") or ""), []).append(row)
    return list(sections.items())


def _provenance(provenance: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Nested records as flat pairs, in the order given."""
    pairs: list[tuple[str, str]] = []
    for key, value in provenance.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            pairs += _provenance(value, f"{name}, ")
        elif isinstance(value, list | tuple):
            pairs.append((name, ", ".join(str(item) for item in value)))
        else:
            pairs.append((name, str(value)))
    return pairs
