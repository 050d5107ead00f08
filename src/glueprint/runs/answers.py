"""What a worker elsewhere answers, as data: JSON with a schema, read field by field and never as code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from glueprint import errors
from glueprint.errors import EnvironmentProblemError, GlueprintError
from glueprint.runs.units import Receipt, is_whole

__all__ = ["decode", "encode"]

MOST_BYTES = 16 * 1024 * 1024


def encode(answer: Any) -> bytes:
    """An answer as bytes: receipts, an error of ours, or what JSON holds.

    Raises TypeError for anything else.
    """
    return json.dumps(_content(answer)).encode()


def _content(answer: Any) -> dict[str, Any]:
    if isinstance(answer, Receipt):
        return {"receipt": asdict(answer)}
    if isinstance(answer, GlueprintError):
        return {"error": answer.as_dict(), "notes": getattr(answer, "__notes__", [])}
    if isinstance(answer, list) and any(isinstance(one, Receipt) for one in answer):
        return {"each": [_content(one) for one in answer]}
    return {"value": answer}


def decode(content: object) -> Any:
    """What `encode` was given; an error is returned and not raised.

    Raises EnvironmentProblemError GP-R021 for anything that it did not write.
    """
    try:
        if not isinstance(content, bytes) or len(content) > MOST_BYTES:
            raise ValueError(f"it is of kind {type(content).__name__}")
        return _decoded(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EnvironmentProblemError(
            "GP-R021",
            f"a worker answered what no worker of ours answers: {error}"[:300],
            where="executor dask",
            expected="receipts and errors as data",
            next_step="see that scheduler and workers are your own and have this version of Glueprint",
        ) from error


def _decoded(content: Mapping[str, Any]) -> Any:
    if "each" in content:
        return [_decoded(one) for one in content["each"]]
    if "receipt" in content:
        receipt = Receipt(**content["receipt"])
        if not is_whole(receipt):
            raise ValueError("a receipt that is none")
        return receipt
    if "error" in content:
        error = errors.from_dict(content["error"])
        for note in content["notes"]:
            error.add_note(str(note))
        return error
    return content["value"]
