"""The trial model fitted to the published summaries of the reference's trials.

`calibrate` finds draws of the free parameters; `posterior` gives those that come with Glueprint; their
`for_trial` is what `trials.run(..., draws=...)` takes. Numbers of these trials are calibrated, those of any
other trial are predicted.
"""

from glueprint.calibration.clinical.calibrating import calibrate, usual_effort
from glueprint.calibration.clinical.fitting import FULL, LONG, QUICK, SMALL, Effort
from glueprint.calibration.clinical.parameters import SCOPES, STRUCTURES, free
from glueprint.calibration.clinical.printed import printed
from glueprint.calibration.clinical.result import ClinicalPosterior, fitted_trial, label_of
from glueprint.calibration.clinical.stored import SHIPPED, load, posterior, save

__all__ = [
    "FULL",
    "LONG",
    "QUICK",
    "SCOPES",
    "SHIPPED",
    "SMALL",
    "STRUCTURES",
    "ClinicalPosterior",
    "Effort",
    "calibrate",
    "fitted_trial",
    "free",
    "label_of",
    "load",
    "posterior",
    "printed",
    "save",
    "usual_effort",
]
