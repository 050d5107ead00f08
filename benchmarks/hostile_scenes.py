"""What is no single file: folders of somebody else's, questions to them, caches, and broken surroundings."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

from benchmarks.hostile_changes import SECRET, a_number, a_text, raw, words
from benchmarks.hostile_kinds import ANTIMONY, PLATE
from benchmarks.hostile_world import Attempt, Kind, Unsafe, World

__all__ = ["scenes"]

FRAME = pl.DataFrame({"patient": [1, 2, 3], "arm": ["A", "B", "A"]})
QUESTION = "select count(*) from it_patients"
# An identifier, a string or a call is closed, something is asked, and the rest is a remark.
CLOSERS = ('"', "'", ")", "]", "';", '";')
ASKED = (
    "copy (select 42) to 'pwned.csv'",
    "copy it_patients to 'pwned.parquet'",
    "create table stolen as select * from read_text(chr(47)||'etc'||chr(47)||'hostname')",
    "attach 'pwned.db'",
    "export database 'pwned'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "pragma temp_directory='pwned'",
)
QUESTIONS = (
    QUESTION,
    "select arm, avg(patient) as a from it_patients group by arm order by 1",
    "with x as (select * from it_patients) select x.patient + 1, upper(arm) from x where arm = 'A'",
    f"select * from read_text('{SECRET}')",
    f"select * from glob('{SECRET}*')",
    f"from '{SECRET}'",
    f"select * from read_csv('{SECRET}')",
    "select error('LINE 7: x' || chr(10) || '   ^')",
    "select date '290000-01-01', timestamp 'infinity', interval '1 month', 'inf'::float, 1::hugeint << 100",
    "select {'a': 1}, [1, [2]], map([1],[2]), uuid(), 'a'::blob, '101'::bit, 1.5::decimal(38,37)",
    "select * from range(100000000000)",
    "explain select 1",
    "describe select * from it_patients",
    "show tables",
    "values (1)",
    "pragma version",
    "select * from duckdb_settings()",
    "select getenv('HOME')",
    "select repeat('x', 1000000000)",
    "with recursive t(n) as (select 1 union all select n + 1 from t) select * from t",
)
PATIENCE_S = 240
TABLE = "it_patients.parquet"


def scenes() -> Iterator[Kind]:
    """Every kind."""
    asking = _runs("query")
    if usual := getattr(asking, "Limits", None):  # which would take minutes for each question without end
        vars(asking)["Limits"] = partial(usual, seconds=1.0, memory_mb=500, rows=10_000)
    yield Kind("folder", _folder, 3)
    yield Kind("question", _question)
    yield Kind("cache", _cache, 10)


def surroundings() -> Iterator[Kind]:
    """Kinds whose inputs each take an interpreter of their own."""
    yield Kind("surroundings", _surroundings)


def _finish(folder: Path) -> None:
    """A folder as a run leaves it."""
    workspace, provenance = _runs("workspace"), _runs("provenance")
    with workspace.claim(folder) as space:
        record = provenance.new("test", {"seed": 1}, {})
        space.begin(record, {})
        space.publish({"it_patients": FRAME}, {"study.json": "{}"}, record)


def _runs(name: str) -> Any:
    return import_module(f"glueprint.runs.{name}")


def _folder(world: World, chance: Random) -> Attempt:
    """A finished folder that somebody changed; what contradicts the rest must be seen."""
    folder = world.inside / chance.choice(
        ("a", "x [1]", "what*", "a'b\"c", "é\x1b[2J", "~", "a\nb", "%s", "-")
    )
    _finish(folder)
    untouched = _content(folder)
    # No change twice: the second may put what is allowed in the place of what the first one did.
    changes = chance.sample(CHANGES, chance.choice((0, 1, 1, 1, 2)))
    seen = [change(world, folder, chance) for change in changes]
    # A second change may undo the first: an entry added and cut off again.
    seen = [one and _content(folder) != untouched for one in seen]

    def use() -> None:
        """Every one of the three must refuse or find what contradicts the rest."""
        answers = []
        for look in (_verify, _asks, _goes_on):
            try:
                answers.append(look(folder))
            except import_module("glueprint.errors").InternalError:
                raise
            except import_module("glueprint.errors").GlueprintError as error:
                if not changes and "a\nb" not in folder.name:
                    raise Unsafe(f"a folder that nobody changed is refused: {error}") from error
                answers.append(False)
        if any(seen) and answers[1]:
            raise Unsafe(f"a changed folder is queried: {[one.__name__ for one in changes]}")
        if any(seen) and answers[0]:
            raise Unsafe(f"a changed folder verifies: {[one.__name__ for one in changes]}")

    return use


def _content(folder: Path) -> dict[str, bytes]:
    """Every entry that is no folder: what it holds, or that it is no file, or has a name elsewhere."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if _is_own(path) else b"no file of its own"
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
        if path.name not in (".lock", "ledger.head") or not _is_own(path)
    }


def _is_own(path: Path) -> bool:
    return not path.is_symlink() and path.is_file() and path.stat().st_nlink == 1


def _verify(folder: Path) -> bool:
    return not _runs("verify").verify(folder).findings


def _asks(folder: Path) -> bool:
    _runs("query").query(folder, QUESTION)
    return True


def _goes_on(folder: Path) -> bool:
    with _runs("workspace").claim(folder):
        import_module("glueprint.study.plate_files").lay_out(folder, None, 1)
    return True


def _linked(world: World, folder: Path, chance: Random) -> bool:
    """A link, a second name, a pipe or a device's name in the place of something."""
    name = chance.choice((".lock", "ledger.jsonl", "ledger.head", "provenance.json", "tables", "plates", "x"))
    place = folder / name
    if place.is_dir():
        for below in place.iterdir():
            below.unlink()
        place.rmdir()
    elif place.exists():
        place.unlink()
    what = chance.randrange(4)
    if what == 0:
        os.link(world.victim, place)
        return name not in (".lock", "x", "plates")
    if what == 1:
        os.mkfifo(place)
    else:
        place.symlink_to(chance.choice((world.victim, world.folder, Path("/dev/zero"), folder, place)))
    return True


def _forged(world: World, folder: Path, chance: Random) -> bool:
    """An entry of the ledger of somebody else's, sealed as ours are."""
    ledger = _runs("ledger")
    book = folder / "ledger.jsonl"
    if not _is_own(book):
        return False
    if not (folder / "plates").exists():
        (folder / "plates").mkdir()  # through which a name may lead out
    try:
        last = json.loads(book.read_bytes().splitlines()[-1])
    except (IndexError, ValueError):  # another change has emptied or broken it
        return False
    away = (
        "plates/../../../victim.txt",
        "plates/../../victim.txt",
        str(world.victim),
        "..",
        "a\\b",
        "plates/x",
    )
    name = chance.choice((chance.choice(away), a_text(chance)))
    files = chance.choice(({name: "0" * 64}, {name: "0" * 64}, [name], name, 7, {name: a_number(chance)}))
    new = {key: value for key, value in last.items() if key != "hash"}
    new |= {"number": last["number"] + 1, "previous": last["hash"], "facts": {"files": files}}
    new["event"] = chance.choice(("added", "added", "finished", "begun", name))
    with suppress(ValueError):
        new["hash"] = ledger.seal(new)
        with book.open("ab") as stream:
            stream.write(json.dumps(new, ensure_ascii=False).encode() + b"\n")
        return False
    with book.open("ab") as stream:
        stream.write(json.dumps(new | {"hash": "0" * 64}).encode() + b"\n")
    return True


def _rewritten(_world: World, folder: Path, chance: Random) -> bool:
    """Another number in a table, with the record's hash beside it, or without."""
    store, tables = _runs("store"), folder / "tables"
    if tables.is_symlink() or not tables.is_dir():
        return False
    forged = FRAME.with_columns(arm=pl.lit(chance.choice(("forged", "\x1b", "=1"))))
    digest = store.write_tables(tables, {"it_patients": forged})["it_patients"]
    record = folder / "provenance.json"
    if chance.random() < 0.7 and _is_own(record):
        about = json.loads(record.read_text())
        about["outputs"] = {**about["outputs"], "it_patients": digest}
        record.write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n")
    return True


def _removed(_world: World, folder: Path, chance: Random) -> bool:
    """A file gone, emptied or shortened."""
    # To write to a link or second name of a file outside would be the harm itself.
    files = [path for path in folder.rglob("*") if _is_own(path)]
    # What `_named` laid there is not of the run.
    files = [path for path in files if path.name == TABLE or path.parent.name != "tables"]
    files = [path for path in files if path.name != ".lock"]
    if not files:
        return False
    path = chance.choice(files)
    content = path.read_bytes()
    what = chance.randrange(4)
    if what == 0:
        path.unlink()
    elif what == 1:
        path.write_bytes(b"")
    elif what == 2:
        path.write_bytes(b"".join(content.splitlines(keepends=True)[:-1]))
    else:
        path.write_bytes(raw(content, chance))
    # A head that is behind may be a kill's.
    return (not path.is_file() or path.read_bytes() != content) and path.name != "ledger.head"


def _named(_world: World, folder: Path, chance: Random) -> bool:
    """One more table, whose name is SQL."""
    tables = folder / "tables"
    if tables.is_symlink() or not tables.is_dir():
        return False
    asked = f"{chance.choice(ASKED)}; {chance.choice(ASKED)}"
    name = f"a{chance.choice(CLOSERS)} as select 1; {asked}; {chance.choice(('--', '', '/*'))}.parquet"
    name = chance.choice((name, name, a_text(chance).replace("/", "") + ".parquet"))
    with suppress(OSError, ValueError):
        (tables / name).write_bytes((tables / TABLE).read_bytes())
    return False


CHANGES = (_linked, _forged, _rewritten, _removed, _named)


def _question(world: World, chance: Random) -> Attempt:
    """SQL of any kind to a folder as it should be, by way of the command."""
    from benchmarks.hostile_world import command

    folder = world.inside / "asked"
    _finish(folder)
    change = words(
        ((b"(", b"", b")"), (b"not ", b"", b""), (b"", b"+1", b""), (b"", b" union all select 1", b"")),
        tuple(f"; {one}; ".encode() for one in ASKED),
    )
    sql = chance.choice((*QUESTIONS, *ASKED)).encode()
    sql = world.real(change(sql, chance) if chance.random() < 0.7 else sql)[:100_000]
    text = sql.decode("utf-8", "surrogateescape")
    asks = command("study", "query", "{file}", text, *chance.choice(((), ("--json",))))
    return lambda: asks(world, folder)


def _cache(world: World, chance: Random) -> Attempt:
    """A folder of compiled code in which somebody swapped, changed or could write."""
    made = import_module("glueprint.formulas.cache").Cache(world.inside / "cache")
    contents = {name: name.encode() * 40 for name in ("aa", "bb")}
    for name, content in contents.items():
        made.put(name, content)
    files = sorted((world.inside / "cache").iterdir())
    what = chance.randrange(4)
    if what == 0 and len(files) > 1:
        first, second = files[0].read_bytes(), files[1].read_bytes()
        files[0].write_bytes(second)
        files[1].write_bytes(first)
    elif what == 1 and files:
        files[0].write_bytes(raw(files[0].read_bytes(), chance))
    elif what == 2:
        (world.inside / "cache").chmod(chance.choice((0o777, 0o770, 0o722)))
    elif files:
        files[0].unlink()
        chance.choice((os.link, os.symlink))(world.victim, files[0])

    def use() -> None:
        for name, content in contents.items():
            if made.get(name) not in (None, content):
                raise Unsafe("code of somebody else's is taken from the cache")
            if what == 2 and made.get(name) is not None:
                raise Unsafe("a cache that others may write into is read")

    return use


@dataclass(frozen=True)
class Around:
    """What surrounds a process. before: in the child, before it begins."""

    before: Callable[[], object] | None = None
    environment: Mapping[str, str | None] = field(default_factory=dict)
    output: str = ""


def _closed(*numbers: int) -> Callable[[], object]:
    def close() -> None:
        for number in numbers:
            os.close(number)

    return close


def _limited(what: int, most: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(what, (most, most))


def _gone() -> None:
    gone = Path("gone").absolute()
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()


AROUND = {
    "plain": Around(),
    "stdin closed": Around(_closed(0)),
    "stdout closed": Around(_closed(1)),
    "stderr closed": Around(_closed(2)),
    "all closed": Around(_closed(0, 1, 2)),
    "stdout full": Around(output="/dev/full"),
    "stdout a folder's end": Around(output="pipe"),
    "working directory deleted": Around(_gone),
    "latin-1": Around(environment={"PYTHONIOENCODING": "latin-1", "LANG": "C"}),
    "ascii": Around(environment={"PYTHONIOENCODING": "ascii", "LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"}),
    "no home": Around(environment={"HOME": None, "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None}),
    "home is a file": Around(environment={"HOME": "/dev/null"}),
    "home is no place": Around(environment={"HOME": "/nowhere/at/all"}),
    "no temporary folder": Around(environment={"TMPDIR": "/nowhere", "TEMP": "/nowhere", "TMP": "/nowhere"}),
    "cache is a file": Around(environment={"GLUEPRINT_CACHE": "/dev/null"}),
    "nothing set": Around(environment=dict.fromkeys(os.environ)),
    "umask": Around(lambda: os.umask(0o777)),
    "memory 2 GB": Around(_limited(resource.RLIMIT_AS, 2 << 30)),
    "memory 700 MB": Around(_limited(resource.RLIMIT_AS, 700 << 20)),
    "32 descriptors": Around(_limited(resource.RLIMIT_NOFILE, 32)),
    "12 descriptors": Around(_limited(resource.RLIMIT_NOFILE, 12)),
    "files of 4 kB": Around(_limited(resource.RLIMIT_FSIZE, 4096)),
    "files of 0 bytes": Around(_limited(resource.RLIMIT_FSIZE, 0)),
    "stack 512 kB": Around(_limited(resource.RLIMIT_STACK, 512 << 10)),
    "no children": Around(_limited(resource.RLIMIT_NPROC, 1)),
    "SIGPIPE as of old": Around(lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL)),
    "terminal of no width": Around(environment={"COLUMNS": "0", "LINES": "0", "TERM": "dumb"}),
    "columns are a word": Around(environment={"COLUMNS": "wide", "TERM": "xterm"}),
    "no such zone": Around(environment={"TZ": "Nowhere/Land"}),
    "trusted is gone": Around(environment={"GLUEPRINT_TRUSTED": "/nowhere"}),
    "threads 0": Around(environment={"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "0"}),
}
FORKING = """
import multiprocessing as mp, sys
import glueprint as gp
{call}
if __name__ == "__main__":
    one(1)
    mp.get_context("fork").Pool(2).map(one, [1, 2])
"""
CALLS = (
    "def one(n): return gp.trials.run('mm003', seed=n).endpoints.height",
    "def one(n): return gp.engine.compile('model.ant').parameters",
    "def one(n): return len(str(gp.assays.readers.read('plate.csv')))",
)
COMMANDS = (
    ("model", "simulate", "model.ant", "--until", "3"),
    ("model", "simulate", "model.ant", "--until", "3", "--out", "t.csv"),
    ("assay", "plate", "plate.csv", "--figure", "f.svg"),
    ("trial", "show", "mm003"),
    ("trial", "list", "--json"),
    ("compound", "show", "pomalidomide"),
    ("evidence", "list"),
    ("study", "query", "folder", QUESTION),
    ("study", "verify", "folder"),
    ("--help",),
    ("trial", "show", "no-such-é-\x1b[2J"),
    ("model", "show", "absent-\u202e.ant"),
)


def _surroundings(world: World, chance: Random) -> Attempt:
    """A command, or a program that forks, in surroundings that are broken in one way or two."""
    around = [AROUND[chance.choice(sorted(AROUND))] for _ in range(chance.choice((1, 1, 2)))]
    names = [name for one in around for name, value in AROUND.items() if value is one]
    words_given = chance.choice((*COMMANDS, *COMMANDS, *CALLS))
    (world.inside / "model.ant").write_bytes(ANTIMONY)
    (world.inside / "plate.csv").write_bytes(PLATE.replace(b"x0", "é𝛼".encode()))
    _finish(world.inside / "folder")
    (world.inside / "forking.py").write_text(
        FORKING.format(call=words_given if isinstance(words_given, str) else "")
    )
    line = [sys.executable, str(world.inside / "forking.py")]
    if not isinstance(words_given, str):
        line = [sys.executable, "-c", "from glueprint.cli import main; main()", *words_given]
    asked = words_given if isinstance(words_given, str) else " ".join(words_given)
    return lambda: _run(world, line, around, f"{asked[:60]} | {', '.join(names)}")


def _run(world: World, line: list[str], around: list[Around], called: str) -> str:
    """Run it; raises RuntimeError for a traceback, a signal, an exit code that no surroundings may cause."""
    environment: dict[str, str] = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    for one in around:
        for name, value in one.environment.items():
            if value is None and name != "PYTHONPATH":
                environment.pop(name, None)
            elif value is not None:
                environment[name] = value
    output = next((one.output for one in around if one.output), "")

    def before() -> None:
        for one in around:
            if one.before is not None:
                with suppress(OSError):
                    one.before()

    with (world.inside / "stderr.txt").open("wb") as errors, Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=full if output == "/dev/full" else subprocess.PIPE,
            stderr=errors,
            env=environment,
            preexec_fn=before,  # noqa: PLW1509 - what surrounds a process is made in it; no thread runs here
            cwd=world.inside,
            start_new_session=True,
        )
        try:
            if output == "pipe" and process.stdout is not None:
                process.stdout.close()
                process.stdout = None
            told, _ = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise RuntimeError(f"hangs: {called}") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    said = (world.inside / "stderr.txt").read_text(errors="replace")
    text = (told or b"").decode(errors="replace")
    forked = len(line) == 2
    fine = (0, 1, 2, 141) if not forked else (0, 1)
    broken = "Traceback" in said and not (forked and "GP-X006" in said)
    pipe = process.returncode == -signal.SIGPIPE and "SIGPIPE" in called
    if (process.returncode not in fine and not pipe) or broken:
        raise RuntimeError(f"exit code {process.returncode}: {called}: {said[-300:] or text[-200:]}")
    return str(process.returncode)
