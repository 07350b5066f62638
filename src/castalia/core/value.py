"""The root of all values: immutable, and strict about its keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable value; unknown keys are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
