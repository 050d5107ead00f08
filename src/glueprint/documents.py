"""TOML documents that people write: read, checked field by field, refused with a remedy.

Studies, trials and compounds are such documents. Each room names its own error codes; the words are the same
everywhere: the file, the field as people write it, what is allowed, the nearest name, the next step.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from glueprint.boundary import read_text
from glueprint.errors import EnvironmentProblemError, InputError, nearest, together

__all__ = ["Codes", "Document", "is_file", "parse", "quoted", "read", "validate", "write_new"]

# The reader of TOML takes time by the square of a name's parts: a text of so many dots is looked at first.
DOTS, MOST_PARTS = 2000, 100
WORD = re.compile(r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*'|[^\w\s.])[ \t]*(?P<dot>\.)?""")
LARGEST = 2**63  # of whole numbers in TOML
LINE = re.compile(r"\(at line (\d+), column (\d+)\)")
# What pydantic would have taken, in words: types first, then values.
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
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
VALUES = {
    "finite_number": "a finite number",
    "string_too_short": "text that is not empty",
    "string_pattern_mismatch": "a name of small letters, digits, - and _",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "too_short": "at least {min_length} entry",
    "too_long": "at most {max_length} entries",
    "literal_error": "{expected}",
    "union_tag_invalid": "kind = {expected_tags}",
    "union_tag_not_found": "a field kind that says which",
}

Model = TypeVar("Model", bound=BaseModel)


class Document(BaseModel):
    """Base of what is read from TOML: immutable, and strict about fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Codes:
    """A room's error codes for its documents, and the hint that ends each message.

    field: any field that cannot be used.   missing, unknown, wrong_type: own codes, `field` if empty.
    """

    unreadable: str
    syntax: str
    header: str
    field: str
    help: str
    missing: str = ""
    unknown: str = ""
    wrong_type: str = ""


def is_file(name: str) -> bool:
    """Whether there is a file of this name; a name that no file can have is none."""
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        return False


def read(path: Path | Traversable, codes: Codes) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises InputError `codes.unreadable` if it cannot be read, `codes.syntax` if it is not TOML.
    """
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        if "\0" in str(path):  # which each version of Python says in words of its own
            reason = "no file can have this name"
        raise InputError(
            codes.unreadable,
            f"cannot be read: {reason}",
            where=str(path),
            expected="a readable UTF-8 text file in TOML",
            next_step="check the path and the file's permissions",
        ) from error
    return parse(text, codes, where=str(path))


def parse(text: str, codes: Codes, *, where: str) -> dict[str, Any]:
    """The tables written in `text`; `where` names the file in errors.

    Raises InputError `codes.syntax`, also for a whole number of more than 64 bits, as TOML wants it.
    """
    if text.count(".") > DOTS and _longest_key(text) > MOST_PARTS:
        raise InputError(
            codes.syntax,
            f"a name of more than {MOST_PARTS} parts",
            where=where,
            expected="names such as arms.drugs, of a few parts",
            next_step=f"correct that line; {codes.help}",
        )
    try:
        tables = tomllib.loads(text)
    except RecursionError as error:
        raise InputError(
            codes.syntax,
            "not TOML that can be read: lists or tables nest too deep",
            where=where,
            expected="a few levels at most",
            next_step=f"write it flat; {codes.help}",
        ) from error
    except ValueError as error:  # of TOML, and of numbers with thousands of digits
        place = LINE.search(str(error))
        raise InputError(
            codes.syntax,
            f"not TOML: {LINE.sub('', str(error)).strip()}",
            where=f"{where}, line {place[1]}, column {place[2]}" if place else f"{where}, end of file",
            expected='lines such as name = "my-name" and sections such as [section]',
            next_step=f"correct that line; {codes.help}",
        ) from error
    if field := _too_large(tables):
        raise InputError(
            codes.syntax,
            "a whole number of more than 64 bits",
            where=f"{where}, {field}",
            expected="a number that a computer's word holds; 1e30 is one",
            next_step=f"correct the value; {codes.help}",
        )
    return tables


def _longest_key(text: str) -> int:
    """Parts of the longest run of words with dots between them."""
    longest = parts = 0
    dotted = False
    for found in WORD.finditer(text):
        parts = parts + 1 if dotted else 1
        dotted = found["dot"] is not None
        longest = max(longest, parts)
    return longest


def _too_large(tables: dict[str, Any]) -> str:
    """The field of the first whole number that is too large to count with; empty if there is none."""
    waiting: list[tuple[str, Any]] = [("", tables)]
    for place, value in waiting:
        if isinstance(value, dict):
            waiting += [(f"{place}.{name}" if place else name, below) for name, below in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{place}[{number}]", below) for number, below in enumerate(value)]
        elif isinstance(value, int) and not -LARGEST <= value < LARGEST:
            return place
    return ""


def validate(
    model: type[Model],
    data: dict[str, Any],
    codes: Codes,
    *,
    where: str,
    context: dict[str, Any] | None = None,
) -> Model:
    """`data` as a `model`, whose `kind` and `version` fields, if any, are looked at first.

    context: what validators of the model may ask for, such as the folder of the file.

    Raises InputError `codes.header` for another kind or version, `codes.field` (or the code that the
    model's own validator gave) for the first bad field; the message names the other bad fields.
    """
    for field in ("kind", "version"):
        info = model.model_fields.get(field)
        if info is None:
            continue
        (wanted,) = info.annotation.__args__  # type: ignore[union-attr]  # Literal["..."]
        if data.get(field) != wanted:
            raise InputError(
                codes.header,
                f"{field} is {data.get(field)!r}",
                where=f"{where}, {field}",
                expected=f"{field} = {_toml(wanted)}",
                next_step=f"begin the file with it; a newer version needs a newer Glueprint; {codes.help}",
            )
    try:
        # By way of JSON, where strict reading takes lists and dates but never text for a number.
        return model.model_validate_json(json.dumps(data, default=str), strict=True, context=context)
    except ValidationError as error:
        raise _as_input_error(model, error, codes, (where, data)) from error


def write_new(path: Path, text: str, *, exists: str, unwritable: str) -> None:
    """Write a new file, and never over another.

    Raises InputError with code `exists` if there is one, EnvironmentProblemError with code `unwritable` if
    it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise InputError(
            exists,
            "exists already and is kept",
            where=str(path),
            expected="the name of a new file",
            next_step="choose another name",
        ) from error
    except OSError as error:
        raise EnvironmentProblemError(
            unwritable,
            f"cannot be written: {error.strerror}",
            where=str(path),
            expected="a folder that exists and may be written to",
            next_step="choose another place",
        ) from error


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    # JSON's escapes are TOML's, but for the character that JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml(value: object) -> str:
    return quoted(value) if isinstance(value, str) else str(value)


def _as_input_error(
    model: type[BaseModel], error: ValidationError, codes: Codes, source: tuple[str, dict[str, Any]]
) -> InputError:
    """The first finding as an error; the others are named in its message."""
    where, data = source
    items = [dict(item) for item in error.errors(include_url=False)]
    # A list whose entries are bad is also reported as too short; that adds nothing.
    first = together([_finding(model, item, codes, data) for item in items if not _repeats(item, items)])
    return InputError(
        first.code,
        first.message,
        where=f"{where}, {first.where}",
        expected=first.expected,
        next_step=first.next_step,
    )


def _repeats(item: dict[str, Any], items: list[dict[str, Any]]) -> bool:
    place = item["loc"]
    deeper = any(len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in items)
    return item["type"] == "too_short" and deeper


def _finding(model: type[BaseModel], item: dict[str, Any], codes: Codes, data: dict[str, Any]) -> InputError:
    """One finding of pydantic, whose place is the field."""
    code, field, message, expected, next_step = _words(model, item, codes, data)
    return InputError(code, message, where=field, expected=expected, next_step=next_step)


def _words(
    model: type[BaseModel], item: dict[str, Any], codes: Codes, data: dict[str, Any]
) -> tuple[str, str, str, str, str]:
    """(code, field, message, expected, next step) of one finding of pydantic."""
    kind, context, loc = str(item["type"]), dict(item.get("ctx") or {}), tuple(item["loc"])
    field = _as_written(loc, data) or "the file"
    value, correct = repr(item["input"])[:80], f"correct the value; {codes.help}"
    if kind.startswith("GP-"):
        return kind, field, str(item["msg"]), str(context["expected"]), str(context["next_step"])
    if kind == "missing":
        return codes.missing or codes.field, field, "is missing", "this field", f"add it; {codes.help}"
    if kind == "extra_forbidden":
        known = _fields_at(model, loc[:-1])
        hint = nearest(str(loc[-1]), known)
        expected = f"one of {', '.join(known)}" if known else "a field that the document has"
        remedy = f"remove or rename it; {codes.help}"
        return codes.unknown or codes.field, field, f"is not known{hint}", expected, remedy
    if kind in TYPES:
        return codes.wrong_type or codes.field, field, f"{value} has the wrong type", TYPES[kind], correct
    if kind in VALUES:
        hint = ""
        if kind == "literal_error":
            hint = nearest(str(item["input"]), re.findall(r"'([^']*)'", str(context["expected"])))
        return codes.field, field, f"{value} cannot be used{hint}", VALUES[kind].format_map(context), correct
    message = str(item["msg"]).removeprefix("Value error, ")
    return codes.field, field, f"{value}: {message}", "a value as the message says", correct


def _as_written(loc: tuple[Any, ...], data: Any) -> str:
    """A path as people write it: ("arms", 0, "drugs", 1, "days") -> arms[0].drugs[1].days.

    Names that pydantic adds on the way, such as the kind of a union, are not in `data` and are left out.
    """
    text, here = "", data
    for place, part in enumerate(loc):
        if isinstance(part, int):
            text += f"[{part}]"
            here = here[part] if isinstance(here, list) and part < len(here) else None
            continue
        known = isinstance(here, dict) and part in here
        if known or place == len(loc) - 1:
            text += f".{part}" if text else str(part)
        here = here[part] if known else here
    return text


def _fields_at(model: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """Names of the fields of the table at `loc`; empty where the way cannot be followed."""
    here = model
    for part in loc:
        if isinstance(part, int):
            continue
        info = here.model_fields.get(str(part))
        inner = list(_models_in(info.annotation)) if info is not None else []
        if len(inner) != 1:
            return []
        here = inner[0]
    return list(here.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models_in(part)
