"""Changes to a file that keep its form, so that they get past the first line of what reads it.

A file is a tree (JSON, TOML), markup, a table, words (Antimony, SQL), chunks (PNG), a directory of tags
(TIFF), an archive, or bytes. Each family takes the whole file and returns it changed in one to three places.
"""

from __future__ import annotations

import copy
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

__all__ = [
    "Change",
    "a_number",
    "a_text",
    "archive",
    "as_toml",
    "chunks",
    "markup",
    "names",
    "or_raw",
    "raw",
    "references",
    "scale",
    "table",
    "tags",
    "tree",
    "words",
]

Change = Callable[[bytes, Random], bytes]
# The attack puts the real place and port in: a file that must stay as it is, one whose text must never be
# shown, a port where nobody must call, a text that must not become code.
VICTIM, SECRET, ADDRESS, MARK = "@VICTIM@", "@SECRET@", "@ADDRESS@", "GPMARK"
SCRIPT = f"</script><script>{MARK}</script>"
FORMULA = f'=HYPERLINK("x","{MARK}")'
# Texts by what they attack; a family is chosen first, so that none is drowned by a larger one.
FAMILIES = {
    "blank": ("", " ", "\ufeff", "\u2028", "\r"),
    "zero": ("\x00", "a\x00b"),
    "broken": ("\ud800", "é" * 300, "x" * 5000, "a\nb", "１２"),
    "obeyed": ("\u202e", "\x1b[2J", "\x9b2J", "\N{BELL}", "[red]"),
    "computed": (FORMULA, "@SUM(1)", "-1+1", "\t=1+1"),
    "script": (SCRIPT, "\"';--", "{x}", "%s"),
    "place": (
        VICTIM,
        SECRET,
        "/dev/zero",
        "/dev/null/x",
        "../../x",
        "..",
        ".",
        "a/../../b",
        "C:\\x",
        "file://x",
        "~",
    ),
    "number": ("nan", "inf", "1e400", "0x10", "1_000", "1,5", "1.000,5", "−1", "true", "None"),
    "cell": ("A1", "XFD1048576", "A1:XFD1048576"),
}
TEXTS = tuple(text for family in FAMILIES.values() for text in family)
NUMBERS = (
    *(0, -1, 1, 2, 3, 0.5, -0.0, 1e-300, 1e-12, 1e-6, 400, 1e6, 1e7, 1e9, 1e12, 1e300, 1200),
    *(float("nan"), float("inf"), float("-inf"), 2**31, 2**53 + 1, 2**63, 2**64, 10**30, 10**400, -(2**63)),
)
# What readers stumble over, put in anywhere.
PIECES = (
    *(text.encode("utf-8", "surrogatepass") for text in TEXTS),
    *(b"\n" * 50, b'"', b"'", b",", b";", b"<", b"</", b"&x;", b"<!DOCTYPE a [", b"]]>", b"[" * 9, b"]" * 50),
    *(
        b"(" * 400,
        b")" * 400,
        b"{" * 200,
        b"9" * 5000,
        b"4294967295",
        b"18446744073709551616",
        b"H12",
        b"AF48",
    ),
    *(f'import "{SECRET}"\n'.encode(), b"\xff\xfe", b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80"),
)
# How deep and how wide a construct may grow; the last is rare, for it takes a second.
DEPTHS = (3, 30, 400, 5000, 20_000)
WIDTHS = (2, 40, 400, 2000, 200_000)
RARE = 0.03
MOST = 4_000_000  # bytes of one input
TOKEN = re.compile(rb"[A-Za-z_]\w*|\d+\.?\d*(?:[eE][-+]?\d+)?|\s+|[^\w\s]")
TAG = re.compile(rb"<[^<>]+>")
# A cell's or row's place, the corner of a sheet, and counts in a part of a workbook.
PLACE = re.compile(rb"""\b(r|ref|count|uniqueCount|spans|min|max)=["']([A-Z]*\d+(?::[A-Z]*\d+)?)(?=["'])""")
HELD = re.compile(rb"(?<==[\"'])[^\"'<>]*(?=[\"'])|(?<=>)[^<>]+(?=</)")  # values of attributes, and text


def a_text(chance: Random) -> str:
    """A text of a family by chance."""
    return chance.choice(chance.choice(list(FAMILIES.values())))


def a_number(chance: Random) -> int | float:
    """A number, a whole one as often written without a point as with one."""
    value = chance.choice(NUMBERS)
    return int(value) if isinstance(value, float) and value.is_integer() and chance.random() < 0.5 else value


def or_raw(change: Change) -> Change:
    """The change, or changes of bytes anywhere."""
    return lambda content, chance: (raw if chance.random() < 0.25 else change)(content, chance)


def raw(content: bytes, chance: Random) -> bytes:
    """One to four changes of bytes anywhere."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        span = chance.randint(1, 1 + len(data) // 4)
        what = chance.randrange(8)
        if what == 0:
            del data[place:]
        elif what == 1:
            del data[place : place + span]
        elif what == 2:
            data[place:place] = data[place : place + span] * chance.randint(1, 40)
        elif what == 3:
            data[place : place + 1] = bytes([chance.randrange(256)])
        elif what == 4:
            data[place:place] = chance.choice(PIECES)
        elif what == 5:
            data[place : place + 4] = struct.pack("<I", chance.choice((0, 1, 8, 2**16, 2**31 - 1, 2**32 - 1)))
        elif what == 6:
            other = chance.randrange(len(data) + 1)
            data[place:place], data[other : other + span] = data[other : other + span], b""
        else:
            data[place : place + span] = chance.choice(PIECES) * chance.randint(1, 3)
    return bytes(data[:2_000_000])


def tree(reads: Callable[[str], Any], writes: Callable[[Any], str], optional: Any = None) -> Change:
    """Changes of a document of tables, lists and values. optional: tables that the document may also have."""

    def change(content: bytes, chance: Random) -> bytes:
        root = reads(content.decode())
        if optional and chance.random() < 0.3:
            name = chance.choice(list(optional))
            root[name] = copy.deepcopy(optional[name])
        if chance.random() < 0.2:
            scale(root, chance)
        else:
            for _ in range(chance.randint(1, 3)):
                _change_of(root, chance)
        text = writes(root).encode("utf-8", "surrogatepass")
        return chance.choice((text, text, text, b"\xef\xbb\xbf" + text))

    return change


def scale(root: Any, chance: Random) -> None:
    """Every number of one name of a tree times the same factor, so that what must agree goes on to agree."""
    numbers: dict[str, list[dict[str, Any]]] = {}
    waiting = [root]
    while waiting:
        here = waiting.pop()
        for key, below in here.items() if isinstance(here, dict) else enumerate(here):
            if isinstance(below, dict | list):
                waiting.append(below)
            elif isinstance(here, dict) and isinstance(below, int | float) and not isinstance(below, bool):
                numbers.setdefault(str(key), []).append(here)
    if numbers:
        name = chance.choice(sorted(numbers))
        factor = 10 ** chance.randint(-9, 9)
        for table_ in numbers[name]:
            table_[name] *= factor


def _change_of(root: Any, chance: Random) -> None:
    """One change of one entry, somewhere in the tree."""
    places: list[tuple[Any, Any]] = []
    waiting = [root]
    while waiting:
        here = waiting.pop()
        entries = here.items() if isinstance(here, dict) else enumerate(here)
        for key, below in entries:
            places.append((here, key))
            if isinstance(below, dict | list):
                waiting.append(below)
    if not places:
        return
    here, key = chance.choice(places)
    value = here[key]
    what = chance.randrange(8)
    if what == 0:
        del here[key]
    elif what == 1 and isinstance(here, list):
        here[key:key] = [copy.deepcopy(value)] * (2000 if chance.random() < RARE else chance.choice((1, 40)))
    elif what == 2 and isinstance(here, dict):
        here[chance.choice((key[:-1], key + "s", key.upper(), a_text(chance)))] = here.pop(key)
    elif what == 3:
        other, named = chance.choice(places)
        here[key] = copy.deepcopy(other.get(named) if isinstance(other, dict) else value)
    elif what == 4:
        deep: Any = value
        for _ in range(chance.choice((1, 2, 90, 900))):
            deep = chance.choice(([deep], {"a": deep}))
        here[key] = deep
    elif isinstance(value, bool | str) or what == 5:
        here[key] = chance.choice((a_text(chance), f"{value}{a_text(chance)}"))
    else:
        factor = chance.choice((0, -1, 1e-6, 1e-3, 100, 1e5, 1e12))
        scaled = value * factor if isinstance(value, int | float) and abs(value) < 1e100 else factor
        here[key] = chance.choice((scaled, a_number(chance)))


def as_toml(value: Any) -> str:
    """A tree as TOML, tables in one line each."""
    return "".join(f"{_key(name)} = {_toml(below)}\n" for name, below in value.items())


def _key(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else json.dumps(name, ensure_ascii=False)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(name)} = {_toml(below)}" for name, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else f"{value!r}"


def markup(content: bytes, chance: Random) -> bytes:
    """Changes of XML: elements gone, repeated, nested or renamed, values and text changed, entities."""
    data = content
    for _ in range(chance.randint(1, 3)):
        found = list(TAG.finditer(data))
        held = list(HELD.finditer(data))
        what = chance.randrange(8)
        if what <= 2 and held:
            one = chance.choice(held)
            other = chance.choice((chance.choice(PIECES), _number(chance), chance.choice(held).group()))
            data = data[: one.start()] + other[:6000] + data[one.end() :]
        elif what == 3 and found:
            one = chance.choice(found)
            data = (
                data[: one.start()] + chance.choice((b"", chance.choice(found).group())) + data[one.end() :]
            )
        elif what in (4, 5) and (element := _element(data, chance)):
            start, inner, end, stop = element
            head, tail = data[start:inner], data[end:stop]
            if what == 4:
                times = _times(chance, DEPTHS, len(head) + len(tail))
                data = data[:start] + head * times + data[inner:end] + tail * times + data[stop:]
            else:
                times = _times(chance, WIDTHS, stop - start)
                data = data[:start] + data[start:stop] * times + data[stop:]
        elif what == 6:
            head = b'<!DOCTYPE a [<!ENTITY b "%s"><!ENTITY c SYSTEM "%s">' % (b"x" * 90, SECRET.encode())
            folds = b"".join(b'<!ENTITY d%d "%s">' % (n, b"&d%d;" % (n - 1) * 9) for n in range(1, 9))
            place = data.find(b"?>") + 2
            data = data[:place] + head + b'<!ENTITY d0 "&b;">' + folds + b"]>" + data[place:]
            data = HELD.sub(lambda one: chance.choice((one.group(), b"&d8;", b"&c;")), data, count=5)
        else:
            data = raw(data, chance)
    return data[:MOST]


def _element(data: bytes, chance: Random) -> tuple[int, int, int, int] | None:
    """Where an element begins, its inside, its end tag and what follows it; the first close of its name."""
    opened = [one for one in TAG.finditer(data) if one.group()[1:2].isalpha() and one.group()[-2:] != b"/>"]
    if not opened:
        return None
    one = chance.choice(opened)
    name = re.match(rb"<([\w:.-]+)", one.group())
    end = data.find(b"</%s>" % name[1], one.end()) if name else -1
    return (one.start(), one.end(), end, data.index(b">", end) + 1) if end >= 0 else None


def _times(chance: Random, steps: Sequence[int], size: int) -> int:
    times = steps[-1] if chance.random() < RARE else chance.choice(steps[:-1])
    return max(1, min(times, MOST // max(size, 1)))


def _number(chance: Random) -> bytes:
    return repr(a_number(chance)).encode()


def table(content: bytes, chance: Random) -> bytes:
    """Changes of a table of text: cells, rows, columns, separators, encodings."""
    mark = b"\t" if b"\t" in content.splitlines()[0] else b","
    rows = [line.split(mark) for line in content.splitlines()]
    for _ in range(chance.randint(1, 3)):
        row = chance.randrange(len(rows))
        column = chance.randrange(len(rows[row]) or 1)
        what = chance.randrange(9)
        if what <= 2 and rows[row]:
            cell = chance.choice((chance.choice(PIECES), _number(chance)))
            rows[row][column : column + 1] = [b'"%s"' % cell.replace(b'"', b'""') if mark in cell else cell]
        elif what == 3:
            cell = chance.choice((chance.choice(PIECES[:36]), _number(chance)))
            for other in rows[1:]:
                other[column : column + 1] = [cell.replace(b"\n", b" ").replace(mark, b" ")]
        elif what == 4:
            rows[row:row] = [list(rows[row])] * (3000 if chance.random() < RARE else chance.choice((1, 30)))
        elif what == 5:
            del rows[row]
            rows = rows or [[b""]]
        elif what == 6:
            wide = 300 if chance.random() < RARE else chance.choice((1, 8))
            rows = [[*other, *other[column : column + 1] * wide] for other in rows]
        elif what == 7:
            rows = [[*other[:column], *other[column + 1 :]] for other in rows]
        else:
            second = chance.randrange(len(rows))
            rows[row], rows[second] = rows[second], rows[row]
    text = b"\n".join((chance.choice((mark,) * 8 + (b";", b"|", b" "))).join(row) for row in rows)
    what = chance.randrange(12)
    if what == 0:
        text = text.decode("utf-8", "replace").encode(chance.choice(("utf-16", "utf-16-le", "utf-32")))
    elif what == 1:
        text = b"\xef\xbb\xbf" + text.replace(b"\n", chance.choice((b"\r\n", b"\r", b"\n\n")))
    return text[:MOST]


def names(content: bytes, chance: Random) -> bytes:
    """One word of a table, wherever it stands below the header, becomes somebody else's text."""
    head, *rows = content.splitlines()
    columns = zip(*(row.split(b",") for row in rows), strict=False)
    said = [words for column in columns if (words := sorted({cell for cell in column if cell[:1].isalpha()}))]
    word, other = chance.choice(chance.choice(said)), a_text(chance).encode("utf-8", "replace")
    other = b'"%s"' % other.replace(b'"', b'""')
    return b"\n".join(
        [head, *(b",".join(other if c == word else c for c in row.split(b",")) for row in rows)]
    )


def references(content: bytes, chance: Random) -> bytes:
    """Where cells of a sheet say that they stand, and how many of something there are: other corners."""
    places = list(PLACE.finditer(content))
    if not places:
        return content
    for _ in range(chance.randint(1, 3)):
        one = chance.choice(places)
        column = chance.choice(("A", "B", "Z", "AA", "XFD", "XFE", "ZZZZ", chr(chance.randint(65, 90))))
        row = chance.choice((0, 1, 2, 10 ** chance.randint(1, 9), 2 ** chance.randint(1, 40), 1048576))
        both = {b"r": f"{column}{row}", b"row": f"{row}"}
        said = both[b"row"] if one[2].isdigit() else both[b"r"]
        content = content[: one.start(2)] + said.encode() + content[one.end(2) :]
        places = list(PLACE.finditer(content))
    return content


def words(grown: Sequence[tuple[bytes, bytes, bytes]], lines: Sequence[bytes] = ()) -> Change:
    """Changes of a text of words and signs.

    grown: (before, again, after) of a construct that may grow around a word, deep or wide.
    lines: that may stand anywhere.
    """

    def change(content: bytes, chance: Random) -> bytes:
        parts = TOKEN.findall(content)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(parts))
            what = chance.randrange(8)
            solid = [n for n, part in enumerate(parts) if part[:1].isalnum()]
            if what <= 1 and grown and solid:
                place = chance.choice(solid)
                before, again, after = chance.choice(grown)
                times = _times(chance, DEPTHS if before else WIDTHS, len(before + again + after))
                parts[place] = before * times + parts[place] + again * times + after * times
            elif what == 2:
                parts[place] = chance.choice((chance.choice(PIECES), _number(chance)))
            elif what == 3:
                del parts[place : place + chance.randint(1, 3)]
                parts = parts or [b" "]
            elif what == 4:
                parts[place] = chance.choice(parts)
            elif what == 5:
                parts[place:place] = parts[place : place + chance.randint(1, 12)] * chance.choice((1, 3, 300))
            elif what == 6 and lines:
                place = chance.choice((0, len(parts), place))
                parts[place:place] = [b"\n" + chance.choice(lines) + b"\n"]
            else:
                parts[place:place] = [chance.choice(PIECES)]
        text = b"".join(parts)
        return chance.choice((text, text, text, b"\xef\xbb\xbf" + text))[:MOST]

    return change


def chunks(content: bytes, chance: Random) -> bytes:
    """Changes of a PNG by chunk, with sums that hold."""
    found, place = [], 8
    while place < len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        found.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + size]))
        place += 12 + size
    for _ in range(chance.randint(1, 2)):
        at = chance.randrange(len(found))
        name, data = found[at]
        what = chance.randrange(5)
        if what == 0:
            found[at:at] = [found[at]] * chance.choice((1, 50, 5000))
        elif what == 1:
            del found[at]
            found = found or [(b"IEND", b"")]
        elif what == 2:
            found[at] = (chance.choice((b"PLTE", b"tRNS", b"iCCP", b"zTXt", b"acTL", b"fdAT", name)), data)
        elif len(data) >= 4 and what == 3:
            spot = chance.randrange(0, max(1, len(data) - 3))
            value = struct.pack(">I", chance.choice((0, 1, 7, 65536, 2**31 - 1, 2**32 - 1)))
            found[at] = (name, data[:spot] + value + data[spot + 4 :])
        else:
            size = 10**8 if chance.random() < RARE else chance.choice((10, 10**5, 10**6))
            found[at] = (name, zlib.compress(b"\0" * size))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in found
    )
    return content[:8] + body


def tags(content: bytes, chance: Random) -> bytes:
    """Changes of a TIFF (little endian) by tag: type, count and value, and where the next page is."""
    data = bytearray(content)
    (start,) = struct.unpack_from("<I", data, 4)
    (number,) = struct.unpack_from("<H", data, start)
    for _ in range(chance.randint(1, 2)):
        at = start + 2 + 12 * chance.randrange(number)
        values = (0, 1, 2, 8, start, len(data), 65535, 65536, 2**31 - 1, 2**32 - 1)
        what = chance.randrange(6)
        if what == 0:
            struct.pack_into(
                "<H", data, at, chance.choice((254, 256, 257, 258, 259, 262, 270, 273, 277, 278))
            )
        elif what == 1:
            struct.pack_into("<H", data, at + 2, chance.choice((0, 1, 2, 3, 4, 5, 12, 13, 16, 99)))
        elif what == 2:
            struct.pack_into("<I", data, at + 4, chance.choice(values))
        elif what == 3:
            struct.pack_into("<I", data, start + 2 + 12 * number, chance.choice(values))
        elif what == 4:
            struct.pack_into("<I", data, 4, chance.choice(values))
        else:
            struct.pack_into("<I", data, at + 8, chance.choice(values))
    return bytes(data)


def archive(inner: Change) -> Change:
    """Changes of a zip archive: what is in its parts, by `inner`, their names, and what their heads claim."""

    def change(content: bytes, chance: Random) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = [(one.filename, packed.read(one)) for one in packed.infolist()]
        at = chance.randrange(len(parts))
        name, data = parts[at]
        what = chance.randrange(8)
        if what == 0:
            parts[at] = (chance.choice(("../../x", "/x", VICTIM, name.upper(), name + "/", "")), data)
        elif what == 1 and (element := _element(data, chance)):
            start, _, _, stop = element
            size = 3 * 10**8 if chance.random() < 3 * RARE else chance.choice((1, 10**5, 10**6))
            times = size // (stop - start)
            parts[at] = (name, data[:start] + data[start:stop] * times + data[stop:])
        else:
            parts[at] = (name, inner(data, chance))
        stream = io.BytesIO()
        how = chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED))
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED if what == 1 else how) as packed:
            for name, data in parts:
                packed.writestr(name or "x", data, compresslevel=1)
        made = stream.getvalue()
        return raw(made, chance) if chance.random() < 0.1 else made

    return change
