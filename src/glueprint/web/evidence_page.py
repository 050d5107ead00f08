"""The evidence: searched by words, each claim with its source, conflicts side by side."""

from __future__ import annotations

from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from glueprint import evidence
from glueprint.web.render import page

__all__ = ["claim", "search"]

MOST_SHOWN, MOST_QUERY = 100, 200


@cache
def _searched() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Every claim as small letters to search in, and as a row."""
    rows = evidence.load().frame.to_dicts()
    return tuple(
        (" ".join(str(value) for value in row.values() if value is not None).lower(), row) for row in rows
    )


def search(request: Request) -> Response:
    """Claims that have all words of the query."""
    query = request.query_params.get("q", "")[:MOST_QUERY]
    words = query.lower().split()
    found = [row for text, row in _searched() if all(word in text for word in words)]
    return page(
        request,
        "evidence.html.j2",
        query=query,
        total=len(_searched()),
        count=len(found),
        rows=found[:MOST_SHOWN],
        conflicts=[] if words else evidence.load().conflicts(),
    )


def claim(request: Request) -> Response:
    """One claim with all its fields, and those it disagrees with."""
    claims = evidence.load()
    name = request.path_params["claim"]
    one = claims[name]
    against = [conflict for conflict in claims.conflicts() if name in {part.id for part in conflict.claims}]
    row = next(row for _, row in _searched() if row["id"] == one.id)
    return page(request, "claim.html.j2", claim=row, conflicts=against)
