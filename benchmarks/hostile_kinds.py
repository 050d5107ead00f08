"""The kinds of files that are attacked: a whole one of each, how it is changed, and what reads it.

A kind whose reader this version lacks is left out, so that an older version can be attacked, too.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Sequence
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
    SECRET,
    Change,
    a_number,
    archive,
    as_toml,
    chunks,
    markup,
    names,
    or_raw,
    raw,
    references,
    table,
    tags,
    tree,
    words,
)
from benchmarks.hostile_kept import kept, vouching
from benchmarks.hostile_world import FILE, OUT, Attempt, Kind, Unsafe, World, called, command, of_file

__all__ = ["kinds", "same"]

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
GROWTH = b"compound,dose_nm,viability\n" + b"".join(
    b"%s,%d,%.2f\n" % (name, 10**n, high - 0.18 * n)
    for name, high in ((b"a", 0.98), (b"b", 0.93))
    for n in range(6)
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
FAR = 1.5, 8.0  # orders of magnitude beyond what a protocol was fitted to
# What a person writes in an editor, and what editors make of it.
SPELT = (
    *("antimony", "sbml", "simulated", "study", "protocol", "compound", "layout", "glue", "rules", "tidy"),
    *("rows", "prism", "records", "survival", "fitted", "growth"),
)
SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "a mark of UTF-8": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "ends of lines of Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "both": lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
    "no last end of line": lambda text: text.rstrip("\n").encode(),
    "empty lines at the end": lambda text: (text + "\n\n").encode(),
    "nothing": lambda text: text.encode(),
}


def kinds() -> list[Kind]:
    """Every kind whose reader is there."""
    found = []
    for part in PARTS:
        try:
            found += list(part())
        except (ImportError, AttributeError, TypeError) as error:
            print(f"left out: {part.__name__} ({error})", file=sys.stderr)
    return [*found, Kind("same", same([kind for kind in found if kind.name in SPELT]), 4)]


def same(kinds_: Sequence[Kind]) -> Callable[[World, Random], Attempt]:
    """A whole file as another editor saves it: it says the same, so it must be read."""

    def make(world: World, chance: Random) -> Attempt:
        kind, how = chance.choice(kinds_), chance.choice(list(SPELLINGS))
        path = world.inside / f"input{kind.ending}"
        text = SPELLINGS[how](kind.whole.decode())
        if kind.ending == ".xml" and how == "UTF-16":
            text = kind.whole  # whose first line says UTF-8
        path.write_bytes(world.real(text))

        def use() -> object:
            done, refusal = _refusal(kind, world, path)
            if refusal:
                path.write_bytes(world.real(kind.whole))
                if not _refusal(kind, world, path)[1]:  # else this version reads no such file at all
                    raise Unsafe(f"{kind.name} with {how} is refused: {refusal}")
            return done

        return use

    return make


def _refusal(kind: Kind, world: World, path: Path) -> tuple[object, str]:
    """What a reader returns, and why it refuses the file, if it does."""
    assert kind.use is not None
    try:
        done = kind.use(world, path)
    except import_module("glueprint.errors").GlueprintError as error:
        return (2, ""), str(error)
    return done, str(done[1])[-300:] if isinstance(done, tuple) and done[:1] == (2,) else ""


def _models() -> Iterator[Kind]:
    change = words(GROWN, STATEMENTS)
    compiles = called("glueprint.engine:compile")
    yield of_file("antimony", ".ant", ANTIMONY, or_raw(change), _told_apart(compiles), 10)
    yield of_file("sbml", ".xml", SBML, or_raw(markup), _told_apart(compiles), 4)
    simulate = command("model", "simulate", FILE, "--until", "6")
    yield of_file("simulated", ".ant", ANTIMONY, change, simulate)


def _told_apart(compiles: Callable[[World, Path], Any]) -> Callable[[World, Path], object]:
    """What a model file says must all be in the model: nothing after a zero byte, nothing of other files."""

    def use(world: World, path: Path) -> object:
        content = path.read_bytes()
        world.hide()
        try:
            model = compiles(world, path)
        finally:
            if world.was_read():
                raise Unsafe("a model reads another file")
        if b"\0" in content.strip(b"\0") and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            raise Unsafe("text after a zero byte was dropped")
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
    yield of_file("study", ".toml", plain, or_raw(change), called("glueprint.study:load"), 12)
    protocol = trials.source("mm003").encode()
    yield of_file("protocol", ".toml", protocol, or_raw(change), called("glueprint.trials:load_protocol"), 4)
    compound = compounds.source("pomalidomide").encode()
    reads = called("glueprint.mechanism.compounds:load")
    yield of_file("compound", ".toml", compound, or_raw(change), reads, 4)
    plates = layout.template("elisa", 96).encode()
    yield of_file("layout", ".toml", plates, or_raw(change), called("glueprint.assays.layout:read"), 8)


def _projects() -> Iterator[Kind]:
    glue = import_module("glueprint.study.glue")
    with tempfile.TemporaryDirectory() as place:
        glue.new(Path(place) / "x", compound="GLX-1", smiles="O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1")
        whole = (Path(place) / "x" / "glue.toml").read_bytes()

    def load(_world: World, path: Path) -> object:
        return glue.load(path.rename(path.with_name("glue.toml")).parent)

    change = tree(tomllib.loads, as_toml)
    yield of_file("glue", ".toml", whole, or_raw(change), load, 12)


def _rules() -> Iterator[Kind]:
    trials = import_module("glueprint.trials")
    whole = trials.rules_template().encode()
    change = tree(tomllib.loads, as_toml)
    yield of_file("rules", ".toml", whole, or_raw(change), called("glueprint.trials:load_rules"), 10)


def _tables() -> Iterator[Kind]:
    yield of_file("tidy", ".csv", PLATE, or_raw(table), called("glueprint.assays.readers:read"), 2)
    reads = called("glueprint.assays.readers:read")
    yield of_file("workbook", ".xlsx", _workbook(), or_raw(archive(_sheet)), reads, 6)


def _sheet(data: bytes, chance: Random) -> bytes:
    """A part of a workbook with other markup, or with cells elsewhere."""
    if data.lstrip()[:1] != b"<":
        return raw(data, chance)
    return (references if chance.random() < 0.4 else markup)(data, chance)


def _intake() -> Iterator[Kind]:
    door = called("glueprint.assays.intake.door:read")
    yield of_file("prism", ".pzfx", PRISM, or_raw(markup), door, 2)
    yield of_file("sheet", ".xlsx", _workbook(), or_raw(archive(_sheet)), door, 4)
    yield of_file("rows", ".csv", PLATE, or_raw(table), door, 2)


def _records_of_patients() -> Iterator[Kind]:
    yield of_file("records", ".csv", RECORDS, or_raw(table), called("glueprint.engine:read_records"), 16)
    yield of_file("dataset", ".json", _dataset(), or_raw(tree(json.loads, json.dumps)), _cdisc(), 12)
    yield of_file("transport", ".xpt", _transported(), raw, _cdisc(), 6)


def _cdisc() -> Callable[[World, Path], object]:
    return called("glueprint.trials.cdisc.files:read")


def _dataset() -> bytes:
    names = [{"itemOID": f"x.{n}", "name": n, "label": n, "dataType": "string"} for n in ("USUBJID", "PARAM")]
    rows = [["1", "a"], ["2", None]]
    about = {"datasetJSONVersion": "1.1.0", "itemGroupOID": "x", "records": 2, "name": "ADTTE", "label": "x"}
    return json.dumps({**about, "columns": names, "rows": rows}).encode()


def _transported() -> bytes:
    sets, transport = (import_module(f"glueprint.trials.cdisc.{name}") for name in ("datasets", "transport"))
    variables = [sets.Variable("USUBJID", "Subject"), sets.Variable("AVAL", "Value", "float")]
    frame = pl.DataFrame({"USUBJID": ["1", "2"], "AVAL": [1.5, None]})
    about = ("ADTTE", "Times", "one row a subject", ("USUBJID",))
    return bytes(transport.written(sets.Dataset.of(about, variables, frame)))


def _images() -> Iterator[Kind]:
    shades = np.arange(1024, dtype=np.uint16).reshape(32, 32)
    reads = called("glueprint.assays.blot.image:read")
    stream = io.BytesIO()
    tifffile.imwrite(stream, shades, compression="zlib")
    yield of_file("tiff", ".tif", stream.getvalue(), or_raw(tags), reads, 10)
    yield of_file("png", ".png", bytes(imagecodecs.png_encode(shades)), or_raw(chunks), reads, 12)
    yield of_file("jpeg", ".jpg", bytes(imagecodecs.jpeg8_encode(shades.astype(np.uint8))), raw, reads, 10)


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
    yield of_file("growth", ".csv", GROWTH, _names_or(table), growth, 2)


def _tiny() -> bytes:
    text = import_module("glueprint.trials").source("mm003")
    sizes = iter(("12", "6"))  # of the arms, as the ratio has it
    text = re.sub(r"(?m)^patients = \d+", lambda _: f"patients = {next(sizes)}", text)
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
    """One quantity of a protocol by orders of magnitude away from all that was fitted, or outside physics."""
    root = tomllib.loads(content.decode())
    factor = 10 ** chance.uniform(*FAR)
    quantities = [name for name, about in root["case_mix"].items() if "low" in about]
    field = chance.choice(("dose_mg", "dose_mg", "months", *quantities))
    if field == "dose_mg":
        drugs = root["arms"][0]["drugs"]
        chance.choice(drugs)["dose_mg"] *= factor
    elif field == "months":
        root["follow_up"] |= {f"{n}_months": 3 * factor for n in ("minimum", "median", "maximum")}
    else:
        about = root["case_mix"][field]
        factor = chance.choice((factor, 1 / factor))
        root["case_mix"][field] = about | {
            name: value * factor
            for name, value in about.items()
            if name in ("mean", "median", "low", "high", "sd")
        }
    return f"# {field} times {factor:.2g}\n".encode() + as_toml(root).encode()


def _runs_far() -> Callable[[World, Path], object]:
    run = command("trial", "run", FILE, "--json")

    def use(world: World, path: Path) -> object:
        done: Any = run(world, path)
        code, text = done
        if code == 0 and "GP-T08" not in text:
            what = path.read_text().split("\n")[0]
            raise Unsafe(f"numbers far from all that was fitted get an answer without a remark {what}")
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
            # Some thousand would take as long as they should.
            factor = 10 ** chance.choice((1, 2, 7, 8, 9))
            for arm in protocol["arms"]:
                arm["patients"] *= factor
        path.write_bytes(as_toml(protocol).encode() if line[0] == "trial" else ANTIMONY)
        # So many replicates as a machine can do would take as long as they should.
        number = a_number(chance)
        while line[0] == "trial" and 3 < number < 100_000:
            number = a_number(chance)
        given = [repr(number) if word == "N" else word.replace("N", "1e300") for word in line]
        (world.inside / "line.txt").write_text(" ".join(given))
        return lambda: command(*given)(world, path)

    yield Kind("options", make)


def _names_or(change: Change) -> Change:
    return lambda content, chance: (names if chance.random() < 0.5 else change)(content, chance)


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
    *(_models, _documents, _projects, _rules, _tables, _intake, _records_of_patients, _images, kept),
    *(vouching, _commands, _exports, _analyses, _options),
)
