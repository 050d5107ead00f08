"""Datasets in files: Dataset-JSON 1.1 and SAS transport version 5, with a Define-XML that describes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

import glueprint
from glueprint.boundary import inert, read_plain, read_text
from glueprint.errors import InputError
from glueprint.runs.store import write_file
from glueprint.trials.cdisc import transport
from glueprint.trials.cdisc.datasets import TYPES, Dataset, Variable
from glueprint.trials.cdisc.define import define_xml
from glueprint.trials.spreadsheets import check_form

__all__ = ["FORMATS", "read", "write"]

VERSION = "1.1.0"
LARGEST_BYTES = 500_000_000


def write(
    datasets: Iterable[Dataset], folder: Path, form: str, *, created: datetime | None = None
) -> list[Path]:
    """Write datasets to a folder, with define.xml beside them.

    form: a key of FORMATS.   created: time of creation, now by default.
    Returns the files.
    Raises InputError GP-T082 (form), GP-T083 (no library for transport files), GP-T084 (a value that the form
    cannot hold), and what `runs.store.write_file` raises.
    """
    check_form(form, FORMATS, "datasets")
    suffix, content = FORMATS[form]
    when = (created or datetime.now(UTC)).replace(microsecond=0)
    listed, written = tuple(datasets), []
    for dataset in listed:
        target = folder / f"{dataset.name.lower()}{suffix}"
        write_file(target, content(dataset, when))
        written.append(target)
    target = folder / "define.xml"
    write_file(target, define_xml(listed, when, suffix))
    return [*written, target]


def dataset_json(dataset: Dataset, created: datetime) -> str:
    """A dataset as CDISC Dataset-JSON 1.1.

    Source: CDISC Dataset-JSON v1.1, 2024-12-05.
    """
    columns = [
        {
            "itemOID": f"IT.{dataset.name}.{variable.name}",
            "name": variable.name,
            "label": variable.label,
            "dataType": variable.type,
            **_length(dataset.frame[variable.name], variable),
            **(
                {"keySequence": dataset.keys.index(variable.name) + 1}
                if variable.name in dataset.keys
                else {}
            ),
        }
        for variable in dataset.variables
    ]
    study = dataset.frame["STUDYID"][0] if dataset.frame.height else ""
    about = {
        "datasetJSONCreationDateTime": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "datasetJSONVersion": VERSION,
        "originator": "Glueprint",
        "sourceSystem": {"name": "Glueprint", "version": glueprint.__version__},
        **(
            {"studyOID": study, "metaDataVersionOID": f"MDV.{study}", "metaDataRef": "define.xml"}
            if study
            else {}
        ),
        "itemGroupOID": f"IG.{dataset.name}",
        "records": dataset.frame.height,
        "name": dataset.name,
        "label": dataset.label,
        "columns": columns,
        "rows": [list(row) for row in dataset.frame.iter_rows()],
    }
    return json.dumps(about, ensure_ascii=False, allow_nan=False) + "\n"


def _length(column: pl.Series, variable: Variable) -> dict[str, int]:
    if variable.type != "string":
        return {}
    return {"length": max(1, int(column.str.len_chars().max() or 1))}  # type: ignore[arg-type]


def _comma_separated(dataset: Dataset, _created: datetime) -> str:
    texts = pl.col(pl.String).map_elements(inert, return_dtype=pl.String)
    return dataset.frame.with_columns(texts).write_csv()


def _transport(dataset: Dataset, _created: datetime) -> bytes:
    return transport.written(dataset)


FORMATS: Mapping[str, tuple[str, Callable[[Dataset, datetime], str | bytes]]] = {
    "dataset-json": (".json", dataset_json),
    "xpt": (".xpt", _transport),
    "csv": (".csv", _comma_separated),
}


def read(path: str | Path) -> pl.DataFrame:
    """The table of a Dataset-JSON or transport file.

    Raises InputError GP-T083 (transport files cannot be read here) or GP-T085 (no such dataset).
    """
    file = Path(path)
    try:
        if file.suffix.lower() == ".xpt":
            return transport.read(read_plain(file, LARGEST_BYTES))
        about: dict[str, Any] = json.loads(read_text(file))
        if not str(about["datasetJSONVersion"]).startswith("1.1"):
            raise ValueError(f"version {about['datasetJSONVersion']}")
        schema = {column["name"]: TYPES.get(column["dataType"], pl.String) for column in about["columns"]}
        # A cell that holds tables in tables takes polars gigabytes to refuse.
        if any(isinstance(cell, dict | list) for row in about["rows"] for cell in row):
            raise ValueError("a cell that is a table or a list")
        frame = pl.DataFrame(about["rows"], schema=schema, orient="row", strict=True)
        if frame.height != about["records"]:
            raise ValueError(f"{frame.height} rows where {about['records']} are said")
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
        RecursionError,
        pl.exceptions.PolarsError,
    ) as problem:
        reason = f"no field {problem}" if isinstance(problem, KeyError) else str(problem).splitlines()[0]
        raise _no_dataset(file, reason) from problem
    return frame


def _no_dataset(file: Path, reason: str) -> InputError:
    return InputError(
        "GP-T085",
        reason[:200],
        where=str(file),
        expected="a dataset in Dataset-JSON 1.1 or SAS transport",
        next_step="check that it is the right file",
    )
