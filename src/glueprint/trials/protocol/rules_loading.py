"""Dose rules from TOML: those that come with the package by name, a user's own by path."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from glueprint.documents import Codes, is_file, parse, read, validate, write_new
from glueprint.errors import InputError, nearest
from glueprint.trials.protocol.rules_document import DoseRules
from glueprint.trials.protocol.rules_version_1 import DoseRulesVersion1

__all__ = [
    "NO_RULES",
    "available_rules",
    "load_rules",
    "rules_from_text",
    "rules_in_force",
    "rules_template",
    "rules_text",
    "rules_to_keep",
    "write_rules_template",
]

NO_RULES = "none"
TEMPLATE = "template"
CODES = Codes(
    unreadable="GP-T060",
    syntax="GP-T061",
    header="GP-T062",
    missing="GP-T063",
    unknown="GP-T064",
    wrong_type="GP-T065",
    field="GP-T066",
    help="`glueprint trial rules template` shows a whole file",
)


def _folder() -> Traversable:
    return resources.files("glueprint.trials.protocol") / "rules"


def available_rules() -> tuple[str, ...]:
    """Names of the rules that come with Glueprint."""
    names = (Path(item.name) for item in _folder().iterdir() if item.name.endswith(".toml"))
    return tuple(sorted(path.stem for path in names if path.stem != TEMPLATE))


def rules_text(name: str) -> str:
    """The file of rules that come with Glueprint. Raises InputError GP-T015 for an unknown name."""
    if name not in available_rules():
        raise _unknown(name)
    return (_folder() / f"{name}.toml").read_text("utf-8")


def rules_template() -> str:
    """A commented file of dose rules that loads; the text to start own rules from."""
    return (_folder() / f"{TEMPLATE}.toml").read_text("utf-8")


def write_rules_template(path: Path) -> None:
    """Write `rules_template()` to a new file.

    Raises InputError GP-T022 if the file exists, EnvironmentProblemError GP-T023 if it cannot be written.
    """
    write_new(path, rules_template(), exists="GP-T022", unwritable="GP-T023")


def load_rules(source: str | Path | DoseRules, folder: Path | None = None) -> DoseRules:
    """Dose rules by name or path, or as they are.

    source: a name out of `available_rules()`, the path of a TOML file, or rules that are loaded already.
    folder: what a path is relative to, such as that of the protocol; the working directory if None.
    Raises InputError GP-T015 (unknown name), GP-T060 (unreadable file), GP-T061 to GP-T067 (bad content).
    """
    if isinstance(source, DoseRules):
        return source
    if str(source) in available_rules():
        return _shipped(str(source))
    path = (folder or Path()) / source
    if path.suffix != ".toml" and not is_file(str(path)):
        raise _unknown(str(source))
    return _rules(read(path, CODES), where=str(path))


def rules_to_keep(rules: str, folder: Path | None = None) -> str | DoseRules:
    """What a protocol keeps of its field `rules`: the names of rules that come with Glueprint and "none",
    but the content of a file, which may change. Raises as `load_rules`."""
    return rules if rules == NO_RULES or rules in available_rules() else load_rules(rules, folder)


def rules_in_force(rules: str | DoseRules | None, folder: Path | None = None) -> DoseRules | None:
    """What the field `rules` of a drug says: None where the dose is fixed. Raises as `load_rules`."""
    return None if rules is None or rules == NO_RULES else load_rules(rules, folder)


def rules_from_text(text: str, *, where: str) -> DoseRules:
    """The rules written in `text`; `where` names the file in errors.

    Raises InputError GP-T061 to GP-T067.
    """
    return _rules(parse(text, CODES, where=where), where=where)


@lru_cache(maxsize=16)
def _shipped(name: str) -> DoseRules:
    return rules_from_text(rules_text(name), where=f"{name}.toml")


def _rules(data: dict[str, Any], *, where: str) -> DoseRules:
    if data.get("version") != 1:
        return validate(DoseRules, data, CODES, where=where)
    older = validate(DoseRulesVersion1, data, CODES, where=where)
    try:
        return older.newest()
    except ValidationError as error:
        # Version 1 did not compare its fields; the newest words name them by its own.
        raise InputError(
            "GP-T067",
            f"as version 2 these rules cannot be used: {error.errors()[0]['msg']}",
            where=where,
            expected="limits that agree, as `glueprint trial rules template` explains them",
            next_step="correct the numbers",
        ) from error


def _unknown(name: str) -> InputError:
    return InputError(
        "GP-T015",
        f'unknown dose rules "{name}"{nearest(name, (*available_rules(), NO_RULES))}',
        expected=f'one of {", ".join(available_rules())}, the path of a .toml file, or "{NO_RULES}" for a '
        "fixed dose",
        next_step="correct the name, or begin a file of your own with `glueprint trial rules template`",
    )
