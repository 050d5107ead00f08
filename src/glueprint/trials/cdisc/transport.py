"""SAS transport files, version 5, by pyreadstat: ours written here, others' read in a process apart."""

from __future__ import annotations

import io
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from glueprint.boundary import Ended, Helper, Limits
from glueprint.errors import InputError
from glueprint.trials.cdisc.datasets import Dataset

__all__ = ["in_child", "prepare", "read", "written"]

LIMITS = Limits(seconds=120, memory_mb=4096)
# What a transport file of version 5 can hold.
LONGEST_NAME, LONGEST_LABEL, LONGEST_TEXT = 8, 40, 200


def written(dataset: Dataset) -> bytes:
    """A dataset as a transport file.

    Raises InputError GP-T083 without pyreadstat, GP-T084 for what the format cannot hold.
    """
    for variable in dataset.variables:
        where = f"{dataset.name}.{variable.name}"
        if len(variable.name) > LONGEST_NAME or len(variable.label) > LONGEST_LABEL:
            raise _not_held(f"{where}: a name or label that is too long")
        texts = dataset.frame[variable.name].drop_nulls() if variable.type == "string" else ()
        wrong = next((text for text in texts if not text.isascii() or len(text) > LONGEST_TEXT), None)
        if wrong is not None:
            raise _not_held(f"{where}: {wrong[:60]!r}")
    labels = [variable.label for variable in dataset.variables]
    # A transport file knows no missing text: it is empty.
    frame = dataset.frame.with_columns(pl.col(pl.String).fill_null(""))
    return _content(frame, dataset.name, labels, dataset.label[:LONGEST_LABEL])


def _content(frame: pl.DataFrame, name: str, labels: list[str], label: str = "") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dataset.xpt"
        _pyreadstat().write_xport(
            frame,
            str(path),
            file_label=label,
            column_labels=labels,
            table_name=name,
            file_format_version=5,
        )
        return path.read_bytes()


def read(content: bytes) -> pl.DataFrame:
    """The table of a transport file.

    Raises InputError GP-T083 without pyreadstat, ValueError with the reason for what is no such file.
    """
    _pyreadstat()
    try:
        table, beside = _helper().ask(content, {})
    except Ended as ended:
        raise ValueError(f"a damaged transport file: {ended}") from ended
    if "error" in table:
        raise ValueError(f"no transport file: {table['error']}")
    return pl.read_ipc(io.BytesIO(beside))


def in_child(content: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The table as Arrow, or why there is none; called where it may crash."""
    del options
    library = _pyreadstat()
    try:
        frame, _ = library.read_xport(io.BytesIO(content), output_format="polars")
    except (library.ReadstatError, library.PyreadstatError, ValueError) as error:
        return {"error": str(error)[:200]}, b""
    stream = io.BytesIO()
    frame.write_ipc(stream)
    return {}, stream.getvalue()


def prepare() -> None:
    """Read something, so that all that is loaded at first use is loaded."""
    in_child(_content(pl.DataFrame({"A": [1.0], "B": ["b"]}), "A", ["", ""]), {})


@cache
def _helper() -> Helper:
    return Helper("glueprint.trials.cdisc.transport:in_child", LIMITS)


def _pyreadstat() -> ModuleType:
    try:
        return import_module("pyreadstat")
    except ImportError as problem:
        raise InputError(
            "GP-T083",
            "SAS transport files need the library pyreadstat",
            where="datasets of a trial",
            expected="pyreadstat beside Glueprint",
            next_step="pip install 'glueprint[cdisc]', or use Dataset-JSON",
        ) from problem


def _not_held(what: str) -> InputError:
    return InputError(
        "GP-T084",
        what,
        where="SAS transport, version 5",
        expected="names of 8, labels of 40 and texts of 200 characters at most, all ASCII",
        next_step="use --format dataset-json, which has no such limits",
    )
