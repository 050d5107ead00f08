"""Who may ask what: the host, the session, the origin and the size of every request, and what answers say.

It stands before every page, so that no page can forget it. What is refused here has read no body and has
written nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

from glueprint.errors import GlueprintError
from glueprint.web.refusals import refused, status_of

__all__ = ["CSRF_FIELD", "CSRF_HEADER", "HEADERS", "MOST_BODY", "POLICY", "Guard", "Session"]

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MOST_BODY = (
    64 * 1024 * 1024
)  # bytes of a request; a plate of 1,536 wells in text has 100 kB, a blot's scan 30 MB
CSRF_HEADER, CSRF_FIELD = "x-glueprint-csrf", "csrf"
TOKEN = "token"
# Style and scripts hold nothing of anybody's; the page that refuses a stranger can be read, too.
OPEN = "/static/"
SAFE = frozenset({"GET", "HEAD"})
METHODS = SAFE | {"POST"}
# Style and script are files of ours alone: nothing inline, evaluated or fetched elsewhere runs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: browsers then send "null" as the origin of a form, and every form would be refused.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Session:
    """One run of the server: its secret and the hosts under which it is known.

    hosts: values of the header Host that are answered, with port.   token: of the first address.
    secure: whether the cookie is for https only, behind a proxy that speaks it.
    """

    hosts: frozenset[str]
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    secure: bool = False

    @property
    def cookie(self) -> str:
        """Its name; two servers on two ports do not overwrite each other's."""
        ports = "-".join(sorted({host.rpartition(":")[2] for host in self.hosts}))
        return f"glueprint-{hashlib.sha256(ports.encode()).hexdigest()[:8]}"

    @property
    def csrf(self) -> str:
        """What every form sends back; it follows from the token and does not tell it."""
        return hmac.new(self.token.encode(), b"csrf", "sha256").hexdigest()

    def is_ours(self, given: str, wanted: str) -> bool:
        """Whether two secrets are the same, compared in constant time."""
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())

    def set_cookie(self) -> str:
        """The header that keeps the token in the browser, out of reach of scripts and of other sites."""
        secure = "; Secure" if self.secure else ""
        return f"{self.cookie}={self.token}; HttpOnly; SameSite=Strict; Path=/{secure}"


class Guard:
    """The application behind its door. app: what answers.   session: whom it answers."""

    def __init__(self, app: Any, session: Session, refuse: Callable[[GlueprintError, bool], bytes]) -> None:
        self.app, self.session, self.refuse = app, session, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, redirect or refuse."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # no page speaks web sockets
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = _headers(scope)
        out = _with_headers(send)
        try:
            place = self._first(scope, headers)
            if place is not None:
                await _redirect(out, place, self.session.set_cookie())
                return
            self._check(scope, headers)
        except GlueprintError as error:
            await self._refuse(out, error, as_json="application/json" in headers.get("accept", ""))
            return
        await self.app(scope, _limited(receive), out)

    def _first(self, scope: Scope, headers: dict[str, str]) -> str | None:
        """Where to go from the first address, whose token is right; None for any other address."""
        self._check_host(headers)
        if scope["method"] != "GET":
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = dict(query).get(TOKEN)
        if given is None or not self.session.is_ours(given, self.session.token):
            return None
        rest = urlencode([(name, value) for name, value in query if name != TOKEN])
        path = bytes(scope.get("raw_path", b"/")).decode("latin-1").split("?")[0]
        # Two slashes at the start would be another host.
        return "/" + path.lstrip("/\\") + (f"?{rest}" if rest else "")

    def _check(self, scope: Scope, headers: dict[str, str]) -> None:
        if scope["method"] not in METHODS:
            raise refused(
                "GP-B008", f"{scope['method'][:20]} is not asked for here", "GET or POST", "follow the page"
            )
        if scope["method"] in SAFE and scope["path"].startswith(OPEN):
            return
        if not self.session.is_ours(_cookie(headers, self.session.cookie), self.session.token):
            raise refused(
                "GP-B002",
                "this browser has not been let in",
                "the address that `glueprint serve` printed, with its token",
                "open that address once; it is new each time the server starts",
            )
        if scope["method"] not in SAFE:
            self._check_origin(headers)
            _check_length(headers)

    def _check_host(self, headers: dict[str, str]) -> None:
        if headers.get("host", "").lower() not in self.session.hosts:
            raise refused(
                "GP-B003",
                f'the host "{headers.get("host", "")[:80]}" is not this server',
                ", ".join(sorted(self.session.hosts)),
                "open the address that `glueprint serve` printed; behind a proxy name its host with --public",
            )

    def _check_origin(self, headers: dict[str, str]) -> None:
        origin = headers.get("origin", "")
        scheme, _, host = origin.partition("://")
        if scheme not in ("http", "https") or host.lower() not in self.session.hosts:
            raise refused(
                "GP-B004",
                f'the request comes from "{origin[:80] or "nowhere"}"',
                "a page of this server",
                "use the page itself; another program can use the command line",
            )

    async def _refuse(self, send: Send, error: GlueprintError, *, as_json: bool) -> None:
        kind = b"application/json" if as_json else b"text/html; charset=utf-8"
        body = self.refuse(error, as_json)
        head = [
            (b"content-type", kind),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": status_of(error), "headers": head})
        await send({"type": "http.response.body", "body": body})


def as_json(error: GlueprintError) -> bytes:
    """An error for a program."""
    return json.dumps({"error": error.as_dict()}).encode()


def _headers(scope: Scope) -> dict[str, str]:
    """Headers by name in small letters; one that comes twice has both values, and is so no host of ours."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _cookie(headers: dict[str, str], name: str) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _check_length(headers: dict[str, str]) -> None:
    text = headers.get("content-length", "0")
    if not text.isdecimal() or not text.isascii() or len(text) > 12 or int(text) > MOST_BODY:
        raise _too_large()


def _too_large() -> GlueprintError:
    return refused(
        "GP-B006",
        "the request is too large",
        f"at most {MOST_BODY // 1024**2} MB at once",
        "send fewer or smaller files; larger ones can be put into the project's folder by hand",
    )


def _limited(receive: Receive) -> Receive:
    """The body, refused when more of it comes than the headers may have said."""
    seen = 0

    async def take() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BODY:
            raise _too_large()
        return message

    return take


def _with_headers(send: Send) -> Send:
    """What is sent, with the headers that every answer has; a page may have a stricter policy of its own."""

    async def out(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            extra = [(n.encode(), v.encode()) for n, v in HEADERS.items() if n.encode() not in given]
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return out


async def _redirect(send: Send, place: str, cookie: str) -> None:
    head = [
        (b"location", place.encode("latin-1")),
        (b"set-cookie", cookie.encode()),
        (b"content-length", b"0"),
    ]
    await send({"type": "http.response.start", "status": 303, "headers": head})
    await send({"type": "http.response.body", "body": b""})
