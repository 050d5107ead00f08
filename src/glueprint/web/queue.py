"""Jobs as pages: the list, one with its progress as it comes, its end and its resumption."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from glueprint.errors import GlueprintError
from glueprint.web.context import of
from glueprint.web.jobs import Job, Jobs
from glueprint.web.render import page
from glueprint.web.requests import Form, answer

__all__ = ["cancelled", "events", "job", "jobs", "resumed"]

LOOK_S = 0.5
# A proxy or a sleeping laptop cuts a stream; the browser comes back by itself and says where it was.
LONGEST_S = 600.0
# Browsers ask again after so many milliseconds.
RETRY_MS = 2000
MOST_ID = 15


def jobs(request: Request) -> Response:
    """All jobs, the newest first."""
    bench = of(request)
    return page(request, "jobs.html.j2", jobs=bench.jobs.all(), workers=bench.jobs.workers)


def job(request: Request) -> Response:
    """One job; a script then follows `events`, and without one the page is loaded again by hand."""
    one = of(request).jobs.get(request.path_params["job"])
    step = one.last
    return page(request, "job.html.j2", job=one, step=step, numbers=_numbers(step), log=one.log)


def _numbers(step: dict[str, Any]) -> str:
    """How far a step is, in words; a step of another version says what it has."""
    parts = [f"{step['units_done']} of {step['units_total']} units"] if "units_total" in step else []
    for name, form in (("units_per_second", "{:.2g} a second"), ("remaining_s", "{:.0f} s to go")):
        if isinstance(value := step.get(name), int | float):
            parts.append(form.format(value))
    failed = step.get("failed_patients")
    return ", ".join([*parts, *([f"{failed} patients failed"] if failed else [])])


def cancelled(request: Request, _form: Form) -> Response:
    """Ask for the end of a job."""
    name = request.path_params["job"]
    of(request).jobs.cancel(name)
    return RedirectResponse(f"/jobs/{name}", 303)


def resumed(request: Request, _form: Form) -> Response:
    """Queue a job again."""
    name = request.path_params["job"]
    of(request).jobs.resume(name)
    return RedirectResponse(f"/jobs/{name}", 303)


async def events(request: Request) -> Response:
    """Progress as server-sent events; an id is a place in the job's file, where a reader goes on."""
    queue = of(request).jobs
    try:
        await run_in_threadpool(queue.get, request.path_params["job"])
    except GlueprintError as error:
        return answer(request, error)
    said = request.headers.get("last-event-id", "")
    after = int(said) if said.isascii() and said.isdecimal() and len(said) <= MOST_ID else 0
    stream = _followed(queue, request.path_params["job"], after, request)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


def _new(one: Job, place: int) -> list[tuple[int, dict[str, Any]]]:
    return list(one.events(place))


async def _followed(queue: Jobs, name: str, place: int, request: Request) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    state, waited = "", 0.0
    while waited < LONGEST_S:
        try:
            one = await run_in_threadpool(queue.get, name)
            new = await run_in_threadpool(_new, one, place)
        except GlueprintError:
            return
        for place, event in new:
            yield f"id: {place}\nevent: step\ndata: {json.dumps(event)}\n\n"
        if one.state != state:
            state = one.state
            yield f"event: state\ndata: {json.dumps({'state': state, 'over': one.is_over})}\n\n"
        if one.is_over or await request.is_disconnected():
            return
        await asyncio.sleep(LOOK_S)
        waited += LOOK_S
