"""The one envelope of `--json`, read and checked wherever a test asks a command for JSON."""

from __future__ import annotations

import json

FIELDS = ["schema", "version", "data", "findings"]


def envelope(text):
    """What a command printed, with every rule of docs/json.md checked."""
    read = json.loads(text)
    assert list(read) == FIELDS
    assert read["schema"].split(".")[0] == "glueprint"
    assert isinstance(read["version"], int)
    assert isinstance(read["findings"], list)
    assert all(isinstance(finding, dict) for finding in read["findings"])
    return read


def payload(text):
    """The answer of a command; of a mapping with its findings beside it."""
    read = envelope(text)
    data = read["data"]
    return {**data, "findings": read["findings"]} if isinstance(data, dict) else data


def refusal(text):
    """The error that a command wrote to standard error, which has no answer."""
    read = envelope(text.splitlines()[-1])
    assert (read["schema"], read["data"]) == ("glueprint.error", None)
    (error,) = read["findings"]
    assert error["severity"] == "error"
    return error
