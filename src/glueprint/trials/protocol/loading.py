"""Protocols from TOML: those that come with the package by name, a user's own by path."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from glueprint.documents import Codes, parse, read, validate, write_new
from glueprint.errors import GlueprintError, InputError, nearest, together
from glueprint.trials.protocol.checks import check_protocol
from glueprint.trials.protocol.document import Protocol, with_follow_up
from glueprint.trials.protocol.extending import extended
from glueprint.trials.protocol.regimen_rules import read_rules

__all__ = ["available", "load_protocol", "protocol_from_text", "source", "template", "write_template"]

CODES = Codes(
    unreadable="GP-T014",
    syntax="GP-T002",
    header="GP-T003",
    missing="GP-T004",
    unknown="GP-T005",
    wrong_type="GP-T006",
    field="GP-T007",
    help="`glueprint trial template` shows a whole file",
)


def available() -> tuple[str, ...]:
    """Names of the protocols that come with Glueprint."""
    folder = resources.files("glueprint.trials.protocol") / "protocols"
    names = (Path(item.name) for item in folder.iterdir() if item.name.endswith(".toml"))
    return tuple(sorted(path.stem for path in names if path.stem != "template"))


def template() -> str:
    """A commented protocol file that loads and runs; the text to start an own trial from."""
    return (resources.files("glueprint.trials.protocol") / "protocols" / "template.toml").read_text("utf-8")


def source(name: str) -> str:
    """The text of the file of a protocol that comes with Glueprint. Raises InputError GP-T001."""
    if name not in available():
        raise _unknown(name)
    return (resources.files("glueprint.trials.protocol") / "protocols" / f"{name}.toml").read_text("utf-8")


def _unknown(text: str) -> InputError:
    return InputError(
        "GP-T001",
        f'unknown trial "{text}"{nearest(text, available())}',
        expected=f"one of {', '.join(available())}, or the path of a .toml file",
        next_step="see `glueprint trial list`; `glueprint trial template` writes a file to start from",
    )


def write_template(path: Path) -> None:
    """Write `template()` to a new file.

    Raises InputError GP-T022 if the file exists, EnvironmentProblemError GP-T023 if it cannot be written.
    """
    write_new(path, template(), exists="GP-T022", unwritable="GP-T023")


def load_protocol(name_or_path: str | Path) -> Protocol:
    """The protocol of this name, or the one in this TOML file.

    name_or_path: a name out of `available()`, or a path ending in .toml.
    Raises InputError GP-T001 (unknown name), GP-T014 (unreadable file), GP-T002 to GP-T013 (bad content),
    GP-T060 to GP-T067 (bad files of dose rules that it names), and what `check_protocol` raises.

    >>> [arm.patients for arm in load_protocol("mm003").arms]
    [302, 153]
    """
    text = str(name_or_path)
    if text in available():
        return protocol_from_text(source(text), where=f"{text}.toml")
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.is_file():
        raise _unknown(text)
    return _protocol(read(path, CODES), where=text, folder=path.parent)


def protocol_from_text(text: str, *, where: str, folder: Path | None = None) -> Protocol:
    """The protocol written in `text`; `where` names the file in errors.

    folder: where relative paths in it begin, here if None.
    Raises InputError GP-T002 to GP-T013.
    """
    return _protocol(parse(text, CODES, where=where), where=where, folder=folder)


def _tables(name_or_path: str, folder: Path | None) -> tuple[dict[str, Any], Path | None, str]:
    """The tables of the protocol that another extends, the folder of its file, and its place in messages."""
    if name_or_path in available():
        return parse(source(name_or_path), CODES, where=f"{name_or_path}.toml"), None, f"{name_or_path}.toml"
    path = (folder or Path()) / name_or_path
    if path.suffix != ".toml" and not path.is_file():
        raise _unknown(name_or_path)
    return read(path, CODES), path.parent, str(path)


def _protocol(data: dict[str, Any], *, where: str, folder: Path | None) -> Protocol:
    findings: list[GlueprintError] = []
    data = with_follow_up(extended(data, where, folder, _tables, findings))
    try:
        protocol = validate(Protocol, data, CODES, where=where, context={"folder": folder})
        protocol = read_rules(protocol, where, folder)
        check_protocol(protocol, where)
    except GlueprintError as error:
        if where not in error.where:
            error.add_note(f"A file that {where} names.")
        if not findings:
            raise
        findings.append(error)
    if findings:
        raise together(findings)
    return protocol
