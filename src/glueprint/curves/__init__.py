"""Curves: batched dose-response regression, profile intervals, effect tests and the one `Potency` type."""

from __future__ import annotations

from glueprint.curves.confined import Plateau
from glueprint.curves.discovery import Discoveries, adjusted, discover
from glueprint.curves.evidence import Comparison
from glueprint.curves.fitting import fit
from glueprint.curves.models import MODELS, Model, Parameter
from glueprint.curves.models.own import model_from_formula
from glueprint.curves.pooling import PooledPotency, pool
from glueprint.curves.potencies import absolute, relative
from glueprint.curves.potency import Potency, Reason, potencies_table
from glueprint.curves.result import Fits
from glueprint.curves.shared import compare
from glueprint.curves.status import Status
from glueprint.curves.table_fit import fit_table

__all__ = [
    "MODELS",
    "Comparison",
    "Discoveries",
    "Fits",
    "Model",
    "Parameter",
    "Plateau",
    "PooledPotency",
    "Potency",
    "Reason",
    "Status",
    "absolute",
    "adjusted",
    "compare",
    "discover",
    "fit",
    "fit_table",
    "model_from_formula",
    "pool",
    "potencies_table",
    "relative",
]
