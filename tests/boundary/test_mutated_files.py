"""A few changed inputs of every kind; `python -m benchmarks.hostile` makes as many as one waits for."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from random import Random

import pytest
from benchmarks import hostile, hostile_changes, hostile_kinds, rediscovery
from benchmarks.hostile_world import HIDDEN, Kind, Unsafe, World

from glueprint.errors import InputError, InternalError
from glueprint.runs import query

EACH = 3
SLOW_ONES = {"fitted", "survival", "named", "saved", "question"}  # plots and tables: once each


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "1s")
    (tmp_path / "world").mkdir()
    made = World(tmp_path / "world")
    yield made
    made.close()


@pytest.mark.filterwarnings("ignore")
def test_every_changed_input_is_read_or_refused_with_an_error_of_ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "1s")
    monkeypatch.setattr(query, "Limits", query.Limits)  # the attack has smaller ones
    (tmp_path / "world").mkdir()
    kinds = [replace(kind, weight=1 if kind.name in SLOW_ONES else EACH) for kind in hostile.every_kind(())]
    assert len(kinds) == 39
    numbers = range(sum(kind.weight for kind in kinds))
    found = hostile.summary([one for one in hostile.make(kinds, numbers, 20, tmp_path / "world") if one[2]])
    assert found["faults"] == []
    assert found["inputs"] == len(numbers)
    assert set(found["counts"]) == {kind.name for kind in kinds}
    assert sum(count.get("refused", 0) for count in found["counts"].values()) > 40  # the changes do harm
    assert sum(count.get("read", 0) for count in found["counts"].values()) > 10  # and not to all


@pytest.mark.filterwarnings("ignore")
def test_a_whole_file_of_every_kind_is_read(world):
    """A kind whose whole file is refused would try nothing but the refusal."""
    tried = [kind for kind in hostile.every_kind(()) if kind.use is not None and kind.name != "far"]
    assert len(tried) == 33
    for kind in tried:
        path = world.inside / f"input{kind.ending}"
        path.write_bytes(world.real(kind.whole))
        assert hostile.outcome(lambda use=kind.use, path=path: use(world, path)) == "read", kind.name
        world.clear()


def test_a_look_at_the_secret_is_seen(world):
    world.hide()
    assert not world.was_read()
    world.secret.read_text()
    assert world.was_read()


def test_what_says_the_same_in_another_spelling_must_be_read(world):
    def picky(_world, path):
        if path.read_bytes()[:3] == b"\xef\xbb\xbf":
            raise InputError("GP-A001", "no")

    made = hostile_kinds.same([Kind("k", lambda *_: None, 1, b"a = 1\n", ".x", picky)])
    said = {hostile.one(world, Kind("same", made), Random(n)) for n in range(40)}
    assert said == {
        "read",
        *(f"unsafe: k with {how} is refused: GP-A001 no" for how in ("a mark of UTF-8", "both")),
    }


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InternalError("GP-X001", "a bug"), "internal error"),
        (RecursionError("deep"), "RecursionError"),
        (MemoryError("big"), "MemoryError"),
        (Unsafe("harm"), "unsafe: harm"),
        (InputError("GP-A001", "no"), "refused"),
    ],
)
def test_the_attack_notices_faults(error, words):
    def reads():
        raise error

    assert words in hostile.outcome(reads)


def touch(world):
    world.victim.write_text("changed")


def remove(world):
    world.victim.unlink()


def make_outside(world):
    (world.folder / "new").touch()


def pwn(world):
    (world.inside / "pwned.csv").touch()


@pytest.mark.parametrize("harm", [touch, remove, make_outside, pwn])
def test_the_attack_sees_harm_and_goes_on(world, harm):
    kind = Kind("harm", lambda _world, _chance: lambda: harm(world))
    assert "unsafe" in hostile.one(world, kind, Random(1))
    calm = Kind("calm", lambda _world, _chance: lambda: None)
    assert hostile.one(world, calm, Random(1)) == "read"


@pytest.mark.parametrize(
    ("told", "name", "content"),
    [
        ("\x1b[2J", "", ""),
        ("a\u202eb", "", ""),
        (HIDDEN, "", ""),
        ("", "a.html", "<script>GPMARK</script>"),
        ("", "a.csv", 'x\n"=1+1"\n'),
    ],
)
def test_outputs_that_a_reader_does_not_want_are_seen(world, told, name, content):
    world.out.mkdir()
    world.look_at_outputs("fine\n")
    if name:
        (world.out / name).write_text(content)
    with pytest.raises(Unsafe):
        world.look_at_outputs(told)


def test_a_process_that_dies_or_hangs_costs_one_input(tmp_path, monkeypatch):
    (tmp_path / "worker.py").write_text(
        "import json, os, sys, time\n"
        "start = int(sys.argv[sys.argv.index('--start') + 1])\n"
        "for number in range(start, 4):\n"
        "    print(json.dumps([number, 'x', '', 0.0]), flush=True)\n"
        "    if number == 1: os.kill(os.getpid(), 11)\n"
        "    if number == 2: time.sleep(600)\n"
        "    print(json.dumps([number, 'x', 'read', 0.0]), flush=True)\n"
    )
    start = hostile.subprocess.Popen
    worker = str(tmp_path / "worker.py")
    monkeypatch.setattr(
        hostile.subprocess, "Popen", lambda call, **how: start([call[0], worker, *call[3:]], **how)
    )
    given = argparse.Namespace(
        inputs=4, seed=1, only=[], journal=str(tmp_path / "j"), patience=3.0, seconds=float("inf")
    )
    found = hostile.attack(given)
    assert found["counts"] == {"x": {"read": 2, "fault": 2}}
    assert sorted(one["said"] for one in found["faults"]) == ["hang", "signal 11"]
    monkeypatch.setattr(
        hostile, "watch", lambda *_: pytest.fail("a journal that is full is asked for nothing")
    )
    assert hostile.attack(given) == found


def test_the_same_seed_makes_the_same_file():
    first, second = (hostile_changes.raw(hostile_kinds.PLATE, Random("1/tidy/5")) for _ in range(2))
    assert first == second != hostile_kinds.PLATE


def test_faults_that_were_known_are_recognised(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    far = "unsafe: numbers far from all that was fitted get an answer without a remark # "
    rows = [
        ("cache", "unsafe: a cache that others may write into is read"),
        ("far", f"{far}dose_mg times 1e+02"),
        ("far", f"{far}weight_kg times 5e-07"),
        ("far", f"{far}age_y times 5e-07"),  # nobody listed that
        ("tiff", "hang"),
        ("tidy", "hang"),
        ("cache", "read"),
    ]
    journal = tmp_path / "j.jsonl"
    journal.write_text("".join(json.dumps([n, *row, 0.0]) + "\n" for n, row in enumerate(rows)))
    counts = rediscovery.found([journal], 1)
    assert len(counts) == 36
    assert {name for name, count in counts.items() if count} == {
        *("a cache that all may write", "a small TIFF never ends", "a hundredfold dose"),
        "a patient of a milligram",
    }


def test_a_number_that_an_input_holds_tells_two_faults_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    many = next(one for one in rediscovery.FAULTS if one.name == "ten million replicates")
    kind = Kind("options", lambda world, _: (world.inside / "line.txt").write_text("--replicates 10000000"))
    monkeypatch.setattr(rediscovery, "every_kind", lambda _: [kind])
    monkeypatch.setattr(rediscovery, "FAULTS", (many, replace(many, name="x", of_input=lambda _: False)))
    journal = tmp_path / "j.jsonl"
    journal.write_text(json.dumps([0, "options", "hang", 0.0]) + "\n")
    assert rediscovery.found([journal], 1) == {"ten million replicates": 1, "x": 0}
