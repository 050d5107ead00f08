"""A process that may crash, hang or fill its memory, and answers the next question all the same."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from glueprint.boundary.guarded import Ended, Helper, Limits

LIMITS = Limits(seconds=3, memory_mb=300)
HERE = "hostile_library:act"
LIBRARY = """
import ctypes, os, pathlib, time

def act(content, options):
    what = options["what"]
    if what == "echo":
        return {"said": options}, content
    if what == "crash":
        ctypes.string_at(0)
    if what == "leave":
        os._exit(5)
    if what == "hang":
        time.sleep(1000)
    if what == "spin":
        while True:
            pass
    if what == "memory":
        return {}, b"x" * 10**9
    if what == "print":
        os.write(1, b"noise" * 1000)
        print("noise")
        return {}, b""
    if what == "open":
        return {"read": pathlib.Path(options["path"]).read_text()}, b""
    if what == "write":
        os.write(0, b"x" * 100)
        pathlib.Path(options["path"]).write_text("x" * 100)
        return {}, b""
    raise ValueError("no such thing")
"""


@pytest.fixture
def helper(tmp_path, monkeypatch):
    (tmp_path / "hostile_library.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Helper(HERE, LIMITS)
    yield made
    made.close()


def ask(helper, what, content=b"", **more):
    return helper.ask(content, {"what": what, **more})


def test_questions_are_answered_by_one_process(helper):
    assert ask(helper, "echo", b"\x00\xff" * 100_000)[1] == b"\x00\xff" * 100_000
    assert ask(helper, "print") == ({}, b"")
    assert ask(helper, "echo", more="≤")[0] == {"said": {"what": "echo", "more": "≤"}}


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("crash", "crashed (signal 11)"),
        ("leave", "exit code 5"),
        ("hang", "more than 3 s"),
        ("spin", "more than 3 s"),
        ("memory", "more than 300 MB"),
        ("nothing", "ValueError: no such thing"),
    ],
)
def test_what_goes_wrong_is_said_and_the_next_question_answered(helper, what, words):
    with pytest.raises(Ended) as caught:
        ask(helper, what)
    assert words in str(caught.value)
    assert ask(helper, "echo", b"1")[1] == b"1"


@pytest.mark.skipif(sys.platform != "linux", reason="rights that Linux takes away")
def test_no_file_is_opened_or_written(helper, tmp_path):
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(Ended, match="Too many open files"):
        ask(helper, "open", path=str(tmp_path / "secret"))
    with pytest.raises(Ended):
        ask(helper, "write", path=str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_what_lies_in_the_working_directory_is_not_imported(helper, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "json.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(elsewhere)
    assert ask(helper, "echo", b"1")[1] == b"1"


def test_an_interrupt_leaves_no_half_answer(helper, monkeypatch):
    ask(helper, "echo")
    first = helper._process.pid

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("glueprint.boundary.guarded._read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ask(helper, "echo")
    assert ask(helper, "echo", b"1")[1] == b"1"
    assert helper._process.pid != first


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_fork_asks_a_process_of_its_own(helper):
    ask(helper, "echo")
    child = os.fork()
    if child == 0:
        fine = False
        try:
            fine = ask(helper, "echo", b"fork")[1] == b"fork"
            helper.close()
        finally:
            os._exit(0 if fine else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert ask(helper, "echo", b"parent")[1] == b"parent"


def test_it_ends_with_its_owner(tmp_path):
    (tmp_path / "hostile_library.py").write_text(LIBRARY)
    code = (
        "from glueprint.boundary.guarded import Helper, Limits\n"
        f"helper = Helper({HERE!r}, Limits())\n"
        "helper.ask(b'', {'what': 'echo'})\n"
        "print(helper._process.pid, flush=True)\n"
        "import os; os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    pid = int(done.stdout)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
