"""What a kernel says of one element of an array, said of the row and column of the table it came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from glueprint.errors import InputError
from glueprint.survival._check import Integers
from glueprint.survival.request import Request

__all__ = ["said_of_rows"]

ELEMENT = re.compile(r"(?P<name>\w+)\[(?P<index>\d+)\]")


@contextmanager
def said_of_rows(request: Request, row: Integers) -> Iterator[None]:
    """Turn the place of a refused element into its place in the table.

    request: which column is what.   row: (n,) of the table, its header being row 1, of each element.
    Raises what is raised inside, an InputError at `switch[3]` as one at `row 17, column "crossed"`.
    """
    try:
        yield
    except InputError as error:
        found = ELEMENT.fullmatch(error.where)
        if not found or int(found["index"]) >= row.size:
            raise
        name = found["name"]
        column = request.event_column if name == "event" else getattr(request, name, None)
        where = f"row {int(row[int(found['index'])])}"
        where += f', column "{column}"' if isinstance(column, str) and column else f", {name}"
        said = {"where": where, "expected": error.expected, "next_step": error.next_step}
        raise InputError(error.code, error.message, **said) from error
