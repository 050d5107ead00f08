"""What published prognosis says of covariates and of trials, before any patient model reads it."""

from glueprint.calibration.prognosis.contrasts import Contrast, contrasts, left_out
from glueprint.calibration.prognosis.effects import Prognosis, prognosis

__all__ = ["Contrast", "Prognosis", "contrasts", "left_out", "prognosis"]
