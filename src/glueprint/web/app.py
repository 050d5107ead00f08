"""The application: its addresses, behind the guard."""

from __future__ import annotations

import importlib
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from glueprint.web import queue
from glueprint.web.context import Bench
from glueprint.web.guard import Guard
from glueprint.web.refusals import refused
from glueprint.web.render import ASSETS, asset, error_body
from glueprint.web.requests import acting, answer, reading

__all__ = ["ROUTES", "application"]


def _static(request: Request) -> Response:
    """A file that comes with the workbench, by its name in a list."""
    kind = ASSETS.get(request.path_params["name"])
    if kind is None:
        raise refused("GP-B007", "there is no such file", "a file of these pages", "open the first page")
    headers = {"cache-control": "no-cache"}
    return Response(asset(request.path_params["name"]), media_type=f"{kind}; charset=utf-8", headers=headers)


# The modules of the pages behind the first one, and how long after the start they are loaded.
PAGES = (
    "project_page",
    "bench_page",
    "mechanism_page",
    "evidence_page",
    "trial_page",
    "result_page",
    "sweep_page",
    "compound_page",
)
WARM_S = 2.0
# Two threads that load one half-loaded room each would wait for each other.
_LOADING = threading.Lock()


def _named(place: str) -> Callable[..., Any]:
    """A function of these pages as MODULE.NAME, loaded when it is first asked for: the list of projects needs
    no model, and is there at once."""
    module, _, name = place.rpartition(".")

    def page(*given: Any) -> Any:
        with _LOADING:
            loaded = importlib.import_module(f"glueprint.web.{module}")
        return getattr(loaded, name)(*given)

    return page


def _get(path: str, page: str) -> Route:
    return Route(path, reading(_named(page)), methods=["GET"])


def _post(path: str, page: str) -> Route:
    return Route(path, acting(_named(page)), methods=["POST"])


ROUTES = (
    _get("/", "home.home"),
    Route("/static/{name}", reading(_static), methods=["GET"]),
    _post("/projects", "home.made"),
    _post("/import", "home.imported"),
    _post("/trash", "home.restored"),
    _get("/p/{project}", "project_page.project"),
    _post("/p/{project}/run", "project_page.ran"),
    _post("/p/{project}/duplicate", "project_page.copied"),
    _post("/p/{project}/delete", "project_page.deleted"),
    _get("/p/{project}/export.zip", "project_page.exported"),
    _get("/p/{project}/report", "project_page.report"),
    _get("/p/{project}/tables/{table}.csv", "project_page.table"),
    _get("/p/{project}/tables.{ending}", "project_page.every_table"),
    _post("/p/{project}/plates", "uploading.uploaded"),
    _get("/p/{project}/plates/{assay}", "bench_page.plate"),
    _get("/p/{project}/plates/{assay}/fit", "fit_page.fit"),
    _get("/p/{project}/plates/{assay}/fit.{ending}", "fit_page.figure"),
    _post("/p/{project}/plates/{assay}/layout", "bench_page.laid_out"),
    _post("/p/{project}/plates/{assay}/exclude", "bench_page.excluded"),
    _post("/p/{project}/plates/{assay}/reading", "sheets.chosen"),
    _get("/p/{project}/plates/{assay}/layout.{ending}", "bench_page.layout_file"),
    _post("/p/{project}/plates/{assay}/layout/file", "bench_page.layout_loaded"),
    _get("/p/{project}/plates/{assay}/pictures/{picture}.png", "blot_page.picture"),
    _post("/p/{project}/plates/{assay}/boxes", "blot_page.moved"),
    _get("/p/{project}/compound", "compound_page.compound"),
    _get("/p/{project}/trials", "trial_page.trial_list"),
    _post("/p/{project}/trials", "trial_page.begun"),
    _get("/p/{project}/trials/{trial}", "trial_page.design"),
    _post("/p/{project}/trials/{trial}", "trial_page.kept"),
    _post("/p/{project}/trials/{trial}/run", "trial_page.ran"),
    _post("/p/{project}/trials/{trial}/power", "trial_page.powered"),
    _get("/p/{project}/trials/{trial}/sweep", "sweep_page.sweep"),
    _post("/p/{project}/trials/{trial}/sweep", "sweep_page.asked"),
    _get("/p/{project}/trials/{trial}/sweep.{ending}", "sweep_page.file"),
    _get("/p/{project}/trials/{trial}/result", "result_page.result"),
    _get("/p/{project}/trials/{trial}/result/figures", "result_page.figures"),
    _get("/p/{project}/trials/{trial}/result/figures/{figure}", "result_page.figure"),
    _get("/p/{project}/trials/{trial}/result/tables/{table}", "result_page.table"),
    _get("/p/{project}/trials/{trial}/result/patients", "result_page.patients"),
    _get("/p/{project}/trials/{trial}/result/patients/{replicate}/{patient}", "result_page.patient"),
    _post("/p/{project}/trials/{trial}/observed", "result_page.observed"),
    _get("/compounds", "compound_page.compare"),
    _get("/jobs", "queue.jobs"),
    _get("/jobs/{job}", "queue.job"),
    Route("/jobs/{job}/events", queue.events, methods=["GET"]),
    _post("/jobs/{job}/cancel", "queue.cancelled"),
    _post("/jobs/{job}/resume", "queue.resumed"),
    _get("/mechanism", "mechanism_page.mechanism"),
    _get("/evidence", "evidence_page.search"),
    _get("/evidence/{claim}", "evidence_page.claim"),
)


def warm() -> None:
    """Load what the pages behind the first one need, one after the other."""
    for module in PAGES:
        with _LOADING:
            importlib.import_module(f"glueprint.web.{module}")


def application(bench: Bench) -> Guard:
    """The workbench as an ASGI application. bench: its projects, its queue, its session."""

    @asynccontextmanager
    async def alive(_app: Starlette) -> AsyncIterator[None]:
        bench.jobs.start()
        later = threading.Timer(WARM_S, warm)
        later.daemon = True
        later.start()
        try:
            yield
        finally:
            later.cancel()
            bench.jobs.stop()

    app = Starlette(routes=list(ROUTES), lifespan=alive, exception_handlers={HTTPException: _no_page})
    app.router.redirect_slashes = False  # an address is the one that it is
    app.state.bench, app.state.session = bench, bench.session
    return Guard(app, bench.session, error_body)


async def _no_page(request: Request, error: Exception) -> Response:
    """An address that no page has, or that is asked in another way."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    if status == 405:
        return answer(
            request, refused("GP-B008", "this address is asked otherwise", "GET or POST", "follow the page")
        )
    return answer(
        request,
        refused(
            "GP-B007",
            f'there is no page "{request.url.path[:80]}"',
            "an address of these pages",
            "open the first page",
        ),
    )
