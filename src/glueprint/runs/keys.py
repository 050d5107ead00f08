"""Ed25519 keys: a private one that signs, and the file of those whose signatures a reader trusts.

The arithmetic is that of the package `cryptography`, which is imported where a key is used.
"""

from __future__ import annotations

import stat
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from glueprint.boundary import files, read_text
from glueprint.errors import EnvironmentProblemError, InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = ["are_checked", "is_made_by", "private", "public_text", "trusted"]

MOST_BYTES = 100_000
PEM = b"-----BEGIN"
OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"
HOW = "ssh-keygen -t ed25519 -f mykey"


def private(path: Path, passphrase: str | None = None) -> Ed25519PrivateKey:
    """The key in a file of OpenSSH or in PEM (PKCS 8).

    Raises InputError GP-R025 if it is no such key or its passphrase is another, GP-R026 if others than its
    owner may read it, EnvironmentProblemError GP-R024 without `cryptography`.
    """
    _needed()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    secret = passphrase.encode() if passphrase else None
    try:
        content = files.read_plain(path, MOST_BYTES, ours=True)
        _refuse_shared(path)
        load = load_ssh_private_key if content.startswith(OPENSSH) else load_pem_private_key
        key = load(content, secret)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _no_key(path, str(getattr(error, "strerror", None) or error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, "a key of another kind")
    return key


def are_checked() -> bool:
    """Whether signatures can be checked on this installation."""
    return find_spec("cryptography") is not None


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half, as OpenSSH writes it, without a comment."""
    return _as_text(key.public_key())


def is_made_by(key: str, signature: bytes, content: bytes) -> bool:
    """Whether `signature` is that of `content` by the private half of a public key.

    Raises EnvironmentProblemError GP-R024 without `cryptography`.
    """
    _needed()
    from cryptography.exceptions import InvalidSignature

    try:
        _public(key.encode()).verify(signature, content)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def trusted(path: Path) -> dict[str, str]:
    """Public keys in a file of trusted ones -> what the reader calls their owners.

    A line each, as in a .pub file of OpenSSH: "ssh-ed25519 AAAA... name"; or one public key in PEM, which is
    called by the file's name.   Raises InputError GP-R027 for anything else, EnvironmentProblemError GP-R024
    without `cryptography`.
    """
    _needed()
    try:
        text = read_text(path)
        found = _of_lines(text, path.stem)
        if not found:
            raise ValueError("it holds no key")
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            "GP-R027",
            f"holds no trusted keys: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            expected='lines such as "ssh-ed25519 AAAA... Ada Lovelace", as in the .pub file of a key',
            next_step="collect the .pub files of those whom you trust in one file",
        ) from error
    return found


def _of_lines(text: str, name: str) -> dict[str, str]:
    if text.lstrip().startswith(PEM.decode()):
        return {_as_text(_public(text.encode())): name}
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = line.split(maxsplit=2)
        if len(parts) < 3:
            raise ValueError(f"line {number} has no name after its key")
        try:
            key = _as_text(_public(" ".join(parts[:2]).encode()))
        except (ValueError, TypeError) as error:
            raise ValueError(f"line {number} is no Ed25519 key") from error
        if found.setdefault(key, parts[2]) != parts[2]:
            raise ValueError(f"line {number} names a key a second time")
    return found


def _public(content: bytes) -> Ed25519PublicKey:
    """Raises ValueError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key, load_ssh_public_key

    load = load_pem_public_key if content.lstrip().startswith(PEM) else load_ssh_public_key
    try:
        key = load(content)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("it is a key of another kind")
    return key


def _as_text(key: Ed25519PublicKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def _refuse_shared(path: Path) -> None:
    """A key that others can read signs for them, too. Windows has no such bits."""
    if sys.platform != "win32" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(
            "GP-R026",
            "others may read this key, so that it says nothing of who signs",
            where=str(path),
            expected="a private key that its owner alone may read",
            next_step=f"chmod 600 {path}, or make a new key: {HOW}",
        )


def _no_key(path: Path, why: str) -> InputError:
    return InputError(
        "GP-R025",
        f"is no private Ed25519 key that can be used: {why}",
        where=str(path),
        expected="a key file of OpenSSH, or PEM (PKCS 8)",
        next_step=f"--passphrase asks for the key's passphrase; to make a key: {HOW}",
    )


def _needed() -> None:
    if not are_checked():
        raise EnvironmentProblemError(
            "GP-R024",
            "signatures need the package cryptography, which is not installed",
            expected="Glueprint with its extra for signatures",
            next_step='pip install "glueprint[sign]"',
        )
