"""What lies in a project's folder: files by content, what is missing, given twice or named by nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from glueprint.assays.findings import Finding
from glueprint.runs.store import disk_errors
from glueprint.study.glue.project import RAW, Assay, Project, check_place
from glueprint.study.glue.steps import file_digest

__all__ = ["Survey", "survey"]


@dataclass(frozen=True)
class Survey:
    """The files of a project.

    digests: SHA-256 by name, of those that are there.   missing: named, and not there.
    assays: the entries to analyse, without what was given twice.   findings: what was noticed.
    """

    digests: Mapping[str, str]
    missing: tuple[str, ...]
    assays: tuple[Assay, ...]
    findings: tuple[Finding, ...]


def survey(project: Project) -> Survey:
    """Look at every file that a project names, and at those in raw/ that it does not name.

    Raises InputError GP-S024 for a path that leads out, and what `store.disk_errors` raises.
    """
    digests, missing = dict[str, str](), list[str]()
    with disk_errors(project.folder):
        for name in dict.fromkeys(project.files()):
            path = check_place(project.folder, name)
            if path.is_file():
                digests[name] = file_digest(path)
            else:
                missing.append(name)
    kept, twice = _once(project, digests)
    return Survey(digests, tuple(missing), kept, (*twice, *_unnamed(project)))


def _once(project: Project, digests: Mapping[str, str]) -> tuple[tuple[Assay, ...], tuple[Finding, ...]]:
    """The assays with each raw file once: the same bytes again are no second experiment."""
    first: dict[str, str] = {}
    kept, findings = list[Assay](), list[Finding]()
    for assay in project.assay:
        places = []
        for place, name in enumerate(assay.files):
            digest = digests.get(name)
            if digest is not None and digest in first:
                findings.append(_twice(assay, name, first[digest]))
                continue
            if digest is not None:
                first[digest] = f"{name} of {assay.name}"
            places.append(place)
        if places:
            files = tuple(assay.files[place] for place in places)
            boxes = tuple(assay.boxes[place] for place in places) if assay.boxes else ()
            kept.append(assay.model_copy(update={"files": files, "boxes": boxes}))
    return tuple(kept), tuple(findings)


def _twice(assay: Assay, name: str, earlier: str) -> Finding:
    return Finding(
        "GP-S032",
        "warning",
        f"{name} holds the same bytes as {earlier}, and is left out",
        where=f"assay {assay.name}",
        expected="each experiment once: a copy would count as a second measurement",
        next_step="name the file of the other experiment, or take the entry out",
    )


def _unnamed(project: Project) -> list[Finding]:
    """Files below raw/ that no entry names."""
    named = set(project.files())
    root = project.folder / RAW
    there = sorted(path.relative_to(project.folder).as_posix() for path in root.rglob("*") if path.is_file())
    return [
        Finding(
            "GP-S033",
            "warning",
            f"{name} is not read: no entry of the project names it",
            where="glue.toml",
            expected="an [[assay]] for every raw file",
            next_step="say what it is in an [[assay]], or move it out of the folder",
        )
        for name in there
        if name not in named
    ]
