"""Protocols from TOML: those that come with the package by name, a user's own by path.

Whatever is wrong with a file becomes one InputError that names the file, the field, what was expected and the
next step; several findings are listed together.
"""

from __future__ import annotations

import json
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from glueprint.errors import EnvironmentProblemError, InputError, nearest
from glueprint.trials.checks import check_protocol
from glueprint.trials.protocol import Protocol

__all__ = ["available", "load_protocol", "protocol_from_text", "template", "write_template"]

KIND = "glueprint-trial"
VERSION = 1
LINE = re.compile(r"at line (\d+), column (\d+)")
TYPES = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "string_pattern_mismatch": "a name of small letters, digits, - and _",
}


def available() -> tuple[str, ...]:
    """Names of the protocols that come with Glueprint."""
    folder = resources.files("glueprint.trials") / "protocols"
    names = (Path(item.name) for item in folder.iterdir() if item.name.endswith(".toml"))
    return tuple(sorted(path.stem for path in names if path.stem != "template"))


def template() -> str:
    """A commented protocol file that loads and runs; the text to start an own trial from."""
    return (resources.files("glueprint.trials") / "protocols" / "template.toml").read_text("utf-8")


def write_template(path: Path) -> None:
    """Write `template()` to a new file.

    Raises InputError GP-T022 if the file exists, EnvironmentProblemError GP-T023 if it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(template())
    except FileExistsError as error:
        raise InputError(
            "GP-T022",
            "exists already and is kept",
            where=str(path),
            expected="the name of a new file",
            next_step="choose another name",
        ) from error
    except OSError as error:
        raise EnvironmentProblemError(
            "GP-T023",
            f"cannot be written: {error.strerror}",
            where=str(path),
            expected="a folder that exists and may be written to",
            next_step="choose another place",
        ) from error


def load_protocol(name_or_path: str | Path) -> Protocol:
    """The protocol of this name, or the one in this TOML file.

    name_or_path: a name out of `available()`, or a path ending in .toml.
    Raises InputError GP-T001 (unknown name), GP-T014 (unreadable file), GP-T002 to GP-T013 (bad content).
    """
    text = str(name_or_path)
    if text in available():
        source = resources.files("glueprint.trials") / "protocols" / f"{text}.toml"
        return protocol_from_text(source.read_text("utf-8"), where=f"{text}.toml")
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.is_file():
        raise InputError(
            "GP-T001",
            f'unknown trial "{text}"{nearest(text, available())}',
            expected=f"one of {', '.join(available())}, or the path of a .toml file",
            next_step="see `glueprint trial list`; `glueprint trial template` writes a file to start from",
        )
    try:
        content = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "GP-T014",
            f"cannot read the protocol: {error.strerror if isinstance(error, OSError) else 'not UTF-8 text'}",
            where=text,
            expected="a readable UTF-8 text file in TOML",
            next_step="check the path and the file's permissions",
        ) from error
    return protocol_from_text(content, where=text)


def protocol_from_text(text: str, *, where: str) -> Protocol:
    """The protocol written in `text`; `where` names the file in errors.

    Raises InputError GP-T002 to GP-T013.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = LINE.search(str(error))
        reason = LINE.sub("", str(error)).replace("()", "").strip()
        raise InputError(
            "GP-T002",
            f"not TOML: {reason}",
            where=f"{where}, line {place[1]}, column {place[2]}" if place else f"{where}, end of file",
            expected='lines such as name = "my-trial" and sections such as [visits]',
            next_step="correct that line; `glueprint trial template` shows a whole file",
        ) from error
    _check_header(data, where)
    try:
        # By way of JSON, where strict reading takes lists but never text for a number.
        protocol = Protocol.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        raise _as_input_error(error, where) from error
    check_protocol(protocol, where)
    return protocol


def _check_header(data: dict[str, Any], where: str) -> None:
    found = (data.get("kind"), data.get("version"))
    if found != (KIND, VERSION):
        raise InputError(
            "GP-T003",
            f"kind {found[0]!r}, version {found[1]!r} cannot be read",
            where=f"{where}, kind and version",
            expected=f'kind = "{KIND}" and version = {VERSION}',
            next_step="begin the file with these two lines; a newer version needs a newer Glueprint",
        )


def _as_input_error(error: ValidationError, where: str) -> InputError:
    """The first finding as an error; the others are named in its message."""
    items = [dict(item) for item in error.errors(include_url=False)]
    # A list whose entries are bad is also reported as too short; that adds nothing.
    findings = [_finding(item) for item in items if not _repeats(item, items)]
    code, field, message, expected, next_step = findings[0]
    others = "; ".join(f"{other[1]}: {other[2]} ({other[0]})" for other in findings[1:6])
    if others:
        more = f" and {len(findings) - 6} more" if len(findings) > 6 else ""
        message = f"{message}. Also: {others}{more}"
    return InputError(code, message, where=f"{where}, {field}", expected=expected, next_step=next_step)


def _repeats(item: dict[str, Any], items: list[dict[str, Any]]) -> bool:
    place = item["loc"]
    deeper = any(len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in items)
    return item["type"] == "too_short" and deeper


def _finding(item: dict[str, Any]) -> tuple[str, str, str, str, str]:
    """(code, field, message, expected, next step) of one finding of pydantic."""
    kind, context = str(item["type"]), dict(item.get("ctx") or {})
    field = _field(item["loc"])
    if kind.startswith("GP-"):
        return kind, field, str(item["msg"]), str(context["expected"]), str(context["next_step"])
    if kind == "missing":
        return "GP-T004", field, "is missing", "this field", "add it; see `glueprint trial template`"
    if kind == "extra_forbidden":
        return "GP-T005", field, "is not a field of a protocol", "fields of the template", _rename(item)
    if kind in TYPES:
        return "GP-T006", field, f"{item['input']!r} has the wrong type", TYPES[kind], "correct the value"
    message = f"{item['input']!r}: {item['msg']}"
    return "GP-T007", field, message, _allowed(kind, context), "correct the value"


def _rename(item: dict[str, Any]) -> str:
    names: set[str] = set()
    for model in _sections(Protocol):
        names.update(model.model_fields)
    return f"remove or rename it{nearest(str(item['loc'][-1]), names)}"


def _sections(model: Any) -> list[Any]:
    """`model` and every section class of the protocol module."""
    from glueprint.trials import protocol

    found = (getattr(protocol, name) for name in protocol.__all__)
    return [model, *found]


def _allowed(kind: str, context: dict[str, Any]) -> str:
    """What values pydantic would have taken, in words."""
    words = {
        "greater_than": "a number above {gt}",
        "greater_than_equal": "a number of at least {ge}",
        "less_than_equal": "a number of at most {le}",
        "literal_error": "{expected}",
        "union_tag_invalid": "kind = {expected_tags}",
        "union_tag_not_found": 'kind = "normal", "lognormal" or "count"',
        "too_short": "at least {min_length} entry",
        "string_too_short": "text that is not empty",
        "finite_number": "a finite number",
    }
    return words.get(kind, "a value as in the template").format_map(context)


def _field(loc: tuple[Any, ...]) -> str:
    """A path as people write it, ("arms", 0, "drugs", 1, "days") -> arms[0].drugs[1].days."""
    text = ""
    for part in loc:
        if part in ("normal", "lognormal", "count"):
            continue
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
