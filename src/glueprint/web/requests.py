"""What pages send: forms with their secret, fields as text, files as bytes, all within limits."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import wraps

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from glueprint.errors import GlueprintError, InternalError
from glueprint.web import render
from glueprint.web.guard import CSRF_FIELD, CSRF_HEADER
from glueprint.web.refusals import refused, status_of

__all__ = ["Form", "Upload", "acting", "answer", "reading"]

MOST_FILES, MOST_FIELDS, MOST_TEXT = 20, 1000, 8 * 1024 * 1024
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Upload:
    """A file that was sent. name: as the sender calls it, which is shown and never opened."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Form:
    """The fields of a form, each with all its values, and its files."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: tuple[Upload, ...] = ()

    def text(self, name: str, otherwise: str = "") -> str:
        """The first value of a field without blanks around it."""
        return self.fields.get(name, [otherwise])[0].strip()

    def every(self, name: str) -> list[str]:
        """All values of a field."""
        return self.fields.get(name, [])

    def number(self, name: str, otherwise: float | None = None) -> float | None:
        """A field as a number, `otherwise` where it is empty.   Raises RefusedError GP-B023."""
        text = self.text(name)
        if not text:
            return otherwise
        try:
            return float(text)
        except ValueError:
            raise refused(
                "GP-B023", f'"{text[:40]}" is no number', "a number", "correct it", where=name
            ) from None


def reading(page: Callable[[Request], Response]) -> Endpoint:
    """A page that is looked at: computed in a thread, its errors said as a page."""

    @wraps(page)
    async def endpoint(request: Request) -> Response:
        return await _guarded(request, lambda: run_in_threadpool(page, request))

    return endpoint


def acting(page: Callable[[Request, Form], Response]) -> Endpoint:
    """A page that changes something: its form has the secret of this session."""

    @wraps(page)
    async def endpoint(request: Request) -> Response:
        async def act() -> Response:
            form = await _form(request)
            return await run_in_threadpool(page, request, form)

        return await _guarded(request, act)

    return endpoint


async def _guarded(request: Request, act: Callable[[], Awaitable[Response]]) -> Response:
    try:
        return await act()
    except GlueprintError as error:
        return answer(request, error)
    except ClientDisconnect:
        return Response(status_code=400)
    except Exception as error:
        traceback.print_exception(error, file=sys.stderr)
        bug = InternalError(
            "GP-B050",
            f"unexpected {type(error).__name__}",
            where=request.url.path[:80],
            next_step="report this; the terminal of `glueprint serve` shows the details",
        )
        return answer(request, bug)


async def _form(request: Request) -> Form:
    try:
        sent = await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=MOST_TEXT)
    except HTTPException as error:
        raise refused(
            "GP-B024",
            f"the form cannot be read: {error.detail[:120]}",
            f"at most {MOST_FILES} files, {MOST_FIELDS} fields and {MOST_TEXT // 1024**2} MB of text in one",
            "send less at once",
        ) from error
    except (UnicodeDecodeError, ValueError) as error:
        raise refused(
            "GP-B024", "the form cannot be read", "a form of these pages", "use the page itself"
        ) from error
    fields: dict[str, list[str]] = {}
    files = []
    try:
        for name, value in sent.multi_items():
            if isinstance(value, UploadFile):
                if value.filename:
                    files.append(Upload(value.filename, await value.read()))
            else:
                fields.setdefault(name, []).append(value)
    finally:
        await sent.close()
    secret = request.headers.get(CSRF_HEADER) or fields.pop(CSRF_FIELD, [""])[0]
    session = request.app.state.session
    if not session.is_ours(secret, session.csrf):
        raise refused(
            "GP-B005",
            "the form is not of this session",
            "a form that this server made since it started",
            "load the page again and send it once more; nothing was changed",
        )
    return Form(fields, tuple(files))


def answer(request: Request, error: GlueprintError) -> Response:
    """An error as a page, as a part of one, or for a program."""
    status = status_of(error)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"error": error.as_dict()}, status)
    if request.headers.get("hx-request") == "true":
        return HTMLResponse(render.fragment(request, "problem.html.j2", error=error), status)
    return HTMLResponse(render.fragment(request, "error.html.j2", error=error, status=status), status)
