"""A browser without windows: asks the application itself, keeps its cookie, shows every byte sent."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

from glueprint.web import application

HOST = "127.0.0.1:8123"
BOUNDARY = "glueprint-boundary"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.body)


@dataclass
class Browser:
    bench: object
    cookie: str = ""
    host: str = HOST
    app: object = field(init=False)

    def __post_init__(self):
        self.app = application(self.bench)

    def enter(self):
        """Open the first address."""
        answer = self.get(f"/?token={self.bench.session.token}")
        self.cookie = answer.headers["set-cookie"].split(";")[0]
        return self

    def ask(self, method, path, body=b"", headers=None, chunks=None):
        place, _, query = path.partition("?")
        raw = place.encode("utf-8", "surrogateescape")
        given = {"host": self.host, **({"cookie": self.cookie} if self.cookie else {}), **(headers or {})}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": _decoded(raw),
            "raw_path": raw,
            "query_string": query.encode("utf-8", "surrogateescape"),
            "root_path": "",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8123),
            "headers": [
                (k.lower().encode("latin-1"), v.encode("latin-1", "replace")) for k, v in given.items()
            ],
        }
        return asyncio.run(_run(self.app, scope, chunks if chunks is not None else [body]))

    def get(self, path, **headers):
        return self.ask("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def post(self, path, fields=None, files=None, *, csrf=True, origin=None, headers=None):
        every = {**({"csrf": self.bench.session.csrf} if csrf else {}), **(fields or {})}
        about = {"origin": f"http://{self.host}" if origin is None else origin, **(headers or {})}
        if files:
            body = multipart(every, files)
            about["content-type"] = f"multipart/form-data; boundary={BOUNDARY}"
        else:
            body = urlencode(every, doseq=True).encode()
            about["content-type"] = "application/x-www-form-urlencoded"
        about["content-length"] = str(len(body))
        return self.ask("POST", path, body, about)


def multipart(fields, files):
    """files: [(field, name, content)]."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts += [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode("utf-8", "surrogateescape")
        + content
        + b"\r\n"
        for name, file, content in files
    ]
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def _decoded(raw):
    return re.sub(rb"%([0-9a-fA-F]{2})", lambda found: bytes([int(found[1], 16)]), raw).decode(
        "utf-8", "replace"
    )


async def _run(app, scope, chunks):
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": place < len(chunks) - 1}
        for place, chunk in enumerate(chunks)
    ]
    sent, over = [], asyncio.Event()

    async def receive():
        if waiting:
            return waiting.pop(0)
        await over.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            over.set()

    await app(scope, receive, send)
    head = next(message for message in sent if message["type"] == "http.response.start")
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return Answer(head["status"], {k.decode().lower(): v.decode("latin-1") for k, v in head["headers"]}, body)
