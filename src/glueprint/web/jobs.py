"""Jobs: our own commands as processes of their own, in a queue that is a folder.

A job outlives the page that began it and the server itself. All that is known of it stands in its folder:

    job.json       what it is: title, project, words of the command
    queued         there while it waits its turn
    worker.json    the process that works on it, while that holds the lock
    .lock          held by the system for that process and its command, as long as one of them lives
    events.jsonl   progress, a JSON line a step, as the command writes it
    log.txt        what the command printed
    outcome.json   how it ended
    cancelled      there if somebody asked for its end
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from glueprint.boundary import clock, files
from glueprint.runs.store import disk_errors, write_file
from glueprint.web import held
from glueprint.web.refusals import refused

__all__ = ["Job", "Jobs", "State"]

State = Literal["waiting", "running", "finished", "findings", "failed", "cancelled", "stopped"]
ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9]{6}-[0-9a-f]{8}")
JOB, QUEUED, WORKER, EVENTS, LOG = "job.json", "queued", "worker.json", "events.jsonl", "log.txt"
OUTCOME, CANCELLED = "outcome.json", "cancelled"
MOST_JSON, MOST_LOG, MOST_EVENTS = 1 << 20, 1 << 18, 1 << 24
OVER: frozenset[State] = frozenset({"finished", "findings", "failed", "cancelled", "stopped"})
LOOK_S = 0.5  # between two looks at the queue
FINDING = 1  # exit code of a command that ran and found something (docs/errors)


@dataclass(frozen=True)
class Job:
    """One job as its folder says.

    words: of the command, after `glueprint`.   project: name, or "".   exit_code: None before it ended.
    """

    id: str
    title: str
    project: str
    words: tuple[str, ...]
    made: str
    state: State
    exit_code: int | None
    folder: Path

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen unless somebody asks."""
        return self.state in OVER

    def events(self, after: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
        """Steps behind a place in the file, each with the place behind it; half a line comes later."""
        try:
            content = files.read_plain(self.folder / EVENTS, MOST_EVENTS, ours=True)
        except FileNotFoundError:
            return
        place = after if 0 <= after <= len(content) else 0
        for line in content[place:].splitlines(keepends=True):
            if not line.endswith(b"\n"):
                return
            place += len(line)
            with suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict):
                    yield place, event

    @property
    def last(self) -> dict[str, Any]:
        """The last step; empty before the first."""
        found: dict[str, Any] = {}
        for _, event in self.events():
            found = event
        return found

    @property
    def log(self) -> str:
        """The end of what the command printed."""
        try:
            with (self.folder / LOG).open("rb") as stream:
                stream.seek(max(0, os.fstat(stream.fileno()).st_size - MOST_LOG))
                return stream.read(MOST_LOG).decode("utf-8", "replace")
        except FileNotFoundError:
            return ""


class Jobs:
    """The queue in a folder. workers: jobs that run at once."""

    def __init__(self, folder: Path, workers: int = 1) -> None:
        self.folder, self.workers = folder, workers
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._workers: list[int] = []
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def add(self, title: str, words: Sequence[str], *, project: str = "") -> Job:
        """Put a command into the queue. words: of the command, after `glueprint`; --events is added."""
        name = f"{clock.now():%Y%m%d-%H%M%S-%f}-{secrets.token_hex(4)}"
        about = {"kind": "glueprint-job", "version": 1, "title": title, "project": project}
        place = self.folder / name
        with disk_errors(place):
            place.mkdir()
        write_file(place / JOB, json.dumps({**about, "words": list(words), "made": clock.text("seconds")}))
        write_file(place / QUEUED, "")
        return self.get(name)

    def get(self, name: str) -> Job:
        """A job.   Raises RefusedError GP-B030 if there is none of that name."""
        place = self.folder / name
        about = _json(place / JOB) if ID.fullmatch(name) and not place.is_symlink() else {}
        if not about:
            raise refused(
                "GP-B030", f'there is no job "{name[:40]}"', "a job of the list", "look at the list of jobs"
            )
        words = about.get("words")
        outcome = _json(place / OUTCOME)
        code = outcome.get("exit_code")
        return Job(
            id=name,
            title=str(about.get("title", "")),
            project=str(about.get("project", "")),
            words=tuple(map(str, words)) if isinstance(words, list) else (),
            made=str(about.get("made", "")),
            state=_state(place, outcome),
            exit_code=code if isinstance(code, int) else None,
            folder=place,
        )

    def all(self) -> tuple[Job, ...]:
        """Every job, the newest first."""
        with disk_errors(self.folder):
            names = sorted(
                (one.name for one in os.scandir(self.folder) if ID.fullmatch(one.name)), reverse=True
            )
        found = []
        for name in names:
            with suppress(Exception):
                found.append(self.get(name))
        return tuple(found)

    def of(self, project: str) -> tuple[Job, ...]:
        """The jobs of a project, the newest first."""
        return tuple(job for job in self.all() if job.project == project)

    def busy(self, project: str) -> Job | None:
        """A job of the project that waits or runs."""
        return next((job for job in self.of(project) if not job.is_over), None)

    def cancel(self, name: str) -> Job:
        """Ask for the end of a job: a waiting one never begins, a running one is interrupted as by Ctrl-C."""
        job = self.get(name)
        if job.is_over:
            raise refused("GP-B031", "the job is over", "a job that waits or runs", "look at its log")
        write_file(job.folder / CANCELLED, "")
        with disk_errors(job.folder):
            (job.folder / QUEUED).unlink(missing_ok=True)
        if job.state == "running" and held.is_held(job.folder):
            pid = _json(job.folder / WORKER).get("pid")
            if isinstance(pid, int) and pid > 1:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGTERM)
        return self.get(name)

    def resume(self, name: str) -> Job:
        """Queue a job again that was cancelled, stopped or failed; the command goes on where it was."""
        job = self.get(name)
        if not job.is_over or job.state == "finished":
            raise refused(
                "GP-B031", f"the job is {job.state}", "one that was stopped", "look at its progress"
            )
        for file in (OUTCOME, CANCELLED, WORKER):
            with disk_errors(job.folder):
                (job.folder / file).unlink(missing_ok=True)
        write_file(job.folder / QUEUED, "")
        return self.get(name)

    def look(self) -> int:
        """Start what waits, as far as workers are free; returns how many were started."""
        self._workers = [pid for pid in self._workers if not _ended(pid)]
        every = self.all()
        free = self.workers - sum(job.state == "running" for job in every)
        begun = 0
        for job in reversed(every):
            if free <= begun:
                break
            if job.state == "waiting" and self._begin(job):
                begun += 1
        return begun

    def _begin(self, job: Job) -> bool:
        """Start a worker for a job; False if another server was quicker."""
        handle = held.take(job.folder)
        if handle is None:
            return False
        try:
            (job.folder / QUEUED).unlink()
            pid = _spawned(job.folder, handle)
            self._workers.append(pid)
            write_file(job.folder / WORKER, json.dumps({"pid": pid}))
        except FileNotFoundError:
            return False
        finally:
            os.close(handle)
        return True

    def start(self) -> None:
        """Look at the queue until `stop`."""
        self._thread = threading.Thread(target=self._run, name="glueprint-queue", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            # A full disk now is no reason not to look again.
            with suppress(Exception):
                self.look()

    def stop(self) -> None:
        """Look no more; what runs goes on."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)


def _state(place: Path, outcome: Mapping[str, Any]) -> State:
    if outcome:
        code = outcome.get("exit_code")
        if (place / CANCELLED).exists() and code != 0:
            return "cancelled"
        return "finished" if code == 0 else "findings" if code == FINDING else "failed"
    if (place / QUEUED).exists():
        return "waiting"
    if held.is_held(place):
        return "running"
    return "cancelled" if (place / CANCELLED).exists() else "stopped"


def _json(path: Path) -> dict[str, Any]:
    """A small file of ours; empty if it is not there or holds something else."""
    try:
        found = json.loads(files.read_plain(path, MOST_JSON, ours=True))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _spawned(folder: Path, handle: int) -> int:
    """Start a worker, which inherits the lock and outlives this process; returns its number.

    A session of its own: Ctrl-C at the server's terminal does not reach it.
    """
    os.set_inheritable(handle, True)
    nothing = ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY))
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "glueprint.web.worker", str(folder), str(handle)],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, stream, os.devnull, mode, 0) for stream, mode in nothing],
        setsid=True,
    )


def _ended(pid: int) -> bool:
    """Whether a worker of this process is over; the system then forgets it."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True
