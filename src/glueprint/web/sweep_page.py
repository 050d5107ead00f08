"""Doses and schedules of a trial's arm compared in the same patients: a job, then a figure and a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from glueprint import trials
from glueprint.errors import InputError
from glueprint.report import figures
from glueprint.report.figures import drawing
from glueprint.runs.store import read_table
from glueprint.web import designs, drawn
from glueprint.web.context import of
from glueprint.web.refusals import refused
from glueprint.web.render import download, number, page
from glueprint.web.requests import Form
from glueprint.web.tables import csv
from glueprint.web.trial_page import counted, place_of, queued

__all__ = ["asked", "file", "sweep"]

MOST_VARIANTS, MOST_REPLICATES, MOST_PATIENTS = 60, 500, 5000
GCSF = ("none", "secondary", "primary")
KINDS = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf", "csv": "text/csv"}


def sweep(request: Request) -> Response:
    """What was compared last, and a form to compare more."""
    name, trial = request.path_params["project"], request.path_params["trial"]
    place = place_of(request)
    path = place / designs.FILE
    try:
        protocol, problem = trials.load_protocol(path), None
    except InputError as error:
        protocol, problem = None, error
    table = _table(place)
    heads, rows = _cells(table) if table is not None else ([], [])
    return page(
        request,
        "sweep.html.j2",
        name=name,
        trial=trial,
        problem=problem,
        arms=[arm.name for arm in protocol.arms] if protocol else [],
        rules=["none", *trials.available_rules()],
        gcsf=GCSF,
        figure=drawn.for_page(drawing.svg(figures.variants(table), prefix="sweep"))
        if table is not None
        else "",
        heads=heads,
        rows=rows,
        label="; ".join(table["label"].unique(maintain_order=True).to_list()) if table is not None else "",
        jobs=[job for job in of(request).jobs.of(name) if job.words[:3] == ("trial", "sweep", str(path))][:5],
        command=["trial", "sweep", str(path), "--dose-mg", "1,2,4", "--days", "1-21", "--out",
                 str(place / designs.SWEEP)],
        python=python_of(path),
    )  # fmt: skip


def _table(place: Path) -> pl.DataFrame | None:
    path = place / designs.SWEEP / "sweep.parquet"
    return read_table(path, "sweep") if path.is_file() and not path.is_symlink() else None


def _cells(table: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """A row a variant: what it gives, and by how much it differs from the arm as written."""
    endpoints = [name for name in trials.SWEPT if name in table["endpoint"].to_list()]
    rows = []
    for part in table.partition_by("variant", maintain_order=True):
        of_endpoint = {row["endpoint"]: row for row in part.to_dicts()}
        variant = f"{part['variant'][0]}{' (reference)' if part['reference'][0] else ''}"
        rows.append([variant, *(_cell(of_endpoint.get(name)) for name in endpoints)])
    units = dict(table.select("endpoint", "unit").unique().iter_rows())
    return ["variant", *(f"{trials.label_of(name)}, {units[name]}" for name in endpoints)], rows


def _cell(row: dict[str, Any] | None) -> str:
    if row is None or row["value"] is None:
        return "not reached"
    interval = f" ({_end(row['low'])} to {_end(row['high'])})"
    apart = "" if row["reference"] or row["difference"] is None else f"; {row['difference']:+.3g}"
    return f"{number(row['value'])}{interval}{apart}"


def _end(value: float | None) -> str:
    return "…" if value is None else number(value)


def asked(request: Request, form: Form) -> Response:
    """The comparison as a job; what cannot be compared is refused now."""
    place = place_of(request)
    doses = _listed(form, "doses", ",")
    schedules = _listed(form, "schedules", ";")
    rules, gcsf = form.every("rules"), form.every("gcsf")
    _check(doses, schedules)
    count = max(len(doses), 1) * max(len(schedules), 1) * max(len(rules), 1) * max(len(gcsf), 1)
    if not doses + schedules + rules + gcsf or count > MOST_VARIANTS:
        raise refused(
            "GP-B024",
            f"{count if doses + schedules + rules + gcsf else 0} variants",
            f"doses, schedules, rules or G-CSF, at most {MOST_VARIANTS} combinations",
            "fill in a field",
            where="doses",
        )
    words = ["trial", "sweep", str(place / designs.FILE), "--arm", form.text("arm")[:100]]
    words += ["--dose-mg", ",".join(doses)] if doses else []
    words += [word for days in schedules for word in ("--days", days)]
    words += [word for rule in rules for word in ("--rules", rule[:100])]
    words += ["--gcsf", ",".join(gcsf)] if gcsf else []
    words += ["--patients", str(counted(form, "patients", MOST_PATIENTS, 100))]
    words += ["--replicates", str(counted(form, "replicates", MOST_REPLICATES, 20))]
    words += ["--seed", str(counted(form, "seed", 2**31 - 1, 1, least=0))]
    words += ["--posterior"] if form.text("posterior") == "yes" else []
    return queued(request, place, f"{count} variants", [*words, "--out", str(place / designs.SWEEP)])


def _listed(form: Form, name: str, separator: str) -> list[str]:
    return [part.strip() for part in form.text(name)[:500].split(separator) if part.strip()]


def _check(doses: list[str], schedules: list[str]) -> None:
    for dose in doses:
        try:
            if not 0.0 <= float(dose) <= 1000.0:
                raise ValueError
        except ValueError:
            raise refused(
                "GP-B023", f'"{dose[:40]}"', "doses in mg such as 1,2,4", "correct it", where="doses"
            ) from None
    for days in schedules:
        try:
            trials.parse_days(days)
        except PydanticCustomError:
            raise refused(
                "GP-B023", f'"{days[:40]}"', "days such as 1-21; 1-28/2", "correct them", where="schedules"
            ) from None


def file(request: Request) -> Response:
    """The comparison as a figure or a table."""
    table, ending = _table(place_of(request)), request.path_params["ending"]
    if table is None or ending not in KINDS:
        raise refused("GP-B007", "there is no such file", "a finished comparison", "open the page again")
    head = download(f"{request.path_params['trial']}-sweep.{ending}")
    content = csv(table) if ending == "csv" else drawing.written(figures.variants(table), f".{ending}")
    return Response(content, media_type=KINDS[ending], headers=head)


def python_of(path: Path) -> str:
    """The comparison of the page's command in Python, with the numbers that the command takes."""
    return (
        "from glueprint import trials\nfrom glueprint.calibration import clinical\n"
        "from glueprint.report import figures\n\n"
        f'protocol = trials.load_protocol("{path}")\n'
        'variants = trials.grid(dose_mg=[1, 2, 4], days=["1-21"])\n'
        "how = trials.SweepSettings(draws=clinical.posterior().central(protocol))\n"
        "found = trials.sweep(protocol, variants, arm=protocol.arms[0].name, settings=how)\n"
        'print(found.table)\nfigures.save(figures.variants(found.table), "sweep.svg")'
    )
