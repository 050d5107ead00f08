"""What no memory holds is refused before any work, and so are forks of a process with threads."""

from __future__ import annotations

import os
import sys

import pytest
from tests import processes

from glueprint import forks, trials
from glueprint.errors import InputError

FORKING = """
import multiprocessing, sys
from glueprint import trials
def one(seed): return trials.run("mm003", seed=seed).endpoints.height
if __name__ == "__main__":
    trials.available()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        try: pool.map(one, [1])
        except Exception as error: print(error)
"""


@pytest.mark.parametrize("count", [{"replicates": 10**7}, {"replicates": 99_999}, {"workers": 10**6}])
def test_too_much_for_any_memory_is_refused_before_any_work(count):
    with pytest.raises(InputError, match="GP-T021") as caught:
        trials.run("mm003", **count)
    assert "fewer" in caught.value.next_step


def test_so_is_a_protocol_of_too_many_patients():
    protocol = trials.load_protocol("mm003")
    arms = tuple(arm.model_copy(update={"patients": 10**9}) for arm in protocol.arms)
    with pytest.raises(InputError, match="GP-T021") as caught:
        trials.run(protocol.model_copy(update={"arms": arms}))
    assert "virtual patients" in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_fork_is_answered_and_does_not_hang(tmp_path):
    file = tmp_path / "forking.py"
    file.write_text(FORKING)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = processes.run([sys.executable, str(file)], 300, env=environment)
    assert done.returncode == 0, done.stderr
    assert "GP-X006" in done.stdout
    assert "spawn" in done.stdout


def test_a_process_of_its_own_is_fine():
    forks.refuse()
