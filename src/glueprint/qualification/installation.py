"""IQ: what was installed is what was shipped, with the packages that it needs."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import metadata
from pathlib import Path

import glueprint
from glueprint.qualification.contract import Seen

__all__ = ["files_as_shipped", "packages", "source_digest"]

NAME = re.compile(r"[A-Za-z0-9._-]+")
EXTRA = re.compile(r"extra\s*==")
LEAST, BELOW = re.compile(r">=\s*([0-9.]+)"), re.compile(r"<\s*([0-9.]+)")
FOLDER = Path(glueprint.__file__).parent


def packages() -> Seen:
    """Every package that is needed, in a version that is allowed."""
    amiss, count = [], 0
    for text in metadata.requires("glueprint") or ():
        if EXTRA.search(text):
            continue
        count += 1
        name = NAME.match(text)[0]  # type: ignore[index]
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            amiss.append(f"{name} is not installed")
            continue
        least, below = LEAST.search(text), BELOW.search(text)
        if least and _numbers(version) < _numbers(least[1]):
            amiss.append(f"{name} {version} is below {least[1]}")
        if below and _numbers(version) >= _numbers(below[1]):
            amiss.append(f"{name} {version} is not below {below[1]}")
    found = "; ".join(amiss) or f"{count} packages, all within their limits"
    return Seen(not amiss, "every package within the limits of the distribution", found)


def _numbers(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in re.findall(r"\d+", version)[:3]]
    return tuple(parts + [0] * (3 - len(parts)))


def files_as_shipped() -> Seen:
    """Every file of the package with the SHA-256 that the wheel recorded of it."""
    recorded = _recorded()
    if not recorded:
        return Seen(True, "files of a wheel, or a source tree", f"a source tree, {source_digest()}")
    amiss = [name for name, wanted in recorded.items() if _hash_of(FOLDER.parent / name) != wanted]
    said = f"{len(recorded)} files" if not amiss else f"changed or missing: {', '.join(sorted(amiss)[:5])}"
    return Seen(not amiss, "every file as the wheel recorded it", said)


def _recorded() -> dict[str, str]:
    """SHA-256 by name of the files that the installer recorded of this folder; none in a source tree."""
    return {
        str(file): file.hash.value
        for file in metadata.files("glueprint") or ()
        if file.hash and file.parts[0] == "glueprint" and (FOLDER.parent / file).exists()
    }


def _hash_of(path: Path) -> str:
    """As RECORD writes it (PEP 376): URL-safe base64 without its padding."""
    if not path.is_file():
        return ""
    return base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()


def source_digest() -> str:
    """One SHA-256 over all files of the package, by name."""
    whole = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            whole.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"sha256:{whole.hexdigest()}"
