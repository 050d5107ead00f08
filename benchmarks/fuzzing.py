"""What the benchmarks of damaged files share: many attempts, what is a failure, and the report."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Failure", "Outcomes", "arguments", "attempts", "conduct", "report"]

# From the generator of one mutation: the name of what is damaged, and the attempt, which gives its outcomes.
Mutation = Callable[[np.random.Generator], tuple[str, Callable[[], Iterable[str]]]]


@dataclass(frozen=True)
class Failure:
    """A mutation that ended in an exception without a code."""

    seed: int
    number: int
    subject: str
    exception: str


# Outcomes by code, and failures.
Outcomes = tuple[Counter[str], list[Failure]]


def arguments(about: str | None, files: int) -> argparse.ArgumentParser:
    """The options that every such benchmark has; `files` if none are asked for."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=files)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser


def conduct(options: argparse.Namespace, run: Callable[[], Outcomes], **head: Any) -> None:
    """Run, and report with the time it took; head: whatever else the JSON should begin with."""
    start = time.perf_counter()
    counts, failures = run()
    seconds = round(time.perf_counter() - start, 1)
    about = {"files": options.files, "seed": options.seed, **head, "seconds": seconds}
    report(about, counts, failures, as_json=options.json)


def attempts(files: int, seed: int, mutation: Mutation) -> Outcomes:
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
