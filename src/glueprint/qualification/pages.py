"""The report of a qualification: an HTML page for people and a JSON file for machines, of one content."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from glueprint.qualification.contract import STAGES, Qualification
from glueprint.runs.store import write_file

__all__ = ["JSON", "PAGE", "write"]

JSON, PAGE = "qualification.json", "qualification.html"


def write(found: Qualification, folder: str | Path) -> tuple[Path, Path]:
    """Both files in a folder, made if absent; the page names the SHA-256 of the other file.

    Raises EnvironmentProblemError GP-R007 if the folder cannot be written.
    """
    text = json.dumps(found.as_dict(), indent=1, ensure_ascii=False) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    environment = Environment(
        loader=PackageLoader("glueprint.qualification", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    page = environment.get_template("qualification.html.j2").render(
        found=found, stages=STAGES, digest=digest, file=JSON
    )
    place = Path(folder)
    paths = place / JSON, place / PAGE
    for path, content in zip(paths, (text, page), strict=True):
        write_file(path, content.encode())
    return paths
