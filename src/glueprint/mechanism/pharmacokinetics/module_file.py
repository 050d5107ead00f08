"""The file of a user's own module: read from beside the compound's file and from nowhere else."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from glueprint.boundary import read_text
from glueprint.errors import InputError

__all__ = ["with_module"]

LARGEST_BYTES = 100_000  # far above any model of pharmacokinetics


def with_module(data: dict[str, Any], compound_file: Path) -> dict[str, Any]:
    """A compound's tables with the text of the module that [pk] names, so that nothing is read later.

    data: the tables of the compound's file, which stay as they are.   compound_file: its path.
    Raises InputError GP-M107 for a module that is not a readable `.ant` file in the same folder or below it,
    and for a file that gives both a module's name and its text.
    """
    pk = data.get("pk")
    if not isinstance(pk, dict) or not isinstance(pk.get("module"), str):
        return data
    if "module_text" in pk:
        raise _refusal(compound_file, "both module and module_text are given", "one of both")
    name = pk["module"]
    path = _inside(name, compound_file)
    if path is None:
        raise _refusal(compound_file, f'"{name}" is no .ant file in its folder', "a name such as my_pk.ant")
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise _refusal(compound_file, f'"{name}" is too large', f"at most {LARGEST_BYTES} bytes")
        text = read_text(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _refusal(compound_file, f'"{name}" cannot be read: {reason}', "a readable text file") from error
    return data | {"pk": pk | {"module_text": text}}


def _inside(name: str, compound_file: Path) -> Path | None:
    """The module's path, None where it leads out of the compound's folder or is no .ant file."""
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or not name.endswith(".ant"):
        return None
    folder = compound_file.parent.resolve()
    try:
        path = (folder / name).resolve()
    except ValueError:  # a character that no path can have
        return None
    return path if path.is_relative_to(folder) else None


def _refusal(compound_file: Path, message: str, expected: str) -> InputError:
    return InputError(
        "GP-M107",
        message,
        where=f"{compound_file}, pk.module",
        expected=expected,
        next_step="put the module beside the compound's file and give its name, or its text as module_text",
    )
