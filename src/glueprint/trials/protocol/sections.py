"""What all parts of a protocol file share: frozen, no field ignored, no number without an origin."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

__all__ = ["Positive", "Provenance", "Section", "Share"]

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A part of the file: frozen, and no field is ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Provenance(Section):
    """Where a distribution comes from: evidence ids, or why it is assumed."""

    sources: tuple[str, ...] = ()
    assumed: str = ""

    @model_validator(mode="after")
    def _has_origin(self) -> Provenance:
        if not self.sources and not self.assumed.strip():
            raise PydanticCustomError(
                "GP-T013",
                "a distribution without an origin",
                {
                    "expected": 'sources = ["CL117"] (evidence ids) or assumed = "why"',
                    "next_step": "say where the numbers come from",
                },
            )
        return self
