"""Define-XML 2.1: which datasets there are, their variables, and the terms these may have.

Source: CDISC Define-XML 2.1 (2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from xml.etree import ElementTree as Xml

import glueprint
from glueprint.trials.cdisc.datasets import Dataset, Variable

__all__ = ["define_xml"]

ODM = "http://www.cdisc.org/ns/odm/v1.3"
DEF = "http://www.cdisc.org/ns/def/v2.1"
XLINK = "http://www.w3.org/1999/xlink"
STANDARD = "STD.ADAM"
CLASSES = {"ADSL": "SUBJECT LEVEL ANALYSIS DATASET", "ADAE": "OCCURRENCE DATA STRUCTURE"}
BASIC = "BASIC DATA STRUCTURE"


def define_xml(datasets: Sequence[Dataset], created: datetime, suffix: str) -> str:
    """The document that describes datasets in files named after them with this suffix."""
    for prefix, space in (("", ODM), ("def", DEF), ("xlink", XLINK)):
        Xml.register_namespace(prefix, space)
    study = next((str(d.frame["STUDYID"][0]) for d in datasets if d.frame.height), "study")
    when = created.strftime("%Y-%m-%dT%H:%M:%SZ")
    root = Xml.Element(
        f"{{{ODM}}}ODM",
        {
            "ODMVersion": "1.3.2",
            "FileType": "Snapshot",
            "FileOID": f"define.{study}",
            "CreationDateTime": when,
            "Originator": "Glueprint",
            "SourceSystem": "Glueprint",
            "SourceSystemVersion": glueprint.__version__,
            f"{{{DEF}}}Context": "Other",
        },
    )
    head = _under(root, "Study", {"OID": study})
    globals_ = _under(head, "GlobalVariables")
    described = f"Virtual trial {study}: simulated patients"
    for name, text in (("StudyName", study), ("StudyDescription", described), ("ProtocolName", study)):
        _under(globals_, name).text = text
    version = _under(
        head,
        "MetaDataVersion",
        {"OID": f"MDV.{study}", "Name": f"Analysis datasets of {study}", f"{{{DEF}}}DefineVersion": "2.1.0"},
    )
    standards = Xml.SubElement(version, f"{{{DEF}}}Standards")
    about = {"OID": STANDARD, "Name": "ADaMIG", "Type": "IG", "Version": "1.3", "Status": "Final"}
    Xml.SubElement(standards, f"{{{DEF}}}Standard", about)
    for dataset in datasets:
        _group(version, dataset, suffix)
    for dataset in datasets:
        for variable in dataset.variables:
            _item(version, dataset, variable)
    for dataset in datasets:
        for variable in dataset.variables:
            _codes(version, dataset, variable)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _under(parent: Xml.Element, name: str, attributes: dict[str, str] | None = None) -> Xml.Element:
    return Xml.SubElement(parent, f"{{{ODM}}}{name}", attributes or {})


def _described(parent: Xml.Element, text: str) -> None:
    _under(_under(parent, "Description"), "TranslatedText", {"xml:lang": "en"}).text = text


def _group(version: Xml.Element, dataset: Dataset, suffix: str) -> None:
    group = _under(
        version,
        "ItemGroupDef",
        {
            "OID": f"IG.{dataset.name}",
            "Name": dataset.name,
            "SASDatasetName": dataset.name,
            "Repeating": "No" if dataset.name == "ADSL" else "Yes",
            "IsReferenceData": "No",
            "Purpose": "Analysis",
            f"{{{DEF}}}Structure": dataset.structure,
            f"{{{DEF}}}StandardOID": STANDARD,
            f"{{{DEF}}}ArchiveLocationID": f"LF.{dataset.name}",
        },
    )
    _described(group, dataset.label)
    for place, variable in enumerate(dataset.variables, 1):
        about = {"ItemOID": _oid(dataset, variable), "OrderNumber": str(place), "Mandatory": "No"}
        if variable.name in dataset.keys:
            about |= {"KeySequence": str(dataset.keys.index(variable.name) + 1)}
        _under(group, "ItemRef", about)
    Xml.SubElement(group, f"{{{DEF}}}Class", {"Name": CLASSES.get(dataset.name, BASIC)})
    file = f"{dataset.name.lower()}{suffix}"
    leaf = Xml.SubElement(group, f"{{{DEF}}}leaf", {"ID": f"LF.{dataset.name}", f"{{{XLINK}}}href": file})
    Xml.SubElement(leaf, f"{{{DEF}}}title").text = file


def _oid(dataset: Dataset, variable: Variable) -> str:
    return f"IT.{dataset.name}.{variable.name}"


def _item(version: Xml.Element, dataset: Dataset, variable: Variable) -> None:
    kind = {"string": "text"}.get(variable.type, variable.type)
    about = {"OID": _oid(dataset, variable), "Name": variable.name, "DataType": kind}
    if kind == "text":
        longest = dataset.frame[variable.name].str.len_chars().max()
        about |= {"Length": str(longest or 1)}
    item = _under(version, "ItemDef", about | {"SASFieldName": variable.name})
    _described(item, variable.label)
    if variable.terms:
        _under(item, "CodeListRef", {"CodeListOID": f"CL.{dataset.name}.{variable.name}"})
    Xml.SubElement(item, f"{{{DEF}}}Origin", {"Type": "Derived", "Source": "Sponsor"})


def _codes(version: Xml.Element, dataset: Dataset, variable: Variable) -> None:
    if not variable.terms:
        return
    kind = {"string": "text"}.get(variable.type, variable.type)
    about = {
        "OID": f"CL.{dataset.name}.{variable.name}",
        "Name": f"{dataset.name}.{variable.name}",
        "DataType": kind,
    }
    listed = _under(version, "CodeList", about)
    for term in variable.terms:
        _under(listed, "EnumeratedItem", {"CodedValue": term})
