"""`glueprint doctor`: whether this machine has what Glueprint needs, each finding with its remedy."""

from __future__ import annotations

import locale
import math
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import typer

import glueprint
from glueprint.cli.output import Json, print_json, print_table

__all__ = ["CHECKS", "Check", "app"]

app = typer.Typer(add_completion=False)

GOOD, WARNING, PROBLEM = "ok", "warning", "problem"
# A study of 200 trials keeps less than this.
LEAST_FREE_GB = 2.0
NAME = re.compile(r"[\w.-]+")
# Ends of what is allowed, as in numpy<3,>=2.0; below and above it.
LEAST, BELOW = re.compile(r">=([\d.]+)"), re.compile(r"<([\d.]+)")
EXTRA = re.compile(r"extra\s*==\s*['\"]([a-z]+)['\"]")


@dataclass(frozen=True)
class Check:
    """One finding. status: "ok", "warning" or "problem".   remedy: what to do, empty where all is well."""

    what: str
    status: str
    found: str
    remedy: str = ""


@app.command(name="doctor")
def command(as_json: Json = False) -> None:
    """Check versions, processor, compiler, folders, figures, posteriors and text; 1 for a problem."""
    found = [check for look in CHECKS for check in _seen(look)]
    if as_json:
        amiss = [asdict(check) for check in found if check.status != GOOD]
        print_json([asdict(check) for check in found], findings=amiss)
    else:
        rows = [(c.what, c.status, c.found, c.remedy) for c in found]
        print_table("This machine", ("what", "status", "found", "remedy"), rows)
    if any(check.status == PROBLEM for check in found):
        raise typer.Exit(1)


def _seen(look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """What a check finds; one that fails is a problem and not the end of the others."""
    try:
        yield from look()
    except Exception as error:  # whatever a broken installation raises is the finding
        name = look.__name__.strip("_").replace("_", " ")
        yield Check(name, PROBLEM, f"{type(error).__name__}: {error}"[:200], "install Glueprint anew")


def _versions() -> Iterator[Check]:
    python = platform.python_version()
    yield Check("glueprint", GOOD, f"{glueprint.__version__}, Python {python}, {platform.platform()}")
    for text in metadata.requires("glueprint") or ():
        name = NAME.match(text)[0]  # type: ignore[index]
        least, below = (end.search(text.partition(";")[0]) for end in (LEAST, BELOW))
        extra = EXTRA.search(text)
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            if extra is None:
                yield Check(name, PROBLEM, "not installed", f"pip install {name}")
            elif extra.group(1) != "test":
                command = f"pip install 'glueprint[{extra.group(1)}]'"
                yield Check(name, GOOD, "not installed, which is optional", f"if you need it: {command}")
            continue
        if least and _numbers(version) < _numbers(least[1]):
            yield Check(name, PROBLEM, f"{version}, below {least[1]}", f"pip install '{name}>={least[1]}'")
        elif below and _numbers(version) >= _numbers(below[1]):
            yield Check(name, PROBLEM, f"{version}, not below {below[1]}", f"pip install '{name}<{below[1]}'")
        elif extra is None or extra.group(1) != "test":
            yield Check(name, GOOD, version)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _processor() -> Iterator[Check]:
    from glueprint.formulas import compiler

    host = compiler.host()
    lanes = f"{host.cpu}, {os.cpu_count()} cores, {host.width} patients at a time on each"
    slow = "results are the same, only slower" if host.width < 4 else ""
    yield Check("processor", GOOD if host.width >= 4 else WARNING, lanes, slow)


def _compiler() -> Iterator[Check]:
    from glueprint import engine

    model = engine.compile("species A = 1; A -> ; k*A; k = 0.1")
    last = float(model.ensemble(patients=1).simulate([10.0], outputs=["A"]).values[0, -1, 0])
    right = abs(last - math.exp(-1.0)) < 1e-4
    said = f"a decay of one life leaves {last:.6f}"
    yield Check(
        "compiler",
        GOOD if right else PROBLEM,
        said,
        "" if right else f"report it: {math.exp(-1.0):.6f} is right",
    )


def _places() -> Iterator[Check]:
    from glueprint.formulas.cache import default_cache

    folder = default_cache().folder
    if folder is None:
        yield Check(
            "cache", WARNING, "none", "set GLUEPRINT_CACHE to a folder, or models are compiled each time"
        )
    else:
        yield _place("cache", folder, "set GLUEPRINT_CACHE to a folder of yours alone (chmod 700)")
    yield _place("working folder", Path.cwd(), "change to a folder that you may write into")
    yield _place("temporary files", Path(tempfile.gettempdir()), "set TMPDIR to a folder with room")


def _place(what: str, folder: Path, remedy: str) -> Check:
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return Check(what, PROBLEM, f"{folder} cannot be written", remedy)
    free = shutil.disk_usage(there).free / 1e9
    if free < LEAST_FREE_GB:
        return Check(
            what, WARNING, f"{folder}, {free:.1f} GB free", f"make room: a study wants {LEAST_FREE_GB:g} GB"
        )
    return Check(what, GOOD, f"{folder}, {free:.0f} GB free")


def _figures() -> Iterator[Check]:
    import altair as alt

    from glueprint.report.figures import drawing

    chart = alt.Chart(alt.InlineData(values=[{"x": 1}])).mark_point().encode(x="x:Q")
    drawn = len(drawing.WRITERS[".png"](chart))
    yield Check("figures", GOOD, f"a picture of {drawn} bytes")


def _posteriors() -> Iterator[Check]:
    from glueprint.calibration import clinical, in_vitro

    found = {"in vitro": in_vitro.posterior().status}
    found |= {name: clinical.posterior(name).status for name in clinical.STRUCTURES}
    stale = [name for name, status in found.items() if status != "ok"]
    if stale:
        said = f"{', '.join(stale)}: not of these claims and priors"
        yield Check("posteriors", PROBLEM, said, "install Glueprint anew: files of its package were changed")
    else:
        yield Check("posteriors", GOOD, ", ".join(found))


def _text() -> Iterator[Check]:
    encoding = (sys.stdout.encoding or "none").lower()
    said = (
        f"output {encoding}, files {sys.getfilesystemencoding()}, {locale.setlocale(locale.LC_CTYPE, None)}"
    )
    if encoding.replace("-", "") == "utf8":
        yield Check("text", GOOD, said)
    else:
        yield Check("text", WARNING, said, "set PYTHONUTF8=1: other letters are shown as escapes")


CHECKS: tuple[Callable[[], Iterator[Check]], ...] = (
    _versions,
    _processor,
    _compiler,
    _places,
    _figures,
    _posteriors,
    _text,
)
