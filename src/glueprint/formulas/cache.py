"""Compiled code on disk. A cache that cannot be read, written or trusted costs time, never a result.

Code that is loaded runs, so each file is sealed with a secret of the user that lies outside the cache
(HMAC-SHA-256 over name and content): what somebody else put there, or put under another name, counts for
nothing, and neither does a folder that others may write into.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import tempfile
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from glueprint.boundary import read_plain

__all__ = ["Cache", "default_cache"]

SUFFIX = ".glueprint-object"
SEAL_BYTES, SECRET_BYTES = 32, 32
MOST_BYTES = 256 * 1024 * 1024  # of one object; the largest model's has a few
OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class Cache:
    """Files in `folder`, each led by its seal. folder: None for no cache."""

    folder: Path | None

    def get(self, name: str) -> bytes | None:
        """What we kept under `name`, or None."""
        if self.folder is None or not _is_ours_alone(self.folder):
            return None
        secret = _secret()
        try:
            data = read_plain(self.folder / f"{name}{SUFFIX}", MOST_BYTES, ours=True)
        except OSError:
            return None
        given, content = data[:SEAL_BYTES], data[SEAL_BYTES:]
        return content if secret and hmac.compare_digest(given, _seal(secret, name, content)) else None

    def put(self, name: str, content: bytes) -> None:
        """Keep `content`; the file appears complete or not at all."""
        secret = _secret()
        if self.folder is None or secret is None:
            return
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not _is_ours_alone(self.folder):
                return
            handle, path = tempfile.mkstemp(dir=self.folder, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_seal(secret, name, content) + content)
                Path(path).replace(self.folder / f"{name}{SUFFIX}")
            finally:  # Ctrl-C leaves nothing either
                Path(path).unlink(missing_ok=True)


def default_cache() -> Cache:
    """The cache under GLUEPRINT_CACHE, XDG_CACHE_HOME or ~/.cache; GLUEPRINT_CACHE="" switches it off."""
    own = os.environ.get("GLUEPRINT_CACHE")
    if own is not None:
        return Cache(Path(own) if own else None)
    with suppress(RuntimeError):
        return Cache(_home("XDG_CACHE_HOME", ".cache"))
    return Cache(None)


def _home(variable: str, below: str) -> Path:
    """Our folder among the user's. Raises RuntimeError if the user has none."""
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / below) / "glueprint"


def _is_ours_alone(folder: Path) -> bool:
    """Whether nobody but this user may write into a folder; one that is not there yet can become so."""
    if not hasattr(os, "geteuid"):  # Windows keeps a user's folders by other means
        return True
    try:
        state = folder.stat()
    except OSError:
        return False
    if state.st_uid == os.geteuid() and not state.st_mode & OTHERS_MAY_WRITE:
        return True
    warnings.warn(
        f"the cache {folder} is not used: others may write into it (chmod 700, or another GLUEPRINT_CACHE)",
        RuntimeWarning,
        stacklevel=2,
    )
    return False


def _seal(secret: bytes, name: str, content: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104) of a file's name and content."""
    return hmac.digest(secret, hashlib.sha256(name.encode()).digest() + content, "sha256")


def _secret() -> bytes | None:
    """The user's secret, made at the first call, readable to the user alone; None if none can be kept."""
    try:
        place = _home("XDG_STATE_HOME", ".local/state") / "cache-secret"
        with suppress(FileNotFoundError):
            return _kept_secret(place)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, path = tempfile.mkstemp(dir=place.parent, suffix=".part")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(SECRET_BYTES))
            with suppress(FileExistsError):  # another process was faster: its secret is the one
                os.link(path, place)
        finally:
            Path(path).unlink(missing_ok=True)
        return _kept_secret(place)
    except (OSError, RuntimeError):
        return None


def _kept_secret(place: Path) -> bytes | None:
    """What lies at `place`, if it is ours and nobody else can read or write it. Raises OSError."""
    content, state = read_plain(place, SECRET_BYTES + 1, ours=True), place.stat()
    if hasattr(os, "geteuid") and (state.st_uid != os.geteuid() or state.st_mode & 0o077):
        return None
    return content if len(content) == SECRET_BYTES else None
