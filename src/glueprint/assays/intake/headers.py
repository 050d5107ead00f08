"""Headers as people write them ("Dose (µM)", "% Viability", "log[M]", "Cell line") to our names, units and
scales."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from glueprint.assays.intake.labels import listed

__all__ = ["LOGARITHMS", "PER_CENT", "PER_HOUR", "Heading", "dose_column", "parsed", "unit_of"]

UNITS = {
    "fM": "fm",
    "pM": "pm pmol/l picomolar",
    "nM": "nm nmol/l nanomolar",
    "uM": "um µm μm umol/l µmol/l μmol/l micromolar",
    "mM": "mm mmol/l millimolar",
    "M": "m mol/l molar",
    "ng/mL": "ng/ml",
    "ug/mL": "ug/ml µg/ml μg/ml",
    "mg/mL": "mg/ml",
    "pg/mL": "pg/ml",
    "ug/L": "ug/l",
    "mg/L": "mg/l",
    "g/L": "g/l",
    "IU/mL": "iu/ml",
    "U/mL": "u/ml",
}
# Units of concentration that are no other word: "nM" alone is a column of doses.
UNITLIKE = frozenset(name for names in UNITS.values() for name in names.split() if len(name) > 1)
CONCENTRATIONS = {name: ours for ours, names in UNITS.items() for name in names.split()}
# Hours in one of these.
HOURS = {
    1.0: "h hr hrs hour hours stunden",
    1.0 / 60.0: "min mins minute minutes",
    24.0: "d day days",
    168.0: "wk week weeks",
    1.0 / 3600.0: "s sec second seconds",
}
PER_HOUR = {name: hours for hours, names in HOURS.items() for name in names.split()}
PER_CENT = ("%", "percent", "pct", "per cent", "perc")
LOGARITHMS = {"log10": 10.0, "log": 10.0, "lg": 10.0, "log2": 2.0, "ln": 2.718281828459045}
# Our name -> what it is called elsewhere. The first name that fits is taken.
NAMES: Mapping[str, str] = {
    "dose": (
        "dose|doses|conc|concs|concn|concentration|concentrations|final conc|"
        "final concentration|drug conc|drug concentration|compound conc|"
        "compound concentration|drug dose|cpd conc|amount|x|linear dose|c"
    ),
    "dose_unit": (
        "dose unit|dose units|unit|units|conc unit|concentration unit|conc units|concentration units"
    ),
    "viability": (
        "viability|viab|cell viability|survival|surviving fraction|cell survival|"
        "relative viability|normalised viability|normalized viability|viable|"
        "viable cells|of control|control|relative growth|growth|infectivity|"
        "fraction infectivity|fraction viable|fraction of control|viability of control|"
        "proliferation"
    ),
    "inhibition": (
        "inhibition|inhib|inh|growth inhibition|inhibition of growth|cytotoxicity|killing|"
        "kill|cell death|death|fraction inhibited|inhibited|fraction inhibition"
    ),
    "fraction_remaining": (
        "fraction remaining|remaining|protein remaining|remaining protein|"
        "relative level|protein level|relative protein|left"
    ),
    "fraction_degraded": (
        "fraction degraded|degraded|degradation|protein degraded|loss|lost|protein loss|depletion|knockdown"
    ),
    "signal": (
        "signal|rlu|rfu|luminescence|lum|fluorescence|fluo|absorbance|abs|od|intensity|"
        "raw|raw signal|raw value|ctg|celltiter glo|cell titer glo|lumi|"
        "optical density|cps|cell count|counts|mfi|number objects|nuclei number objects|object count|"
        "nuclei count|number nuclei|number cells|cell number|cells per well|"
        "confluence|confluency|phase confluence|phase object confluence"
    ),
    "time_h": (
        "time|assay time|exposure|exposure time|timepoint|time point|incubation|"
        "incubation time|treatment time|duration|hours|hour|hr|hrs|h|days|minutes|elapsed"
    ),
    "doubling_time_h": "doubling time|doubling|population doubling time|dt|td",
    "line": (
        "line|cell line|cellline|cells|cell|cell name|cell type|donor|patient|strain|clone|genotype|model"
    ),
    "compound": (
        "compound|drug|inhibitor|substance|molecule|compound name|drug name|cpd|"
        "compound id|treatment|agent|sample|sample name|name|ligand|test article"
    ),
    "experiment": (
        "experiment|exp|run|experiment id|experiment no|biological replicate|bio rep|"
        "biorep|biological rep|biol rep|bio replicate|independent experiment|batch|"
        "date|assay date|experiment date|passage|independent replicate"
    ),
    "replicate": "replicate|rep|technical replicate|tech rep|technical rep|repeat|tech replicate",
    "target": "target|protein|protein name|substrate|neosubstrate|antigen",
    "plate": "plate|plate id|plate name|plate number|plate no|plate nr|assay plate|barcode|plate barcode",
    "membrane": "membrane|membrane id|blot|blot id|blot no|gel|gel id|gel no",
    "role": "role|well type|welltype|type|kind|content",
    "unnamed": (
        "value|values|response|responses|result|results|readout|reading|y|measurement|data|mean|average|avg"
    ),
    "spread": (
        "sd|sem|se|cv|std|stdev|st dev|standard deviation|standard error|error|std dev|"
        "err|ci|n|n wells|cv percent|lower|upper|lcl|ucl|lower limit|upper limit|lower ci|upper ci"
    ),
}
# The same in German, French and Spanish.
ELSEWHERE = {
    "dose": "dosis|konzentration|konz|concentración|concentracion|endkonzentration|wirkstoffkonzentration",
    "viability": "viabilität|vitalität|überleben|viabilité|survie|viabilidad|supervivencia",
    "inhibition": "hemmung|inhibición|inhibicion|zytotoxizität|toxizität",
    "fraction_remaining": "verbleibend|restprotein|restant|restante",
    "fraction_degraded": "abbau|abgebaut|dégradation|degradación",
    "signal": "lumineszenz|fluoreszenz|absorption|extinktion|luminiscencia|fluorescencia|signalintensität",
    "time_h": "zeit|inkubationszeit|dauer|temps|tiempo|inkubation|stunden|heures|horas",
    "line": "zelllinie|zellinie|zellen|lignée|spender|patientin|línea celular|linea celular",
    "compound": "substanz|wirkstoff|verbindung|behandlung|probe|composé|traitement|compuesto|tratamiento",
    "experiment": "versuch|datum|expérience|experimento",
    "replicate": "replikat|wiederholung|wdh|réplicat|réplica",
    "plate": "platte|plattennummer|plaque|placa",
    "target": "zielprotein|protéine|proteína",
    "unnamed": "wert|werte|messwert|mittelwert|valeur|moyenne|valor|media",
}
OURS = {
    name: ours for known in (ELSEWHERE, NAMES) for ours, names in known.items() for name in names.split("|")
}
SPREAD = listed("sd|sem|cv|std|stdev|stderr|error|err|+/-|±|fit|fitted|residual")
# What a response without a name of ours is not, whatever its numbers look like: a complement, a rate or a
# score.
OTHERWISE = re.compile(
    r"inhib(?!itors?\b)|\binh\b|reduction|\bloss|\blost|\bdead|death|\bkill|apopto|annexin|necrosis|necrotic|lysis"
    r"|release|toxicity|decrease|deplet|degrad(?!ers?\b)|caspase|non.?viab|not viab|affected|\beffect"
    r"|growth rate|z.?score|\blog|\bln\b|^gr$|\bgr.?(?:values?|metrics?)\b"
)
# What may stand before or behind a name and changes nothing.
AROUND = re.compile(
    r"^(?:percent|fraction|mean|average|avg|final|nominal|cell) | (?:mean|average|avg|fraction)$"
)
BRACKETS = re.compile(r"[\[(]([^\])]*)[\])]")
# What was computed of a curve, and is no dose of it.
POTENCY = re.compile(r"\b(?:log ?|p)?(?:[acdegi][ci]50|gr50|gec50|gi50|ki|kd)\b|\bhill\b|\br2\b|\bemax\b")
# Cells that were counted: "viable cells (10^6/mL)", "viable cells x10^6".
COUNT = re.compile(r"[x\u00d7(\s]10\s?\^?\d|/\s?m?l\b|\bper m?l\b|\bmillions?\b")
# "nmol L-1", "\u00b5g\u00b7mL\u207b\u00b9" with the slash that the names of units have.
PER_LITRE = re.compile(r"(mol|g)\s*[\u00b7.*]?\s*(m?[lL])\s*(?:\^?-1|\u207b\u00b9)")
# Light and not an amount: "450 nm", "OD450", "Abs (nm)". Capitals tell: nobody writes a wavelength in nM.
WAVELENGTH = re.compile(r"(?<![\d.])(?:19\d|[2-9]\d\d|10\d\d)[\s_]*nm\b")
OPTICAL = re.compile(
    r"\b((?i:od|absorbance|abs|wavelength)(?![a-zA-Z]))[\s_]*(?:[2-9]\d\d\b)?(?:[\s_]*[\[(]nm[\])])?"
    r"|\b((?i:a|ex|em|excitation|emission))[\s_]*[2-9]\d\d[\s_]*[\[(]nm[\])]"
)


@dataclass(frozen=True)
class Heading:
    """What a header says. ours: our name, "" where it is none.   words: without unit, in small letters.

    unit: of concentration or of time.   per_cent: as written.   base: of a logarithm, 0 for none; 0.1 for
    -log10.
    """

    ours: str
    words: str
    unit: str = ""
    per_cent: bool = False
    base: float = 0.0


def parsed(header: str) -> Heading:
    """A header taken apart; a name of ours stands for itself."""
    text = PER_LITRE.sub(r"\1/\2", _without_light(header.strip()))
    lower = text.lower()
    inside = [found.strip() for found in BRACKETS.findall(text)]
    bare = BRACKETS.sub(lambda found: " " if _is_unit(found[1]) else f" {found[1]} ", text)
    tokens = [token for token in re.split(r"[\s_,;:]+|-(?=\d*$)", bare) if token]
    if len(tokens) > 2 and tokens[-1].lower() == "final":
        tokens.pop()  # "conc uM (final)": the unit ends the header
    unit = next((unit_of(part) for part in inside if unit_of(part)), "")
    per_cent = any(part.lower() in PER_CENT for part in inside)
    base = 0.0
    kept = []
    for place, token in enumerate(tokens):
        small = token.lower().strip(".")
        last = place == len(tokens) - 1 and not unit
        if small in PER_CENT or small == "cent":
            per_cent = True
        elif _log(small)[0] and not base and (_log(small)[1] or len(tokens) + len(inside) > 1):
            base, rest = _log(small)
            kept += [rest] if rest else []
        elif small.startswith("%") and len(small) > 1:
            per_cent = True
            kept.append(small[1:])
        elif (
            last and not unit and unit_of(token) and (kept or base or small in UNITLIKE) and small not in "sc"
        ):
            unit = unit_of(token)
        elif small not in ("per", "in", "of", "the", "-"):
            kept.append(small)
    if lower in ("logm", "log10m"):
        return Heading("dose", "dose", "M", base=10.0)
    words = " ".join(kept).strip(" .")
    outside = " ".join(BRACKETS.sub(" ", " ".join(text.lower().replace("_", " ").split())).split())
    spread = next((token for token in kept if token in SPREAD), "")
    ours = "spread" if spread else _ours(words) or _ours(outside)
    if ours == "viability" and words in ("control", "of control", "growth", "left") and not per_cent:
        ours = ""
    if not ours and words in ("", "m") and base:
        ours, unit = "dose", unit or "M"
    if ours in ("", "viability") and "cell" in lower and not per_cent and COUNT.search(lower):
        ours = "signal"
    # "Glue 100 nM" holds readings at that dose.
    bracketed = any(map(unit_of, inside))
    at_dose = len(kept) > 1 and not bracketed and kept[-1].replace(".", "", 1).isdigit()
    if ours in ("", "compound", "target") and unit in CONCENTRATIONS.values() and not at_dose:
        ours = "dose"
    if ours in ("", "dose") and POTENCY.search(words):
        ours = "spread"  # beside the readings, and none of them
    if ours == "time_h" and not unit and words in PER_HOUR:
        unit = words
    return Heading(ours, words, unit, per_cent, base)


def dose_column(columns: Collection[str]) -> str:
    """Our column of doses among columns; "" for none."""
    return next((name for name in ("dose_nm", "dose") if name in columns), "")


def _without_light(text: str) -> str:
    """A header without the wavelength that it names: "OD450 (nm)" is an OD."""
    shorter = OPTICAL.sub(lambda found: f"{found[1] or found[2]} ", WAVELENGTH.sub(" ", text))
    return " ".join(BRACKETS.sub(lambda found: found[0] if found[1].strip() else "", shorter).split())


def _log(token: str) -> tuple[float, str]:
    """The base that a word such as "log10", "-log" or "lnConc" begins with, 0 for none, and the dose behind
    it."""
    positive = token.lstrip("-–−")
    for name, base in LOGARITHMS.items():
        rest = positive.removeprefix(name)
        if rest != positive and (not rest or OURS.get(rest) == "dose"):
            return (base if positive == token else 1.0 / base), rest
    return 0.0, ""


def _ours(words: str) -> str:
    return OURS.get(words) or OURS.get(AROUND.sub("", words), "")


def _is_unit(text: str) -> bool:
    return bool(unit_of(text)) or text.strip().lower() in PER_CENT


def unit_of(text: str) -> str:
    """A unit of concentration as we write it, or of time in small letters; "" for neither."""
    small = text.strip().lower()
    if small == "m" and text.strip() != "M":
        return ""
    return CONCENTRATIONS.get(small, small if small in PER_HOUR else "")
