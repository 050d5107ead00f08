"""Compiled code on disk. A cache that cannot be read or written costs time, never a result."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cache", "default_cache"]

SUFFIX = ".glueprint-object"


@dataclass(frozen=True)
class Cache:
    """Files in `folder`, each led by the digest of its content so that a damaged file is noticed."""

    folder: Path | None

    def get(self, name: str) -> bytes | None:
        """What was kept under `name`, or None."""
        if self.folder is None:
            return None
        try:
            data = (self.folder / f"{name}{SUFFIX}").read_bytes()
        except OSError:
            return None
        digest, content = data[:32], data[32:]
        return content if hashlib.sha256(content).digest() == digest else None

    def put(self, name: str, content: bytes) -> None:
        """Keep `content`; the file appears complete or not at all."""
        if self.folder is None:
            return
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, path = tempfile.mkstemp(dir=self.folder, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(content).digest() + content)
                Path(path).replace(self.folder / f"{name}{SUFFIX}")
            finally:  # Ctrl-C leaves nothing either
                Path(path).unlink(missing_ok=True)


def default_cache() -> Cache:
    """The cache under GLUEPRINT_CACHE, XDG_CACHE_HOME or ~/.cache; GLUEPRINT_CACHE="" switches it off."""
    own = os.environ.get("GLUEPRINT_CACHE")
    if own is not None:
        return Cache(Path(own) if own else None)
    base = os.environ.get("XDG_CACHE_HOME")
    with suppress(RuntimeError):
        return Cache((Path(base) if base else Path.home() / ".cache") / "glueprint")
    return Cache(None)
