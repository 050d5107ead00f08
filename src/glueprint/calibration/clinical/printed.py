"""What was published of a trial that the fit has read, to stand beside what is computed."""

from __future__ import annotations

from glueprint import evidence
from glueprint.calibration.clinical.result import fitted_trial
from glueprint.calibration.clinical.summaries import published
from glueprint.calibration.targets import clinical_targets
from glueprint.trials import Protocol, load_protocol

__all__ = ["printed"]


def printed(protocol: Protocol) -> dict[tuple[str, str], str]:
    """The published numbers of each arm (or "A vs B") and endpoint, in words; none for any other trial.

    Several sources, data cuts or readers give several numbers.
    """
    trial = fitted_trial(protocol)
    if trial is None:
        return {}
    # The same trial under another name may call its arms as it likes; they stand in the same order.
    names = zip(load_protocol(trial).arms, protocol.arms, strict=True)
    own = {known.name: arm.name for known, arm in names}
    return {
        (" vs ".join(own[arm] for arm in s.arm.split(" vs ")), s.endpoint): ", ".join(
            f"{value:g}" for value in dict.fromkeys(s.readings)
        )
        for s in published(clinical_targets(evidence.load()).targets)
        if s.trial == trial
    }
