"""What the benchmarks of damaged files share: many attempts, what is a failure, and the report."""

from __future__ import annotations

import json
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Failure", "attempts", "report"]

# From the generator of one mutation: the name of what is damaged, and the attempt, which gives its outcomes.
Mutation = Callable[[np.random.Generator], tuple[str, Callable[[], Iterable[str]]]]


@dataclass(frozen=True)
class Failure:
    """A mutation that ended in an exception without a code."""

    seed: int
    number: int
    subject: str
    exception: str


def attempts(files: int, seed: int, mutation: Mutation) -> tuple[Counter[str], list[Failure]]:
    """Outcomes by code, and failures, of many mutations; a warning counts as a failure."""
    counts: Counter[str] = Counter()
    failures = []
    for number in range(files):
        subject, attempt = mutation(np.random.default_rng((seed, number)))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                counts.update(attempt())
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            ours = [frame for frame in frames if "glueprint" in Path(frame.filename).parts] or frames
            place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
            told = f"{type(error).__name__}: {error} ({place})"
            failures.append(Failure(seed, number, subject, told[:300]))
    return counts, failures


def report(head: Mapping[str, Any], counts: Counter[str], failures: list[Failure], *, as_json: bool) -> None:
    """Print outcomes and failures, and exit with 1 if there are failures.

    head: files, seed, seconds and whatever else the JSON should begin with.
    """
    if as_json:
        found = {"outcomes": dict(counts.most_common()), "failures": [vars(failure) for failure in failures]}
        print(json.dumps({**head, **found}, indent=2))
    else:
        print(f"{head['files']} files in {head['seconds']:.0f} s, {len(failures)} failures")
        for code, count in counts.most_common():
            print(f"{count:7d}  {code}")
        for failure in failures:
            print(f"seed {failure.seed} number {failure.number} ({failure.subject}): {failure.exception}")
    sys.exit(1 if failures else 0)
