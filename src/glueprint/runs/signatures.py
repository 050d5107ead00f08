"""Signatures of a folder: whose key vouches for every byte in it, and in what sense.

FOLDER/signatures/MEANING-DIGEST.json   one signature each: the SHA-256 of every file that was there, signed

A key is Ed25519, as `ssh-keygen -t ed25519` or `openssl genpkey -algorithm ed25519` makes it. Who signed is
what the reader calls the key in a file of trusted keys; no name in the folder is believed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from glueprint.boundary import clock, decoded, files
from glueprint.runs import keys, ledger, lock
from glueprint.runs.store import disk_errors, file_hash, write_file

__all__ = ["FOLDER", "MEANINGS", "Meaning", "Signature", "Signed", "are_in", "check", "give_up", "sign"]

FOLDER = "signatures"
KIND, VERSION = "glueprint-signature", 1
PURPOSE = b"glueprint-signature 1\n"  # so that nothing else that a key signs can be taken for one
MOST_BYTES = 64 * 1024 * 1024
DIGITS = 16
Meaning = Literal["author", "reviewer", "approver"]
MEANINGS: tuple[str, ...] = get_args(Meaning)


@dataclass(frozen=True)
class Signature:
    """What was signed. files: name below the folder -> SHA-256.   key: public, in the text of OpenSSH."""

    meaning: str
    utc: str
    key: str
    files: Mapping[str, str]
    kind: str = KIND
    version: int = VERSION
    signature: str = ""

    def signed(self) -> bytes:
        """The bytes that the key signs."""
        return PURPOSE + ledger.seal(_without_signature(self)).encode()


@dataclass(frozen=True)
class Signed:
    """A signature as it was found: in which file, by whom ("" for a key that is not trusted), its meaning."""

    file: str
    by: str
    meaning: str
    utc: str
    key: str


def sign(folder: Path, key_file: Path, meaning: Meaning, *, passphrase: str | None = None) -> Path:
    """Vouch for every file of a folder, with those signatures that are there already.

    Whoever calls has seen that the folder verifies.   key_file: a private key.   passphrase: of the key.
    Returns the new file.   Raises what `keys.private` raises, and what `store.disk_errors` raises.
    """
    key = keys.private(key_file, passphrase)
    made = Signature(
        meaning=meaning,
        utc=clock.text("seconds"),
        key=keys.public_text(key),
        files=_manifest(folder),
    )
    made = replace(made, signature=base64.b64encode(key.sign(made.signed())).decode())
    text = _text(made)
    path = folder / FOLDER / _name(made)
    write_file(path, text)
    return path


def are_in(folder: Path) -> bool:
    """Whether a folder is signed, so that nothing may be added to it."""
    return (folder / FOLDER).is_dir() and any((folder / FOLDER).iterdir())


def give_up(folder: Path) -> list[str]:
    """Remove the signatures of what is about to be replaced; returns their names."""
    with disk_errors(folder / FOLDER):
        names = sorted(path.name for path in (folder / FOLDER).glob("*")) if are_in(folder) else []
        for name in names:
            files.remove_inside(folder, f"{FOLDER}/{name}")
    return names


def check(folder: Path, trusted: Mapping[str, str] | None) -> tuple[tuple[Signed, ...], dict[str, str]]:
    """The signatures of a folder, and what is wrong by them: file -> words.

    trusted: public key -> what the reader calls its owner; None if no key was named, and then a missing
    signature is nothing wrong, and where `cryptography` is not installed only the files are compared.
    Raises EnvironmentProblemError GP-R024 if keys were named and it is not installed.
    """
    found: list[Signed] = []
    wrong: dict[str, str] = {}
    with disk_errors(folder):
        signed = are_in(folder)
        there = _manifest(folder) if signed else {}
        places = sorted((folder / FOLDER).iterdir()) if signed else []
    for path in places:
        name = f"{FOLDER}/{path.name}"
        made = _read(path)
        by_its_key = made is not None and ((trusted is None and not keys.are_checked()) or _is_true(made))
        if made is None or not by_its_key:
            wrong[name] = "is not what its key signed"
            continue
        found.append(Signed(name, (trusted or {}).get(made.key, ""), made.meaning, made.utc, made.key))
        wrong |= _against(made.files, there)
    if trusted is not None and not any(one.by for one in found):
        wrong[FOLDER] = "no signature of a trusted key"
    return tuple(found), wrong


def _against(signed: Mapping[str, str], there: Mapping[str, str]) -> dict[str, str]:
    wrong = {
        name: "is missing" if name not in there else "was changed after it was signed"
        for name, digest in signed.items()
        if there.get(name) != digest
    }
    # Later signatures come beside the earlier ones; each is checked by itself.
    added = {name for name in there if name not in signed and not name.startswith(f"{FOLDER}/")}
    return wrong | dict.fromkeys(added, "was added after the folder was signed")


def _manifest(folder: Path) -> dict[str, str]:
    """Every plain file but locks, which each run writes anew."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != lock.FILE_NAME)
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in paths}


def _read(path: Path) -> Signature | None:
    """The signature in a file, if every letter is as we write it."""
    try:
        text = decoded(files.read_plain(path, MOST_BYTES))
        about: dict[str, Any] = json.loads(text)
        made = Signature(**about)
        if (made.kind, made.version) != (KIND, VERSION) or made.meaning not in MEANINGS:
            return None
        texts = (made.utc, made.key, made.signature)
        if not (isinstance(made.files, dict) and all(isinstance(one, str) for one in texts)):
            return None
        if _text(made) != text or _name(made) != path.name:
            return None
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    return made


def _is_true(made: Signature) -> bool:
    """Whether the key that a signature names made it."""
    try:
        signature = base64.b64decode(made.signature, validate=True)
    except ValueError:
        return False
    return keys.is_made_by(made.key, signature, made.signed())


def _without_signature(made: Signature) -> dict[str, Any]:
    return {name: value for name, value in asdict(made).items() if name != "signature"}


def _name(made: Signature) -> str:
    return f"{made.meaning}-{ledger.seal(_without_signature(made))[:DIGITS]}.json"


def _text(made: Signature) -> str:
    return json.dumps(asdict(made), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
