"""The queue: a job outlives the page, the server and its worker, and goes on where it was."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress

import pytest

from glueprint.errors import InputError
from glueprint.web import Jobs
from glueprint.web.jobs import CANCELLED, EVENTS, JOB, LOG, OUTCOME, QUEUED, WORKER

LONG_S = 120.0


@pytest.fixture
def jobs(tmp_path):
    queue = Jobs(tmp_path / "jobs", workers=1)
    yield queue
    for job in queue.all():
        with suppress(ProcessLookupError, FileNotFoundError):
            os.killpg(json.loads((job.folder / WORKER).read_text())["pid"], signal.SIGKILL)


def wait(queue, job, *states, log=""):
    """Look at the queue until the job is in one of the states and its log has the words."""
    end = time.monotonic() + LONG_S
    while time.monotonic() < end:
        queue.look()
        now = queue.get(job.id)
        if now.state in states and log in now.log:
            return now
        time.sleep(0.1)
    raise AssertionError(f"{queue.get(job.id).state}: {queue.get(job.id).log}")


def long_command(folder):
    """One that goes on until it is interrupted."""
    return ["serve", str(folder)]


def worker_of(job):
    return json.loads((job.folder / WORKER).read_text())["pid"]


def test_a_command_runs_as_a_process_and_its_words_and_end_are_kept(jobs):
    job = jobs.add("version", ["--version"], project="one")
    assert (job.state, job.project, job.is_over) == ("waiting", "one", False)
    assert jobs.busy("one") == job
    done = wait(jobs, job, "finished")
    assert (done.exit_code, "glueprint" in done.log) == (0, True)
    assert jobs.busy("one") is None
    failed = wait(jobs, jobs.add("wrong", ["glue", "run", str(jobs.folder / "none")]), "failed")
    assert "GP-S020" in failed.log


def test_jobs_wait_their_turn_and_the_first_comes_first(jobs, tmp_path):
    first = jobs.add("first", long_command(tmp_path / "a"))
    second = jobs.add("second", ["--version"])
    assert jobs.look() == 1
    assert jobs.look() == 0
    assert [jobs.get(one.id).state for one in (first, second)] == ["running", "waiting"]
    jobs.cancel(first.id)
    assert wait(jobs, first, "cancelled").is_over
    assert wait(jobs, second, "finished").exit_code == 0


def test_twenty_jobs_are_done_in_their_order(jobs):
    queued = [jobs.add(f"job {n}", ["--version"]) for n in range(20)]
    for job in queued:
        wait(jobs, job, "finished")
    ends = [(job.folder / OUTCOME).stat().st_mtime_ns for job in queued]
    assert ends == sorted(ends)
    assert [job.title for job in reversed(jobs.all())] == [f"job {n}" for n in range(20)]


def test_a_job_goes_on_when_the_server_ends_and_another_finds_it(jobs, tmp_path):
    job = wait(jobs, jobs.add("long", long_command(tmp_path / "a")), "running", log="Open http")
    other = Jobs(jobs.folder, workers=1)
    assert other.get(job.id).state == "running"
    assert other.look() == 0
    other.cancel(job.id)
    assert wait(other, job, "cancelled").exit_code != 0


def test_a_killed_worker_is_seen_and_the_job_goes_on(jobs, tmp_path):
    job = wait(jobs, jobs.add("long", long_command(tmp_path / "a")), "running", log="Open http")
    os.killpg(worker_of(job), signal.SIGKILL)
    stopped = wait(jobs, job, "stopped")
    assert stopped.is_over
    assert jobs.resume(job.id).state == "waiting"
    wait(jobs, job, "running")
    jobs.cancel(job.id)
    wait(jobs, job, "cancelled")


def test_a_worker_killed_alone_leaves_a_command_that_is_not_taken_for_dead(jobs, tmp_path):
    job = wait(jobs, jobs.add("long", long_command(tmp_path / "a")), "running", log="Open http")
    os.kill(worker_of(job), signal.SIGKILL)
    time.sleep(0.3)
    assert jobs.get(job.id).state == "running"
    os.killpg(worker_of(job), signal.SIGKILL)
    assert wait(jobs, job, "stopped").is_over


def test_a_waiting_job_that_is_cancelled_never_begins(jobs):
    job = jobs.cancel(jobs.add("never", ["--version"]).id)
    assert job.state == "cancelled"
    assert jobs.look() == 0
    assert not (job.folder / LOG).exists()
    with pytest.raises(InputError, match="GP-B031"):
        jobs.cancel(job.id)
    assert jobs.resume(job.id).state == "waiting"
    with pytest.raises(InputError, match="GP-B031"):
        jobs.resume(job.id)


@pytest.mark.parametrize("name", ["", "..", "../jobs", "20260101-000000-00000000", "x" * 500, "a/b"])
def test_a_name_of_a_job_is_never_a_path(jobs, name):
    with pytest.raises(InputError, match="GP-B030"):
        jobs.get(name)


def test_half_a_line_of_progress_comes_later_and_what_is_none_is_left_out(jobs):
    job = jobs.add("events", ["--version"])
    whole = b'{"what": "a"}\nno json\n[1]\n{"what": "b"}\n'
    (job.folder / EVENTS).write_bytes(whole + b'{"what": "c')
    assert [event["what"] for _, event in job.events()] == ["a", "b"]
    places = [place for place, _ in job.events()]
    assert [event["what"] for _, event in job.events(places[0])] == ["b"]
    assert list(job.events(places[-1])) == []
    assert job.last == {"what": "b"}
    assert len(list(job.events(10**9))) == 2


def test_a_folder_of_anything_else_is_no_job(jobs):
    job = jobs.add("damaged", ["--version"])
    (job.folder / JOB).write_text("[]")
    assert jobs.all() == ()
    with pytest.raises(InputError, match="GP-B030"):
        jobs.get(job.id)
    assert {path.name for path in job.folder.iterdir()} == {JOB, QUEUED}
    assert not (job.folder / OUTCOME).exists()
    assert not (job.folder / CANCELLED).exists()


def test_a_page_follows_a_job_and_goes_on_where_it_was(browser, bench):
    job = bench.jobs.add("followed", ["--version"])
    (job.folder / EVENTS).write_bytes(b'{"what": "a", "units_done": 1, "units_total": 2}\n{"what": "b"}\n')
    bench.jobs.cancel(job.id)
    answer = browser.get(f"/jobs/{job.id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    ids = [line for line in answer.text.splitlines() if line.startswith("id: ")]
    assert len(ids) == 2
    assert '"state": "cancelled"' in answer.text
    again = browser.get(f"/jobs/{job.id}/events", last_event_id=ids[0].removeprefix("id: "))
    assert '"what": "a"' not in again.text
    assert '"what": "b"' in again.text
    assert browser.get("/jobs/none/events").status == 404
    page = browser.get(f"/jobs/{job.id}").text
    assert "Go on from there" in page
    assert browser.post(f"/jobs/{job.id}/resume").status == 303
    assert bench.jobs.get(job.id).state == "waiting"
    assert browser.post(f"/jobs/{job.id}/cancel").status == 303
    assert "followed" in browser.get("/jobs").text
