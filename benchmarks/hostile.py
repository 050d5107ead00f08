"""Files of somebody else's by the thousand: broken, truncated, swapped, repeated; each must end well.

    python -m benchmarks.hostile --inputs 100000 --seed 1

A well-ended input is read, or refused with an error of ours. Anything else is a fault: another exception, an
error that is our bug, a crash of this process, or more than the seconds allowed. Prints JSON with counts and
the first faults.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import struct
import sys
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import imagecodecs
import numpy as np
import polars as pl
import tifffile

from glueprint import engine, study, trials
from glueprint.assays import layout, readers
from glueprint.assays.blot import image
from glueprint.errors import GlueprintError, InternalError
from glueprint.mechanism import compounds
from glueprint.runs import ledger, provenance, store

SLOW_S = 150.0  # beyond the longest that a library may take
MOST_SHOWN = 20

ANTIMONY = b"""model decay()
  compartment C = 1; species S in C; S = 10;
  k = 0.1; t := k*S + sin(time);
  J: S -> ; k*S;
  E: at time > 5: S = S + 1;
end
"""
SBML = b"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="m">
<listOfParameters><parameter id="k" value="1" constant="false"/>
<parameter id="p" value="0.5" constant="true"/>
</listOfParameters><listOfRules><assignmentRule variable="k">
<math xmlns="http://www.w3.org/1998/Math/MathML"><apply><plus/><ci>p</ci><apply><sin/><ci>p</ci></apply><cn>2</cn></apply></math></assignmentRule></listOfRules>
</model></sbml>
"""
PLATE = b"plate,well,value,unit,role,sample,concentration,concentration_unit\n" + b"".join(
    b"p1,A%d,0.%d,OD,sample,x,%d,nM\n" % (n, n, n) for n in range(1, 13)
)
# What readers stumble over, put in anywhere.
PIECES = (
    *(
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98\x80",
        b"\r",
        b"\n" * 50,
        b" " * 3000,
    ),
    *(
        b'"',
        b"'",
        b",",
        b"=",
        b"-",
        b"<",
        b"</",
        b"&x;",
        b"<!DOCTYPE a [",
        b"]]>",
        b"../../",
        b"\x1b[2J",
        b"=1+1",
    ),
    *(
        b"[",
        b"]" * 50,
        b"(" * 400,
        b")" * 400,
        b"{" * 200,
        b"1e999",
        b"nan",
        b"-inf",
        b"9" * 5000,
        b"0",
        b"-1",
    ),
    *(
        b"4294967295",
        b"18446744073709551616",
        b"A1",
        b"H12",
        b"AF48",
        b"/dev/zero",
        b'import "/etc/hostname"\n',
    ),
)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """One to four changes anywhere in a file."""
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


def _stream(write: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def _workbook(stream: io.BytesIO) -> None:
    text = b"<c r='%s' t='inlineStr'><is><t>%s</t></is></c>"
    row = b"<row r='%d'>%s<c r='B%d'><v>%d</v></c></row>"
    head = b"<row r='1'>%s%s</row>" % (text % (b"A1", b"Well positions"), text % (b"B1", b"Label 1"))
    wells = [row % (n, text % (b"A%d" % n, b"A%d" % (n - 1)), n, n) for n in range(2, 14)]
    sheet = head + b"".join(wells)
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = b"http://schemas.openxmlformats.org/package/2006/relationships"
    relation = b'<Relationships xmlns="%s"><Relationship Id="r1" Type="%s/%s" Target="%s"/></Relationships>'
    sheets = b'<sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets>'
    book = b'<workbook xmlns="%s" xmlns:r="%s">' + sheets + b"</workbook>"
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr("_rels/.rels", relation % (package, office, b"officeDocument", b"xl/workbook.xml"))
        packed.writestr("xl/workbook.xml", book % (space, office))
        target = b"worksheets/sheet1.xml"
        packed.writestr("xl/_rels/workbook.xml.rels", relation % (package, office, b"worksheet", target))
        worksheet = b'<worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (space, sheet)
        packed.writestr("xl/worksheets/sheet1.xml", worksheet)


def _read_ledger(path: Path) -> None:
    ledger.broken_at(path)
    ledger.read(path)


Reading = tuple[str, bytes, Callable[[Path], object]]


def kinds(folder: Path) -> Mapping[str, Reading]:
    """Name -> ending, a whole file, and what reads it."""
    shades = np.arange(1024, dtype=np.uint16).reshape(32, 32)
    ledger.append(folder, "begun", {"request": "0" * 64})
    ledger.append(folder, "finished", {"files": {"tables/a.parquet": "0" * 64}})
    record = provenance.text_of(provenance.new("glueprint-study", {"seed": 1}, {"study": "0" * 64}))
    frame = pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]})
    store.write_tables(folder, {"t": frame})

    def read_table(path: Path) -> object:
        return store.read_table(path, "t")

    return {
        "antimony": (".ant", ANTIMONY, engine.compile),
        "sbml": (".xml", SBML, engine.compile),
        "study": (".toml", study.definition.source("pomalidomide").read_bytes(), study.load),
        "protocol": (".toml", trials.source("mm003").encode(), trials.load_protocol),
        "compound": (".toml", compounds.source("pomalidomide").encode(), compounds.load),
        "layout": (".toml", layout.template("elisa", 96).encode(), layout.read),
        "tidy": (".csv", PLATE, readers.read),
        "workbook": (".xlsx", _stream(_workbook), readers.read),
        "tiff": (".tif", _stream(lambda s: tifffile.imwrite(s, shades, compression="zlib")), image.read),
        "png": (".png", bytes(imagecodecs.png_encode(shades)), image.read),
        "jpeg": (".jpg", bytes(imagecodecs.jpeg8_encode(shades.astype(np.uint8))), image.read),
        "parquet": (".parquet", (folder / "t.parquet").read_bytes(), read_table),
        "ledger": (".jsonl", (folder / ledger.FILE_NAME).read_bytes(), _read_ledger),
        "record": (".json", record.encode(), provenance.read),
    }


def outcome(reads: Callable[[Path], object], path: Path) -> str:
    """ "read", "refused", or what went wrong."""
    begun = time.monotonic()
    try:
        reads(path)
        said = "read"
    except InternalError as error:
        said = f"internal error: {error.message}"
    except GlueprintError:
        said = "refused"
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of a Rust library is no Exception
        said = f"{type(error).__name__}: {error}"
    return said if time.monotonic() - begun < SLOW_S else f"slow: {said}"


def attack(inputs: int, seed: int, only: tuple[str, ...] = ()) -> dict[str, object]:
    """Counts of outcomes by kind, and the first faults with the number that makes them again."""
    counts: dict[str, Counter[str]] = {}
    faults: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        made = {name: how for name, how in kinds(folder).items() if not only or name in only}
        names = list(made)
        for name, (ending, whole, reads) in made.items():
            path = folder / f"whole{ending}"
            path.write_bytes(whole)
            assert outcome(reads, path) == "read", name  # or the attack would be on nothing
        for number in range(inputs):
            name = names[number % len(names)]
            ending, whole, reads = made[name]
            path = folder / f"input{ending}"
            content = mutated(whole, random.Random(f"{seed}/{name}/{number}"))
            path.write_bytes(content)
            said = outcome(reads, path)
            fine = said in ("read", "refused")
            counts.setdefault(name, Counter())[said if fine else "fault"] += 1
            if not fine and len(faults) < MOST_SHOWN:
                crc = zlib.crc32(content)
                faults.append(
                    {"kind": name, "number": number, "seed": seed, "crc32": crc, "said": said[:300]}
                )
    return {
        "inputs": inputs,
        "counts": {name: dict(count) for name, count in counts.items()},
        "faults": faults,
    }


def main() -> None:
    """Attack as the command line says."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    words.add_argument("--inputs", type=int, default=10_000)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--only", action="append", default=[])
    given = words.parse_args()
    found = attack(given.inputs, given.seed, tuple(given.only))
    json.dump(found, sys.stdout, indent=1)
    sys.stdout.write("\n")
    sys.exit(1 if found["faults"] else 0)


if __name__ == "__main__":
    main()
