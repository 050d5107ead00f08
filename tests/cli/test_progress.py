"""Progress where nobody sees a bar: JSON lines in the one envelope, rarely, and none for who wants none."""

from __future__ import annotations

import sys

import pytest
from rich.progress import Progress
from tests.envelope import envelope

from glueprint.cli import bars, choices


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when a test says so."""
    now = [0.0]
    monkeypatch.delenv("GLUEPRINT_PROGRESS")
    monkeypatch.setattr(bars.time, "monotonic", lambda: now[0])
    return now


def test_a_terminal_has_a_bar_and_a_file_has_lines(monkeypatch):
    assert isinstance(bars.bar("{task.description}"), bars.Lines)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert isinstance(bars.bar("{task.description}"), Progress)


def test_lines_come_rarely_and_have_the_envelope(clock, capsys):
    before = choices.command.set("trial run")
    with bars.bar() as bar:
        task = bar.add_task("a trial", total=1.0, rate="")
        bar.update(task, completed=0.1)
        clock[0] = bars.EVERY_S
        bar.update(task, completed=0.5, description="its second part", rate="3/s")
        bar.update(task, completed=0.6)
        clock[0] = 2 * bars.EVERY_S
        bar.update(task, completed=0.9)
    choices.command.reset(before)
    written = capsys.readouterr()
    assert written.out == ""
    first, second = map(envelope, written.err.splitlines())
    assert first["schema"] == "glueprint.progress"
    assert first["data"] == {"command": "trial run", "what": "its second part", "done": 0.5, "total": 1.0}
    assert second["data"]["done"] == 0.9


def test_who_wants_none_gets_none(clock, capsys, monkeypatch):
    monkeypatch.setenv("GLUEPRINT_PROGRESS", "none")
    bar = bars.bar()
    task = bar.add_task("a trial")
    clock[0] = 100.0
    bar.update(task, completed=1)
    assert capsys.readouterr().err == ""
