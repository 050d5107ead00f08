"""Curves: batched dose-response regression, profile intervals, effect tests and the one `Potency` type."""

from __future__ import annotations

from glueprint.curves.fitting import MODELS, Fits, Status, fit
from glueprint.curves.potencies import absolute, relative
from glueprint.curves.potency import Potency, Reason, potencies_table

__all__ = ["MODELS", "Fits", "Potency", "Reason", "Status", "absolute", "fit", "potencies_table", "relative"]
