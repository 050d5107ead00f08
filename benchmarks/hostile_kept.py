"""What runs leave, in the hands of somebody who can seal and sign, too: ledgers, records, tables, seals."""

from __future__ import annotations

import base64
import io
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

from benchmarks.hostile_changes import a_text, or_raw, tree, words
from benchmarks.hostile_world import Kind, World, called, of_file

__all__ = ["kept", "vouching"]


def kept() -> Iterator[Kind]:
    """What runs leave, in the hands of somebody who can seal, too."""
    ledger, provenance = import_module("glueprint.runs.ledger"), import_module("glueprint.runs.provenance")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ledger.append(folder, "begun", {"request": "0" * 64})
        ledger.append(folder, "finished", {"files": {"tables/a.parquet": "0" * 64}})
        book = (folder / ledger.FILE_NAME).read_bytes()
    entries = tree(lambda text: [*map(json.loads, text.splitlines())], lambda root: _sealed(root, ledger))

    def read_ledger(_world: World, path: Path) -> object:
        return ledger.broken_at(path), ledger.read(path)

    yield of_file("ledger", ".jsonl", book, or_raw(entries), read_ledger, 16)
    record = provenance.text_of(provenance.new("glueprint-study", {"seed": 1}, {"study": "0" * 64}))
    change = tree(json.loads, json.dumps)
    reads = called("glueprint.runs.provenance:read")
    yield of_file("provenance", ".json", record.encode(), or_raw(change), reads, 12)
    yield of_file("parquet", ".parquet", _parquet(), or_raw(_other_parquet), _read_table(), 12)


def _sealed(root: Any, ledger: Any) -> str:
    """Lines of a ledger, each numbered and sealed anew where it is still a table."""
    lines, previous = [], "0" * 64
    for number, entry in enumerate(root, start=1):
        content = entry
        if isinstance(entry, dict):
            content = {name: value for name, value in entry.items() if name != "hash"}
            content |= {"number": number, "previous": previous}
            previous = content["hash"] = _seal(content, ledger)
        lines.append(json.dumps(content, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def _seal(content: Any, ledger: Any) -> str:
    try:
        return str(ledger.seal(content))
    except ValueError:  # surrogates have no bytes to seal
        return "0" * 64


def _read_table() -> Callable[[World, Path], object]:
    store = import_module("glueprint.runs.store")
    return lambda _world, path: store.read_table(path, "t")


def _parquet(frame: pl.DataFrame | None = None) -> bytes:
    store = import_module("glueprint.runs.store")
    with tempfile.TemporaryDirectory() as place:
        store.write_tables(Path(place), {"t": frame or pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]})})
        return (Path(place) / "t.parquet").read_bytes()


def _other_parquet(content: bytes, chance: Random) -> bytes:
    """A file with names, types and remarks of somebody else's choice, and other numbers in its foot."""
    names = [chance.choice(("a", "b", a_text(chance))).encode("utf-8", "replace").decode() for _ in range(2)]
    values = chance.choice(([1, 2], [1.5, None], [[1], []], [{"x": 1}, None], ["\x1b", "=1"], [b"\0", b""]))
    stream = io.BytesIO()
    frame = pl.DataFrame(dict.fromkeys(names, values))
    remark = {"glueprint": a_text(chance), "kind": "t"} if chance.random() < 0.5 else {}
    frame.write_parquet(
        stream, metadata={k: v.encode("utf-8", "replace").decode() for k, v in remark.items()}
    )
    made = bytearray(chance.choice((content, stream.getvalue())))
    foot = len(made) - 8 - int.from_bytes(made[-8:-4], "little")
    for _ in range(chance.randint(0, 3)):
        made[chance.randrange(max(foot, 0), len(made))] = chance.randrange(256)
    if chance.random() < 0.1:
        made[-8:-4] = chance.choice((0, 2**31 - 1, 2**32 - 1, len(made))).to_bytes(4, "little")
    return bytes(made)


def vouching() -> Iterator[Kind]:
    """Records of commands and signatures, sealed and signed by a stranger who knows how."""
    records, signatures = import_module("glueprint.runs.records"), import_module("glueprint.runs.signatures")
    ledger, keys = import_module("glueprint.runs.ledger"), import_module("glueprint.runs.keys")
    private = import_module("cryptography.hazmat.primitives.asymmetric.ed25519").Ed25519PrivateKey
    key = private.from_private_bytes(b"\7" * 32)
    blank = asdict(records.begun(("fit", "x.csv"), 7))
    stated = {"path": "x.csv", "name": "x.csv", "sha256": "0" * 64, "bytes": 3, "read": None}
    blank |= {"inputs": [stated], "outputs": [stated], "previous": "0" * 64, "digest": "0" * 64}

    def seals(about: Any) -> str:
        if isinstance(about, dict):
            about = about | {"digest": _seal({k: v for k, v in about.items() if k != "digest"}, ledger)}
        return json.dumps(about, indent=2, ensure_ascii=False, sort_keys=True) + "\n"

    change = tree(json.loads, seals)
    reads = called("glueprint.runs.records:read")
    yield of_file("record", ".json", seals(blank).encode(), or_raw(change), reads, 12)
    signed = asdict(
        signatures.Signature("author", "2026-01-01T00:00:00+00:00", keys.public_text(key), {"a": "0" * 64})
    )

    def signs(about: Any) -> str:
        if isinstance(about, dict):
            rest = {name: value for name, value in about.items() if name != "signature"}
            text = b"glueprint-signature 1\n" + _seal(rest, ledger).encode()
            about = rest | {"signature": base64.b64encode(key.sign(text)).decode()}
        return json.dumps(about, indent=2, ensure_ascii=False, sort_keys=True) + "\n"

    def check(world: World, path: Path) -> object:
        place = world.inside / "signatures"
        place.mkdir()
        content = path.read_bytes()
        said = re.search(rb'"meaning": "(author|reviewer)"', content)
        meaning = said[1].decode() if said else None
        digest = _hash(content)
        name = f"{meaning}-{digest[:16]}.json" if meaning else "author-0.json"
        path.rename(place / name)
        return signatures.check(world.inside, {keys.public_text(key): "me"})

    yield of_file("signature", ".json", signs(signed).encode(), or_raw(tree(json.loads, signs)), check, 14)
    line = f"{keys.public_text(key)} Ada Lovelace\n".encode()
    yield of_file("trusted", "", line, or_raw(words(())), called("glueprint.runs.keys:trusted"), 8)


def _hash(content: bytes) -> str:
    return str(import_module("hashlib").sha256(content).hexdigest())
