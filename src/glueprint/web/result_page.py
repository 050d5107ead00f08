"""Results of a trial as pages: numbers with intervals, figures, patients with filters down to one course."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import polars as pl
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from glueprint import trials
from glueprint.report import summaries, trial_figures
from glueprint.report.figures import drawing
from glueprint.report.trial import published_estimates
from glueprint.runs.workbooks import MEDIA_TYPE
from glueprint.web import designs
from glueprint.web.charts import Line, panel
from glueprint.web.context import of
from glueprint.web.refusals import refused
from glueprint.web.render import download, number, page
from glueprint.web.requests import Form
from glueprint.web.tables import csv
from glueprint.web.trial_result import Result, hold_against, opened

__all__ = ["figure", "figures", "observed", "patient", "patients", "result", "table"]

SHOWN = 50  # patients a page
FIGURE = re.compile(r"([a-z0-9_]{1,60})\.(svg|png|pdf)")
KINDS = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
TABLES = ("patients", "visits", "endpoints", "survival_curves")
# Columns of the list of patients, and those that it can be narrowed by.
COLUMNS = (
    "patient",
    "arm",
    "sex",
    "age_y",
    "best_response",
    "best_change_pct",
    "pfs_months",
    "pfs_event",
    "os_months",
    "os_event",
    "neutropenia_grade",
    "relative_dose_intensity",
    "off_treatment_reason",
)
FILTERS = ("arm", "best_response", "neutropenia_grade", "off_treatment_reason")
# Figure of a patient's course: column of the visits, title, unit.
COURSES = (
    ("m_protein_g_per_l", "M-protein", "g/L"),
    ("anc_1e9_per_l", "Neutrophils", "1e9/L"),
    ("platelets_1e9_per_l", "Platelets", "1e9/L"),
    ("haemoglobin_g_per_dl", "Haemoglobin", "g/dL"),
    ("dose_mg", "Dose after the visit", "mg"),
)
VISITS = ("time_days", "cycle", "dose_mg", "m_protein_g_per_l", "anc_1e9_per_l", "platelets_1e9_per_l",
          "haemoglobin_g_per_dl", "action", "response")  # fmt: skip


def _opened(request: Request) -> tuple[str, str, Result]:
    name, trial = request.path_params["project"], request.path_params["trial"]
    return name, trial, opened(designs.place(of(request).workspace.place(name), trial))


def result(request: Request) -> Response:
    """What a trial gave, and what was observed beside it."""
    name, trial, found = _opened(request)
    tables, none = found.tables(), published_estimates(None, trial)
    scores, total, problem = found.scores()
    return page(
        request,
        "trial_result.html.j2",
        name=name,
        trial=trial,
        result=found,
        heads=found.arms,
        endpoints=_endpoints(found),
        plain=[
            summaries.times(tables),
            summaries.response(tables),
            summaries.adverse_events(tables, none),
            summaries.dose(tables),
            summaries.disposition(tables),
        ],
        outside=[str(one) for one in trials.outside(found.protocol)],
        tables=TABLES,
        scores=scores,
        total=total,
        problem=problem,
        curve=found.curve(),
        survival=list(summaries.survival()),
        run=str(found.place / designs.RUN),
        held=str(found.place / designs.OBSERVED),
    )


def _endpoints(found: Result) -> list[tuple[str, list[str]]]:
    """Each headline with its cell for every arm and comparison: a trial's own, or the middle of many."""
    many = found.replicates > 1
    table = (
        trials.prediction_intervals(found.table("endpoints")).rename({"median": "value"})
        if many
        else found.first("endpoints")
    )
    cells = {(row["arm"], row["endpoint"]): _cell(row) for row in table.to_dicts()}
    columns = list(dict.fromkeys(arm for arm, _ in cells))
    rows = [
        (row.heading, [cells.get((arm, endpoint), "") for arm in columns])
        for endpoint, row in trials.headlines().items()
        if any((arm, endpoint) in cells for arm in columns)
    ]
    return [("", columns), *rows]


def _cell(row: Mapping[str, Any]) -> str:
    if row["value"] is None and row["low"] is None:
        return "not reached"
    ends = (
        "" if row["low"] is None and row["high"] is None else f" ({_end(row['low'])} to {_end(row['high'])})"
    )
    return f"{number(row['value']) or 'not reached'}{ends}"


def _end(value: float | None) -> str:
    return "…" if value is None else number(value)


def figures(request: Request) -> Response:
    """All figures of a trial, each with its downloads; a part of the page, or one of its own."""
    name, trial, found = _opened(request)
    part = request.headers.get("hx-request") == "true"
    return page(
        request,
        "trial_figures.html.j2" if part else "trial_figures_page.html.j2",
        name=name,
        trial=trial,
        figures=found.figures(),
        says={key.replace("-", "_"): one.says for key, one in trial_figures.FIGURES.items()},
    )


def figure(request: Request) -> Response:
    """One figure as SVG, PNG or PDF."""
    _, trial, found = _opened(request)
    asked = FIGURE.fullmatch(request.path_params["figure"])
    if not asked:
        raise refused("GP-B007", "there is no such figure", "a figure of the page", "open the result again")
    stem, ending = asked.groups()
    content = drawing.written(found.chart(stem), f".{ending}")
    return Response(content, media_type=KINDS[ending], headers=download(f"{trial}-{stem}.{ending}"))


def table(request: Request) -> Response:
    """A table as CSV, or those of the first virtual trial as a workbook."""
    _, trial, found = _opened(request)
    asked = request.path_params["table"]
    if asked == "trial.xlsx":
        return Response(found.workbook(), media_type=MEDIA_TYPE, headers=download(f"{trial}.xlsx"))
    stem, _, ending = asked.rpartition(".")
    if stem not in TABLES or ending != "csv":
        raise refused("GP-B007", "there is no such table", "a table of the page", "open the result again")
    text = csv(found.table(stem))
    return Response(text, media_type="text/csv; charset=utf-8", headers=download(f"{trial}-{stem}.csv"))


def patients(request: Request) -> Response:
    """Patients of one virtual trial, narrowed by what stands in the address."""
    name, trial, found = _opened(request)
    query = request.query_params
    replicates = sorted(found.table("patients").get_column("replicate").unique().to_list())
    replicate = _whole(query.get("replicate", ""), replicates[0])
    every = found.table("patients").filter(pl.col("replicate") == replicate).fill_nan(None)
    chosen = {column: query[column] for column in FILTERS if query.get(column)}
    rows = every
    for column, value in chosen.items():
        rows = rows.filter(pl.col(column).cast(pl.String) == value)
    first = max(_whole(query.get("first", ""), 0), 0)
    address = urlencode({"replicate": str(replicate), **chosen})
    return page(
        request,
        "patients.html.j2",
        name=name,
        trial=trial,
        replicate=replicate,
        replicates=replicates,
        options={column: _levels(every, column) for column in FILTERS},
        chosen=chosen,
        columns=[column for column in COLUMNS if column in every.columns],
        rows=rows.slice(first, SHOWN).to_dicts(),
        count=rows.height,
        total=every.height,
        first=first,
        step=SHOWN,
        address=address,
        run=str(found.place / designs.RUN),
    )


def _whole(text: str, usual: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else usual


def _levels(table: pl.DataFrame, column: str) -> list[str]:
    """What can be asked for; an empty cell, of a patient still treated, is no word to choose."""
    return sorted(filter(None, table.get_column(column).cast(pl.String).unique().to_list()))


def patient(request: Request) -> Response:
    """One patient: who it is, what happened, and what was seen at each visit."""
    name, trial, found = _opened(request)
    replicate = _whole(request.path_params["replicate"], -1)
    who = _whole(request.path_params["patient"], -1)
    mine = (pl.col("replicate") == replicate) & (pl.col("patient") == who)
    rows = found.table("patients").filter(mine).fill_nan(None).to_dicts()
    if not rows:
        raise refused("GP-B010", "there is no such patient", "one of the list", "open the list again")
    visits = found.table("visits").filter(mine).fill_nan(None).sort("time_days")
    panels = []
    for column, title, unit in COURSES:
        seen = visits.select("time_days", column).drop_nulls()
        x, y = seen["time_days"].to_list(), seen[column].to_list()
        if column == "dose_mg" and x:  # a dose holds until the next visit
            x, y = [x[0], *(day for day in x[1:] for _ in "ab")], [dose for dose in y for _ in "ab"][:-1]
        line = Line(title, "line-0", x, y)
        panels.append((title, unit, panel(title, unit, [line] if line.x else [])))
    return page(
        request,
        "patient.html.j2",
        name=name,
        trial=trial,
        replicate=replicate,
        who=who,
        about={key: value for key, value in rows[0].items() if value not in (None, "")},
        panels=panels,
        columns=[column for column in VISITS if column in visits.columns],
        visits=[[row.get(column) for column in VISITS if column in row] for row in visits.to_dicts()],
        run=str(found.place / designs.RUN),
    )


def observed(request: Request, form: Form) -> Response:
    """Hold a trial against what was observed: numbers or a curve, pasted; or let go of both."""
    name, trial, found = _opened(request)
    if form.text("forget") == "yes":
        for file in (designs.OBSERVED, designs.CURVE):
            (found.place / file).unlink(missing_ok=True)
    else:
        hold_against(found, form.text("observed"), form.text("endpoint") or next(iter(summaries.survival())))
    return RedirectResponse(f"/p/{name}/trials/{trial}/result#observed", 303)
