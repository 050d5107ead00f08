"""What an independent review is sent: the samples, measured again by a central laboratory, and documents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct.records import Assessments
from glueprint.trials.patients import Population, Stream
from glueprint.trials.protocol import Measurement

__all__ = ["DOCUMENTED_SHARE", "ReviewFiles", "central_laboratory", "files_for_review"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Share of the progressions without M-protein that left an image, a biopsy or a calcium value for others to
# read.
DOCUMENTED_SHARE = 0.9  # assumed: most, since the medians by both readings lie near each other (CL008, CL014)


@dataclass(frozen=True)
class ReviewFiles:
    """The files of n patients: (n, k) M-protein by the central laboratory, g/L, at each disease assessment,
    and (n,) whether a progression without M-protein left a document."""

    m_protein_g_per_l: Floats
    documented: Bools


def files_for_review(
    error: Measurement, people: Population, stream: Stream, seen: Assessments
) -> ReviewFiles:
    """The files of all patients; seen: all disease assessments of the replicate."""
    true = seen.true_m_protein_g_per_l
    normal = stream.normals("central laboratory", people.number, 2 * true.shape[1])
    uniform = stream.uniforms("documented progression", people.number)[:, 0]
    return ReviewFiles(central_laboratory(true, error, normal), uniform < DOCUMENTED_SHARE)


def central_laboratory(true_g_per_l: Floats, error: Measurement, normal: Floats) -> Floats:
    """M-protein as a central laboratory measures the same samples, with the size of error of the trial's own.

    true_g_per_l: (n, k).   normal: (n, 2 k) standard normal numbers.
    """
    proportional, additive = normal[:, 0::2], normal[:, 1::2]
    measured = true_g_per_l * (1.0 + error.m_protein_cv * proportional)
    return np.maximum(measured + error.m_protein_sd_g_per_l * additive, 0.0)
