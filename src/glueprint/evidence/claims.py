"""All claims together: look up, select, tabulate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from glueprint.errors import InputError, nearest
from glueprint.evidence import tables
from glueprint.evidence.claim import COLUMNS, Claim

if TYPE_CHECKING:
    from glueprint.evidence.conflicts import Conflict

__all__ = ["Claims"]


class Claims:
    """A frozen collection of claims in the order they were read."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self._claims = tuple(claims)
        self._by_id = {claim.id: claim for claim in self._claims}

    def __len__(self) -> int:
        return len(self._claims)

    def __iter__(self) -> Iterator[Claim]:
        return iter(self._claims)

    def __contains__(self, claim_id: object) -> bool:
        return claim_id in self._by_id

    def __repr__(self) -> str:
        return f"Claims({len(self)})"

    def __getitem__(self, claim_id: str) -> Claim:
        """The claim with this id; InputError GP-E001 if there is none."""
        try:
            return self._by_id[claim_id]
        except KeyError:
            parts = ", ".join(claim.id for claim in self.parts(claim_id))
            hint = f"; it is split into {parts}" if parts else nearest(claim_id, self._by_id)
            raise InputError(
                "GP-E001",
                f'no claim "{claim_id}"{hint}',
                expected="the id of a claim",
                next_step="list the ids with `glueprint evidence list`",
            ) from None

    def parts(self, claim_id: str) -> tuple[Claim, ...]:
        """The claim with this id, or the parts of a split row: "CL032" gives CL032a and CL032b."""
        if claim_id in self._by_id:
            return (self._by_id[claim_id],)
        pattern = re.compile(re.escape(claim_id) + "[a-z]")
        return tuple(claim for claim in self._claims if pattern.fullmatch(claim.id))

    @cached_property
    def frame(self) -> pl.DataFrame:
        """All claims as a polars table, one row a claim, in the columns of the schema."""
        schema: dict[str, type[pl.DataType]] = dict.fromkeys(COLUMNS, pl.String)
        schema.update(value=pl.Float64, low=pl.Float64, high=pl.Float64, n=pl.Int64)
        rows = [{key: row[key] for key in COLUMNS} for row in map(asdict, self._claims)]
        return pl.DataFrame(rows, schema=schema)

    def table(self, name: str) -> pl.DataFrame:
        """A table of the guide, one row a cell, in the guide's own order, with the claim ids beside.

        name: "guide-1" to "guide-5".   Raises InputError GP-E002 for any other name.
        """
        return tables.table(self._claims, name)

    def select(self, **wanted: str) -> Claims:
        """The claims whose columns have the wanted words; case, spaces and punctuation do not matter.

        Example: select(trial="mm003", arm="pom-dex", role="calibration").
        Raises InputError GP-E010 for a name that is not a column.
        """
        for column in wanted:
            if column not in COLUMNS:
                raise InputError(
                    "GP-E010",
                    f'claims have no column "{column}"{nearest(column, COLUMNS)}',
                    expected=", ".join(COLUMNS),
                    next_step="select by one of these columns",
                )
        plain = {column: _plain(word) for column, word in wanted.items()}
        return Claims(
            [
                claim
                for claim in self._claims
                if all(_plain(_cell(claim, column)) == word for column, word in plain.items())
            ]
        )

    def originals(self) -> Claims:
        """The claims without those that only repeat another one (`same_as`)."""
        return Claims([claim for claim in self._claims if not claim.same_as])

    def conflicts(self) -> list[Conflict]:
        """What the claims say differently about one thing, side by side."""
        # Late, because the checks are written over Claims.
        from glueprint.evidence.conflicts import find

        return find(self)


def _cell(claim: Claim, column: str) -> str:
    value = getattr(claim, column)
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _plain(word: str) -> str:
    plain = re.sub(r"[^\w.+()<>=-]", "", word.lower()).replace("-", "").replace("_", "")
    # A word of punctuation alone must not turn into the empty word, which empty cells have.
    return plain or word.strip()
