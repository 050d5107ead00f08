"""The application: its addresses, behind the guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from glueprint.web import bench_page, evidence_page, home, mechanism_page, queue, uploading
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


def _get(path: str, page: object) -> Route:
    return Route(path, reading(page), methods=["GET"])  # type: ignore[arg-type]


def _post(path: str, page: object) -> Route:
    return Route(path, acting(page), methods=["POST"])  # type: ignore[arg-type]


ROUTES = (
    _get("/", home.home),
    _get("/static/{name}", _static),
    _post("/projects", home.made),
    _post("/import", home.imported),
    _post("/trash", home.restored),
    _get("/p/{project}", home.project),
    _post("/p/{project}/run", home.ran),
    _post("/p/{project}/duplicate", home.copied),
    _post("/p/{project}/delete", home.deleted),
    _get("/p/{project}/export.zip", home.exported),
    _get("/p/{project}/report", home.report),
    _get("/p/{project}/tables/{table}.csv", home.table),
    _post("/p/{project}/plates", uploading.uploaded),
    _get("/p/{project}/plates/{assay}", bench_page.plate),
    _get("/p/{project}/plates/{assay}/fit", bench_page.fit),
    _post("/p/{project}/plates/{assay}/layout", bench_page.laid_out),
    _post("/p/{project}/plates/{assay}/exclude", bench_page.excluded),
    _get("/p/{project}/plates/{assay}/layout.toml", bench_page.layout_file),
    _get("/jobs", queue.jobs),
    _get("/jobs/{job}", queue.job),
    Route("/jobs/{job}/events", queue.events, methods=["GET"]),
    _post("/jobs/{job}/cancel", queue.cancelled),
    _post("/jobs/{job}/resume", queue.resumed),
    _get("/mechanism", mechanism_page.mechanism),
    _get("/evidence", evidence_page.search),
    _get("/evidence/{claim}", evidence_page.claim),
)


def application(bench: Bench) -> Guard:
    """The workbench as an ASGI application. bench: its projects, its queue, its session."""

    @asynccontextmanager
    async def alive(_app: Starlette) -> AsyncIterator[None]:
        bench.jobs.start()
        try:
            yield
        finally:
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
