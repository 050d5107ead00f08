"""The kinds of files that are attacked: a whole one of each, how it is changed, and what reads it.

A kind whose reader this version lacks is left out, so that an older version can be attacked, too.
"""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import imagecodecs
import numpy as np
import polars as pl
import tifffile

from benchmarks.hostile_changes import (
    ADDRESS,
    NUMBERS,
    SECRET,
    TEXTS,
    Change,
    archive,
    as_toml,
    chunks,
    markup,
    names,
    raw,
    table,
    tags,
    tree,
    words,
)
from benchmarks.hostile_world import FILE, OUT, Kind, Unsafe, World, called, command, of_file

__all__ = ["kinds"]

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
    b"p1,%c%d,0.%d,OD,sample,x%d,%d,nM\n" % (65 + row, n, n, row, 3**n)
    for row in range(2)
    for n in range(1, 9)
)
CURVES = b"compound,dose_nM,response\n" + b"".join(
    b"%s,%d,%d\n" % (name, 10**n, high - 18 * n) for name, high in ((b"a", 98), (b"b", 93)) for n in range(6)
)
RECORDS = b"ID,TIME,AMT,RATE,CMT,EVID,ADDL,II,SS,DV,WT\n" + b"".join(
    b"%d,0,100,0,1,1,2,24,0,0,70\n%d,5,0,0,1,0,0,0,0,1,70\n%d,30,0,0,1,0,0,0,0,1,70\n" % ((n,) * 3)
    for n in range(1, 4)
)
PATIENTS = b"months,event,arm,age,centre\n" + b"".join(
    b"%d.5,%d,%s,%d,c%d\n" % (n, n % 3 > 0, b"AB"[n % 2 : n % 2 + 1], 50 + n, n % 4) for n in range(1, 25)
)
PRISM = b"""<?xml version="1.0"?><GraphPadPrismFile xmlns="http://graphpad.com/prism/Prism.htm"><Table ID="T0"
XFormat="numbers" YFormat="replicates"><Title>V</Title>
<XColumn><Title>log[x], M</Title><Subcolumn><d>-9</d><d>-8</d>
<d>-7</d><d>-6</d><d>-5</d></Subcolumn></XColumn>
<YColumn Subcolumns="1"><Title>Pom</Title><Subcolumn><d>99</d>
<d>93</d><d>70</d><d>30</d><d>8</d></Subcolumn></YColumn></Table></GraphPadPrismFile>
"""
GROWN = ((b"sin(", b"", b")"), (b"(", b"", b")"), (b"-", b"", b""), (b"", b"+k", b""), (b"", b"*S", b""))
STATEMENTS = (
    f'import "{SECRET}"'.encode(),
    *(b"\x00", b"// \x00", b"model a() end", b"b = 1", b"S' = -S", b"delete S", b"unit x = 1 second"),
    *(b"const k", b"k = 1e999", b"function f(x) f(x) end", b"J2: S -> S; f(S)", b"@1", b"x identity y"),
)
FIELDS = {
    "executor": {"kind": "dask", "address": ADDRESS, "workers": 2},
    "plates": {"protocols": ["fp"]},
    "trials": [{"protocol": "mm003", "replicates": 3}],
}
# Fields of a protocol whose values were fitted or have a physical range, and factors far outside it.
FAR = (
    *(("dose_mg", 100), ("dose_mg", 250_000), ("anc_1e9_per_l", 1e-6), ("weight_kg", 1e-8)),
    *(("weight_kg", 1e4), ("follow_up", 400), ("creatinine_clearance_ml_per_min", 1e-6), ("age_y", 10)),
)


def kinds() -> list[Kind]:
    """Every kind whose reader is there."""
    found = []
    for part in PARTS:
        try:
            found += list(part())
        except (ImportError, AttributeError, TypeError) as error:
            print(f"left out: {part.__name__} ({error})", file=sys.stderr)
    return found


def _models() -> Iterator[Kind]:
    change = words(GROWN, STATEMENTS)
    compiles = called("glueprint.engine:compile")
    yield of_file("antimony", ".ant", ANTIMONY, _or_raw(change), _told_apart(compiles), 10)
    yield of_file("sbml", ".xml", SBML, _or_raw(markup), _told_apart(compiles), 4)
    simulate = command("model", "simulate", FILE, "--until", "6")
    yield of_file("simulated", ".ant", ANTIMONY, change, simulate)


def _told_apart(compiles: Callable[[World, Path], Any]) -> Callable[[World, Path], object]:
    """What a model file says must all be in the model: nothing after a zero byte, nothing of other files."""

    def use(world: World, path: Path) -> object:
        content = path.read_bytes()
        model = compiles(world, path)
        if b"\0" in content.strip(b"\0"):
            raise Unsafe("text after a zero byte was dropped")
        if str(world.secret).encode() in content and b"import" in content:
            raise Unsafe("a model reads another file")
        return model

    return use


def _documents() -> Iterator[Kind]:
    study, trials = import_module("glueprint.study"), import_module("glueprint.trials")
    compounds, layout = (
        import_module("glueprint.mechanism.compounds"),
        import_module("glueprint.assays.layout"),
    )
    plain = study.definition.source("pomalidomide").read_bytes()
    change = tree(tomllib.loads, as_toml, FIELDS)
    yield of_file("study", ".toml", plain, _or_raw(change), called("glueprint.study:load"), 12)
    protocol = trials.source("mm003").encode()
    yield of_file("protocol", ".toml", protocol, _or_raw(change), called("glueprint.trials:load_protocol"), 4)
    compound = compounds.source("pomalidomide").encode()
    reads = called("glueprint.mechanism.compounds:load")
    yield of_file("compound", ".toml", compound, _or_raw(change), reads, 4)
    plates = layout.template("elisa", 96).encode()
    yield of_file("layout", ".toml", plates, _or_raw(change), called("glueprint.assays.layout:read"), 8)


def _projects() -> Iterator[Kind]:
    glue = import_module("glueprint.study.glue")
    with tempfile.TemporaryDirectory() as place:
        glue.new(Path(place) / "x", compound="GLX-1", smiles="O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1")
        whole = (Path(place) / "x" / "glue.toml").read_bytes()

    def load(_world: World, path: Path) -> object:
        return glue.load(path.rename(path.with_name("glue.toml")).parent)

    change = tree(tomllib.loads, as_toml)
    yield of_file("glue", ".toml", whole, _or_raw(change), load, 12)


def _rules() -> Iterator[Kind]:
    trials = import_module("glueprint.trials")
    whole = trials.rules_template().encode()
    change = tree(tomllib.loads, as_toml)
    yield of_file("rules", ".toml", whole, _or_raw(change), called("glueprint.trials:load_rules"), 10)


def _tables() -> Iterator[Kind]:
    yield of_file("tidy", ".csv", PLATE, _or_raw(table), called("glueprint.assays.readers:read"), 2)
    book = archive(
        lambda data, chance: markup(data, chance) if data.lstrip()[:1] == b"<" else raw(data, chance)
    )
    yield of_file("workbook", ".xlsx", _workbook(), _or_raw(book), called("glueprint.assays.readers:read"), 3)


def _intake() -> Iterator[Kind]:
    door = called("glueprint.assays.intake.door:read")
    yield of_file("prism", ".pzfx", PRISM, _or_raw(markup), door, 2)
    book = archive(markup)
    yield of_file("sheet", ".xlsx", _workbook(), _or_raw(book), door, 2)
    yield of_file("rows", ".csv", PLATE, _or_raw(table), door, 2)


def _records_of_patients() -> Iterator[Kind]:
    yield of_file("records", ".csv", RECORDS, _or_raw(table), called("glueprint.engine:read_records"), 16)
    yield of_file("dataset", ".json", _dataset(), _or_raw(tree(json.loads, json.dumps)), _cdisc(), 12)
    yield of_file("transport", ".xpt", _dataset(), raw, _cdisc(), 6)


def _cdisc() -> Callable[[World, Path], object]:
    return called("glueprint.trials.cdisc.files:read")


def _dataset() -> bytes:
    names = [{"itemOID": f"x.{n}", "name": n, "label": n, "dataType": "string"} for n in ("USUBJID", "PARAM")]
    rows = [["1", "a"], ["2", None]]
    about = {"datasetJSONVersion": "1.1.0", "itemGroupOID": "x", "records": 2, "name": "ADTTE", "label": "x"}
    return json.dumps({**about, "columns": names, "rows": rows}).encode()


def _images() -> Iterator[Kind]:
    shades = np.arange(1024, dtype=np.uint16).reshape(32, 32)
    reads = called("glueprint.assays.blot.image:read")
    stream = io.BytesIO()
    tifffile.imwrite(stream, shades, compression="zlib")
    yield of_file("tiff", ".tif", stream.getvalue(), _or_raw(tags), reads, 10)
    yield of_file("png", ".png", bytes(imagecodecs.png_encode(shades)), _or_raw(chunks), reads, 12)
    yield of_file("jpeg", ".jpg", bytes(imagecodecs.jpeg8_encode(shades.astype(np.uint8))), raw, reads, 10)


def _kept() -> Iterator[Kind]:
    """What runs leave, in the hands of somebody who can seal, too."""
    ledger, provenance = import_module("glueprint.runs.ledger"), import_module("glueprint.runs.provenance")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ledger.append(folder, "begun", {"request": "0" * 64})
        ledger.append(folder, "finished", {"files": {"tables/a.parquet": "0" * 64}})
        book = (folder / ledger.FILE_NAME).read_bytes()
    entries = tree(lambda text: [*map(json.loads, text.splitlines())], lambda root: _sealed(root, ledger))

    def read_ledger(_world: World, path: Path) -> object:
        return ledger.broken_at(path), ledger.read(path)

    yield of_file("ledger", ".jsonl", book, _or_raw(entries), read_ledger, 16)
    record = provenance.text_of(provenance.new("glueprint-study", {"seed": 1}, {"study": "0" * 64}))
    change = tree(json.loads, json.dumps)
    reads = called("glueprint.runs.provenance:read")
    yield of_file("provenance", ".json", record.encode(), _or_raw(change), reads, 12)
    yield of_file("parquet", ".parquet", _parquet(), _or_raw(_other_parquet), _read_table(), 12)


def _sealed(root: Any, ledger: Any) -> str:
    """Lines of a ledger, each numbered and sealed anew where it is still a table."""
    lines, previous = [], "0" * 64
    for number, entry in enumerate(root, start=1):
        content = entry
        if isinstance(entry, dict):
            content = {name: value for name, value in entry.items() if name != "hash"}
            content |= {"number": number, "previous": previous}
            previous = content["hash"] = _seal(content, ledger)
        lines.append(json.dumps(content, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def _seal(content: Any, ledger: Any) -> str:
    try:
        return str(ledger.seal(content))
    except ValueError:  # surrogates have no bytes to seal
        return "0" * 64


def _read_table() -> Callable[[World, Path], object]:
    store = import_module("glueprint.runs.store")
    return lambda _world, path: store.read_table(path, "t")


def _parquet(frame: pl.DataFrame | None = None) -> bytes:
    store = import_module("glueprint.runs.store")
    with tempfile.TemporaryDirectory() as place:
        store.write_tables(Path(place), {"t": frame or pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]})})
        return (Path(place) / "t.parquet").read_bytes()


def _other_parquet(content: bytes, chance: Random) -> bytes:
    """A file with names, types and remarks of somebody else's choice, and other numbers in its foot."""
    names = [chance.choice(("a", "b", *TEXTS)).encode("utf-8", "replace").decode() for _ in range(2)]
    values = chance.choice(([1, 2], [1.5, None], [[1], []], [{"x": 1}, None], ["\x1b", "=1"], [b"\0", b""]))
    stream = io.BytesIO()
    frame = pl.DataFrame(dict.fromkeys(names, values))
    remark = {"glueprint": chance.choice(TEXTS), "kind": "t"} if chance.random() < 0.5 else {}
    frame.write_parquet(
        stream, metadata={k: v.encode("utf-8", "replace").decode() for k, v in remark.items()}
    )
    made = bytearray(chance.choice((content, stream.getvalue())))
    foot = len(made) - 8 - int.from_bytes(made[-8:-4], "little")
    for _ in range(chance.randint(0, 3)):
        made[chance.randrange(max(foot, 0), len(made))] = chance.randrange(256)
    if chance.random() < 0.1:
        made[-8:-4] = chance.choice((0, 2**31 - 1, 2**32 - 1, len(made))).to_bytes(4, "little")
    return bytes(made)


def _vouching() -> Iterator[Kind]:
    """Records of commands and signatures, sealed and signed by a stranger who knows how."""
    records, signatures = import_module("glueprint.runs.records"), import_module("glueprint.runs.signatures")
    ledger, keys = import_module("glueprint.runs.ledger"), import_module("glueprint.runs.keys")
    private = import_module("cryptography.hazmat.primitives.asymmetric.ed25519").Ed25519PrivateKey
    key = private.from_private_bytes(b"\7" * 32)
    blank = asdict(records.begun(("fit", "x.csv"), 7))
    stated = {"path": "x.csv", "name": "x.csv", "sha256": "0" * 64, "bytes": 3, "read": None}
    blank |= {"inputs": [stated], "outputs": [stated], "previous": "0" * 64, "digest": "0" * 64}

    def seals(about: Any) -> str:
        if isinstance(about, dict):
            about = about | {"digest": _seal({k: v for k, v in about.items() if k != "digest"}, ledger)}
        return json.dumps(about, indent=2, ensure_ascii=False, sort_keys=True) + "\n"

    change = tree(json.loads, seals)
    reads = called("glueprint.runs.records:read")
    yield of_file("record", ".json", seals(blank).encode(), _or_raw(change), reads, 12)
    signed = asdict(
        signatures.Signature("author", "2026-01-01T00:00:00+00:00", keys.public_text(key), {"a": "0" * 64})
    )

    def signs(about: Any) -> str:
        if isinstance(about, dict):
            rest = {name: value for name, value in about.items() if name != "signature"}
            text = b"glueprint-signature 1\n" + _seal(rest, ledger).encode()
            about = rest | {"signature": base64.b64encode(key.sign(text)).decode()}
        return json.dumps(about, indent=2, ensure_ascii=False, sort_keys=True) + "\n"

    def check(world: World, path: Path) -> object:
        place = world.inside / "signatures"
        place.mkdir()
        content = path.read_bytes()
        said = re.search(rb'"meaning": "(author|reviewer)"', content)
        meaning = said[1].decode() if said else None
        digest = _hash(content)
        name = f"{meaning}-{digest[:16]}.json" if meaning else "author-0.json"
        path.rename(place / name)
        return signatures.check(world.inside, {keys.public_text(key): "me"})

    yield of_file("signature", ".json", signs(signed).encode(), _or_raw(tree(json.loads, signs)), check, 14)
    line = f"{keys.public_text(key)} Ada Lovelace\n".encode()
    yield of_file("trusted", "", line, _or_raw(words(())), called("glueprint.runs.keys:trusted"), 8)


def _hash(content: bytes) -> str:
    return str(import_module("hashlib").sha256(content).hexdigest())


def _commands() -> Iterator[Kind]:
    figure = command("assay", "plate", FILE, "--figure", f"{OUT}/f.html")
    yield of_file("named", ".csv", PLATE, _names_or(table), figure)
    yield of_file("run-study", ".toml", _tiny_study(), tree(tomllib.loads, as_toml, FIELDS), _run_study())
    yield of_file("far", ".toml", _tiny(), _far, _runs_far())


def _exports() -> Iterator[Kind]:
    saved = command("assay", "plate", FILE, "--save", f"{OUT}/s.csv")
    yield of_file("saved", ".csv", PLATE, _names_or(table), saved)
    fitted = command("fit", FILE, "--x", "dose_nM", "--y", "response", "--by", "compound", "--out", OUT)
    yield of_file("fitted", ".csv", CURVES, _names_or(table), fitted)
    survived = ("survival", FILE, "--time", "months", "--event", "event", "--arm", "arm", "--out", OUT)
    yield of_file("survival", ".csv", PATIENTS, table, command(*survived, "--covariate", "age"))
    yield of_file(
        "read", ".csv", PLATE, _names_or(table), command("assay", "read", FILE, "--save", f"{OUT}/s.csv")
    )


def _analyses() -> Iterator[Kind]:
    growth = command("assay", "growth", FILE, "--out", OUT)
    yield of_file("growth", ".csv", CURVES.replace(b"response", b"viability"), _names_or(table), growth)


def _tiny() -> bytes:
    text = import_module("glueprint.trials").source("mm003")
    text = re.sub(r"(?m)^patients = \d+", "patients = 8", text)
    return re.sub(r"(?m)^(minimum|median|maximum)_months = [\d.]+", r"\1_months = 2", text).encode()


def _tiny_study() -> bytes:
    study = {
        "kind": "glueprint-study",
        "version": 1,
        "name": "tiny",
        "title": "x",
        "compound": "pomalidomide",
    }
    return as_toml(
        study | {"trials": [{"protocol": "absent.toml"}], "profiles": {"patients": 20, "days": 1}}
    ).encode()


def _run_study() -> Callable[[World, Path], object]:
    """A study whose trial's protocol lies beside it, when nothing else is asked of it."""
    run = command("study", "run", FILE, "--out", OUT, "--workers", "1")

    def use(world: World, path: Path) -> object:
        (path.parent / "absent.toml").write_bytes(_tiny())
        if "dask" not in path.read_text(errors="replace"):
            return import_module("glueprint.study").load(path)
        return run(world, path)

    return use


def _far(content: bytes, chance: Random) -> bytes:
    """One number of a protocol that is far from all that was fitted, or outside physics."""
    root = tomllib.loads(content.decode())
    field, factor = chance.choice(FAR)
    if field == "dose_mg":
        root["arms"][0]["drugs"][0]["dose_mg"] *= factor  # the glue's
    elif field == "follow_up":
        root["follow_up"] |= {f"{n}_months": 3 * factor for n in ("minimum", "median", "maximum")}
    else:
        about = root["case_mix"][field]
        root["case_mix"][field] = about | {
            name: value * factor
            for name, value in about.items()
            if name in ("mean", "median", "low", "high", "sd")
        }
    return as_toml(root).encode()


def _runs_far() -> Callable[[World, Path], object]:
    run = command("trial", "run", FILE, "--json")

    def use(world: World, path: Path) -> object:
        done: Any = run(world, path)
        code, text = done
        if code == 0 and "GP-T08" not in text:
            raise Unsafe("numbers far from all that was fitted get an answer without a remark")
        return code

    return use


def _options() -> Iterator[Kind]:
    """Numbers on the command line."""
    lines = (
        ("trial", "run", FILE, "--replicates", "N"),
        ("model", "simulate", FILE, "--until", "N", "--every", "N"),
        ("model", "simulate", FILE, "--until", "10", "--every", "N"),
        ("model", "simulate", FILE, "--until", "1", "--set", "k=N"),
    )

    def make(world: World, chance: Random) -> Callable[[], object]:
        line = chance.choice(lines)
        path = world.inside / ("input.toml" if line[0] == "trial" else "input.ant")
        protocol = tomllib.loads(_tiny().decode())
        if chance.random() < 0.5:
            protocol["arms"][0]["patients"] = chance.choice(NUMBERS)
        path.write_bytes(as_toml(protocol).encode() if line[0] == "trial" else ANTIMONY)
        # So many replicates as a machine can do would take as long as they should.
        numbers = [one for one in NUMBERS if line[0] != "trial" or not 3 < one < 100_000]
        given = [repr(chance.choice(numbers)) if word == "N" else word.replace("N", "1e300") for word in line]
        return lambda: command(*given)(world, path)

    yield Kind("options", make)


def _names_or(change: Change) -> Change:
    return lambda content, chance: (names if chance.random() < 0.5 else change)(content, chance)


def _or_raw(change: Change) -> Change:
    return lambda content, chance: (raw if chance.random() < 0.25 else change)(content, chance)


def _workbook() -> bytes:
    stream = io.BytesIO()
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
    return stream.getvalue()


PARTS: tuple[Callable[[], Iterator[Kind]], ...] = (
    *(_models, _documents, _projects, _rules, _tables, _intake, _records_of_patients, _images, _kept),
    *(_vouching, _commands, _exports, _analyses, _options),
)
