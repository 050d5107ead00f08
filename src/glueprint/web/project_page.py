"""One project: what it has and lacks, its run, its tables and report, and what is done with it as a whole."""

from __future__ import annotations

import os

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from glueprint.runs.workbooks import MEDIA_TYPE
from glueprint.study import glue
from glueprint.web.context import of
from glueprint.web.refusals import refused
from glueprint.web.render import download, page
from glueprint.web.requests import Form
from glueprint.web.tables import csv, packed

__all__ = ["copied", "deleted", "every_table", "exported", "project", "ran", "report", "table"]

MOST_REPORT = 256 * 1024**2
# A report is a page of its own with scripts of its own. In a sandbox it has no origin: it can neither read
# what these pages hold nor ask this server for anything.
REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads allow-popups; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def project(request: Request) -> Response:
    """One project: what it has, what it lacks, what would help most."""
    bench = of(request)
    name = request.path_params["project"]
    folder = bench.workspace.place(name)
    loaded = glue.load(folder)
    return page(
        request,
        "project.html.j2",
        name=name,
        project=loaded,
        about=glue.status(folder),
        jobs=bench.jobs.of(name)[:5],
        busy=bench.jobs.busy(name),
        tables=glue.table_names(folder),
        has_report=(folder / "result" / "report.html").is_file(),
        folder=str(folder),
    )


def ran(request: Request, form: Form) -> Response:
    """The whole line of a project as a job."""
    bench = of(request)
    name = request.path_params["project"]
    folder = bench.workspace.place(name)
    if busy := bench.jobs.busy(name):
        raise refused(
            "GP-B012", f"{busy.title} is under way already", "one run of a project at a time", "look at it"
        )
    words = [
        "glue",
        "run",
        str(folder),
        "--workers",
        str(max(1, (os.cpu_count() or 1) // bench.jobs.workers)),
    ]
    words += ["--quick"] if form.text("quick") == "yes" else []
    words += ["--fresh"] if form.text("fresh") == "yes" else []
    job = bench.jobs.add(f"{name}: plates to trial", words, project=name)
    return RedirectResponse(f"/jobs/{job.id}", 303)


def copied(request: Request, form: Form) -> Response:
    """A copy under another name."""
    of(request).workspace.duplicate(request.path_params["project"], form.text("name"))
    return RedirectResponse(f"/p/{form.text('name')}", 303)


def deleted(request: Request, form: Form) -> Response:
    """Delete a project, once its name was typed; it can be fetched back."""
    bench = of(request)
    name = request.path_params["project"]
    bench.workspace.place(name)
    if form.text("confirm") != name:
        raise refused(
            "GP-B012", "the name was not repeated", f"{name}", "type the name to delete it", where="confirm"
        )
    if busy := bench.jobs.busy(name):
        raise refused("GP-B012", f"{busy.title} is under way", "a project at rest", "cancel the job first")
    bench.workspace.put_away(name)
    return RedirectResponse("/", 303)


def exported(request: Request) -> Response:
    """The project as a zip."""
    name = request.path_params["project"]
    content = of(request).workspace.packed(name)
    return Response(content, media_type="application/zip", headers=download(f"{name}.zip"))


def report(request: Request) -> Response:
    """The report of the last run, in a sandbox."""
    path = of(request).workspace.place(request.path_params["project"]) / "result" / "report.html"
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_REPORT:
        raise refused("GP-B007", "there is no report yet", "a finished run", "run the project")
    return Response(
        path.read_bytes(),
        media_type="text/html; charset=utf-8",
        headers={"content-security-policy": REPORT_POLICY},
    )


def table(request: Request) -> Response:
    """A table of the result as CSV."""
    name = request.path_params["table"]
    text = csv(glue.table(of(request).workspace.place(request.path_params["project"]), name))
    return Response(text, media_type="text/csv; charset=utf-8", headers=download(f"{name}.csv"))


def every_table(request: Request) -> Response:
    """All tables of the result: one workbook, or CSV files in a zip."""
    name, ending = request.path_params["project"], request.path_params["ending"]
    forms = {"zip": "csv", "xlsx": "xlsx"}
    if ending not in forms:
        raise refused("GP-B007", "there is no such file", "zip or xlsx", "open the project again")
    files = glue.export(of(request).workspace.place(name), forms[ending])
    content = packed(files) if ending == "zip" else next(iter(files.values()))
    kind = "application/zip" if ending == "zip" else MEDIA_TYPE
    return Response(content, media_type=kind, headers=download(f"{name}-tables.{ending}"))
