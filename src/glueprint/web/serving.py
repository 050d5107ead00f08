"""The server: where it listens, whom it answers, and what it says when it starts."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from glueprint.errors import EnvironmentProblemError
from glueprint.web import held
from glueprint.web.app import application
from glueprint.web.context import Bench
from glueprint.web.guard import Session
from glueprint.web.jobs import Jobs
from glueprint.web.refusals import refused
from glueprint.web.workspace import Workspace

__all__ = ["LOOPBACK", "Choices", "bench_of", "listen", "serve"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Choices:
    """How to serve. port: 0 takes a free one.   public: host, with port, under which a proxy is known.
    workers: jobs at once.   knows: whether the user knows what another host than loopback means."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = 0
    public: str = ""
    workers: int = 0
    knows: bool = False


def listen(choices: Choices) -> socket.socket:
    """The socket to serve on, bound before anything is said.

    Raises RefusedError GP-B041 for another host than loopback without `knows`, EnvironmentProblemError
    GP-B042 if the address cannot be had, GP-B040 on a system without its locks.
    """
    held.check_system()
    if choices.host not in LOOPBACK and not choices.knows:
        raise refused(
            "GP-B041",
            f"on {choices.host} everybody in the network could reach this server, in clear text, "
            "and with the address could read, change and run everything in the folder",
            "127.0.0.1",
            "leave --host out and use a proxy with TLS (docs/workbench.md), or add --i-know",
            where="--host",
        )
    family = socket.AF_INET6 if ":" in choices.host else socket.AF_INET
    ear = socket.socket(family, socket.SOCK_STREAM)
    try:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind((choices.host, choices.port))
    except OSError as error:
        ear.close()
        raise EnvironmentProblemError(
            "GP-B042",
            f"cannot listen on {choices.host}, port {choices.port}: {error.strerror}",
            where="--port",
            expected="an address of this machine and a port that is free",
            next_step="leave --port out to take a free one",
        ) from error
    return ear


def bench_of(choices: Choices, port: int) -> Bench:
    """The workbench of a folder on a port."""
    workspace = Workspace(choices.folder)
    hosts = {f"{host}:{port}" for host in ("127.0.0.1", "localhost", "[::1]")}
    if port == 80:  # which browsers leave out
        hosts |= {"127.0.0.1", "localhost", "[::1]"}
    if choices.host not in LOOPBACK:
        hosts |= {f"{choices.host}:{port}"}
    session = Session(
        frozenset({choices.public.lower()} if choices.public else hosts), secure=bool(choices.public)
    )
    workers = choices.workers or os.cpu_count() or 1
    return Bench(workspace, Jobs(workspace.hidden / "jobs", workers), session)


def serve(choices: Choices, said: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. said: is told the first address, once the server listens.

    Raises what `listen` raises.
    """
    import uvicorn

    ear = listen(choices)
    port = int(ear.getsockname()[1])
    bench = bench_of(choices, port)
    config = uvicorn.Config(
        application(bench),
        log_level="warning",
        access_log=False,  # the first address would stand in it
        server_header=False,
        date_header=False,
        proxy_headers=False,  # whom a request comes from is never believed
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=64 * 1024,
        limit_concurrency=200,
        ws="none",
        loop="asyncio",
        http="h11",
        lifespan="on",
    )
    host = f"[{choices.host}]" if ":" in choices.host else choices.host
    place = f"https://{choices.public}" if choices.public else f"http://{host}:{port}"
    said(f"{place}/?token={bench.session.token}")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[ear])
