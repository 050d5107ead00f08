"""Write mm003.json: the outcomes of two virtual trials of MM-003, which both R and the tests read.

Run from the root of the repository: python tests/survival/reference/mm003.py
A later version of the mechanism gives other patients; R's numbers are of those in the file.
"""

from __future__ import annotations

import json
from pathlib import Path

from glueprint import trials


def columns(patients):
    """Both endpoints of one trial as plain lists; group 1 is the first arm."""
    arms = trials.load_protocol("mm003").arms
    shared = {
        "group": [int(arm == arms[0].name) for arm in patients["arm"]],
        "stratum": patients["stratum"].to_list(),
    }
    return [
        shared
        | {
            "endpoint": name,
            "months": patients[f"{name}_months"].to_list(),
            "event": [int(event) for event in patients[f"{name}_event"]],
        }
        for name in ("pfs", "os")
    ]


if __name__ == "__main__":
    result = trials.run("mm003", replicates=2, seed=20)
    sets = [
        one
        for _, patients in result.patients.group_by("replicate", maintain_order=True)
        for one in columns(patients)
    ]
    Path(__file__).with_suffix(".json").write_text(json.dumps(sets) + "\n", encoding="utf-8")
