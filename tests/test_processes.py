"""A process that hangs in a test leaves evidence."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from tests import processes

WAITING = """
import pathlib, sys, threading
def stands_here():
    pathlib.Path(sys.argv[1]).touch()
    threading.Event().wait()
stands_here()
"""


@pytest.mark.parametrize("alone", [True, False], ids=["its own group", "in ours"])
def test_one_that_does_not_end_is_asked_for_its_stack(tmp_path, alone):
    sign = tmp_path / "waits"
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, str(sign)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=alone,
        env={**os.environ, **processes.TELLING},
    )
    while not sign.exists():
        assert process.poll() is None
        time.sleep(0.02)
    with pytest.raises(pytest.fail.Exception, match=r"did not end in 0 s[\s\S]*in stands_here"):
        processes.ended(process, 0)
    assert process.returncode is not None


def test_one_that_ends_is_as_subprocess_runs_it():
    found = processes.run([sys.executable, "-c", "print(3); raise SystemExit('four')"], 600)
    assert (found.returncode, found.stdout, found.stderr) == (1, "3\n", "four\n")
