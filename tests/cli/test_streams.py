"""Closed, full and narrow streams, a deleted working directory, no memory: a reason and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.envelope import payload

from glueprint.cli import streams

# Without the working directory in the path of imports, as the installed command is.
COMMAND = [sys.executable, "-P", "-c", "from glueprint.cli import main; main()"]
# Any command that prints will do; this one imports the least.
LIST = ["evidence", "conflicts"]


def run(words, call):
    line = ["sh", "-c", f'exec "$@" {words}', "sh", *COMMAND, *call]
    return subprocess.run(line, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
@pytest.mark.parametrize("call", [LIST, [*LIST, "--json"], ["--version"], ["trial", "--help"]], ids=" ".join)
def test_a_full_disk_under_standard_output(call):
    done = run("> /dev/full", call=call)
    assert done.returncode == 2, done.stderr
    assert "GP-X002" in done.stderr
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("words", [">&-", "<&- >&-"])
def test_closed_standard_output(words):
    done = run(words, call=LIST)
    assert done.returncode == 2
    assert "GP-X002" in done.stderr
    assert "Traceback" not in done.stderr


def test_closed_standard_error_hides_no_result():
    done = run("2>&-", call=[*LIST, "--json"])
    assert done.returncode == 0
    assert payload(done.stdout)
    assert run("2>&-", call=["assay", "read", "nope"]).returncode == 2


def test_a_reader_that_goes_is_no_fault():
    done = run("| head -c 10 > /dev/null", call=["evidence", "list"])
    assert done.stderr == ""
    process = subprocess.Popen([*COMMAND, "evidence", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    with process.stderr as told:
        assert told.read() == b""
    assert process.wait() == streams.READER_GONE


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_an_encoding_that_lacks_characters(encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([*COMMAND, "evidence", "list"], capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    done = subprocess.run(
        [*COMMAND, "evidence", "list", "--json"], capture_output=True, env=environment, check=True
    )
    assert len(payload(done.stdout.decode(encoding))) > 100


def test_a_deleted_working_directory(tmp_path):
    gone = tmp_path / "gone"
    shell = f'mkdir "{gone}" && cd "{gone}" && rmdir "{gone}" && exec "$@"'
    for call in (["trial", "run", "mine.toml"], ["study", "run", "pomalidomide"]):
        line = ["sh", "-c", shell, "sh", *COMMAND, *call]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == 2, done.stderr
        assert "GP-" in done.stderr
        assert "GP-X001" not in done.stderr
        assert "Traceback" not in done.stderr


def test_what_the_system_refuses_is_told_from_our_bugs(tmp_path, monkeypatch):
    assert streams.refused(MemoryError("Unable to allocate 3 TiB")).code == "GP-X004"
    problem = streams.refused(PermissionError(13, "Permission denied", "/x"))
    assert (problem.code, problem.where, problem.exit_code) == ("GP-X005", "/x", 2)
    assert streams.refused(ZeroDivisionError()) is None
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert streams.refused(FileNotFoundError(2, "No such file or directory")).code == "GP-X003"
    monkeypatch.chdir(tmp_path)


def test_a_library_that_finds_no_memory_is_no_bug_of_ours():
    try:
        try:
            raise OSError("x.so: failed to map segment from shared object")
        except OSError as inner:
            raise ImportError("could not be loaded") from inner
    except ImportError as error:
        known = streams.refused(error)
    assert known is not None
    assert known.code == "GP-X004"
    assert streams.refused(ImportError("no module")) is None
    assert streams.refused(RuntimeError("can't start new thread")).code == "GP-X004"


def test_an_interrupt_after_the_last_word_changes_no_outcome():
    """Python drops its handlers before it takes its modules down; a signal then used to kill the process."""
    late = (
        "import os, signal\n"
        "class Late:\n"
        "    def __del__(self, kill=os.kill, me=os.getpid(), number=int(signal.SIGINT)):\n"
        "        kill(me, number)\n"
        "late = Late()\n"
    )
    call = [sys.executable, "-c", f"{late}{COMMAND[-1]}", "--version"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("glueprint ")
    assert (done.returncode, done.stderr) == (0, "")
