"""libsedml, called where it may crash: descriptions of simulations from text to a table, and back.

It must not be loaded beside libsbml: both bring the same types to Python under the same names, and calls of
one then answer with those of the other. So nothing here loads libsbml, and a process of its own loads this.
"""

from __future__ import annotations

from typing import Any

import libsedml

__all__ = ["described", "prepare", "written"]

# Of KiSAO: CVODE and its tolerances.
CVODE, TOLERANCES = "KISAO:0000019", {"KISAO:0000209": "1e-10", "KISAO:0000211": "1e-12"}


def written(_content: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """SED-ML Level 1 Version 3 of one time course with a report and a plot.

    options: source and language of the model; namespace of its elements, called sbml; until; points;
    outputs, pairs of a label and a target.
    Returns an empty table and the text.
    """
    document = libsedml.SedDocument(1, 3)
    document.getNamespaces().add(options["namespace"], "sbml")
    model = document.createModel()
    model.setId("model")
    model.setSource(options["source"])
    model.setLanguage(options["language"])
    course = document.createUniformTimeCourse()
    course.setId("course")
    course.setInitialTime(0.0)
    course.setOutputStartTime(0.0)
    course.setOutputEndTime(options["until"])
    course.setNumberOfPoints(options["points"])
    algorithm = course.createAlgorithm()
    algorithm.setKisaoID(CVODE)
    for kind, value in TOLERANCES.items():
        parameter = algorithm.createAlgorithmParameter()
        parameter.setKisaoID(kind)
        parameter.setValue(value)
    task = document.createTask()
    task.setId("run")
    task.setModelReference("model")
    task.setSimulationReference("course")
    report, plot = document.createReport(), document.createPlot2D()
    report.setId("report")
    plot.setId("plot")
    _show(document, report, "time", "")
    for label, target in options["outputs"]:
        _show(document, report, label, target)
        curve = plot.createCurve()
        curve.setId(f"curve_{label}")
        curve.setLogX(False)
        curve.setLogY(False)
        curve.setXDataReference("values_time")
        curve.setYDataReference(f"values_{label}")
    return {}, libsedml.writeSedMLToString(document).encode()


def _show(document: Any, report: Any, label: str, target: str) -> None:
    generator = document.createDataGenerator()
    generator.setId(f"values_{label}")
    generator.setName(label)
    generator.setMath(libsedml.parseL3Formula(f"read_{label}"))
    variable = generator.createVariable()
    variable.setId(f"read_{label}")
    variable.setTaskReference("run")
    if target:
        variable.setTarget(target)
    else:
        variable.setSymbol("urn:sedml:symbol:time")
    row = report.createDataSet()
    row.setId(f"column_{label}")
    row.setLabel(label)
    row.setDataReference(f"values_{label}")


def described(content: bytes, _options: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What a SED-ML text holds, or why it cannot be read.

    Returns {"unreadable": reason}, or a table of models (id, source, language, changes), simulations (id,
    kind, start, begin, end, points), tasks (id, kind, model, simulation), generators (id, name, formula,
    variables, parameters) and datasets (label, generator); and nothing beside.
    """
    document = libsedml.readSedMLFromString(content.decode())
    grave = (libsedml.LIBSEDML_SEV_ERROR, libsedml.LIBSEDML_SEV_FATAL)
    for number in range(document.getNumErrors()):
        error = document.getError(number)
        if error.getSeverity() in grave:
            return {"unreadable": f"line {error.getLine()}: {' '.join(error.getMessage().split())}"}, b""
    found = {
        "models": [_model(item) for item in document.getListOfModels()],
        "simulations": [_simulation(item) for item in document.getListOfSimulations()],
        "tasks": [_task(item) for item in document.getListOfTasks()],
        "generators": [_generator(item) for item in document.getListOfDataGenerators()],
        "datasets": [
            {"label": str(item.getLabel() or item.getId()), "generator": str(item.getDataReference())}
            for output in document.getListOfOutputs()
            if output.getElementName() == "report"
            for item in output.getListOfDataSets()
        ],
    }
    return found, b""


def _model(item: Any) -> dict[str, Any]:
    changes = [
        {
            "kind": str(one.getElementName()),
            "target": str(one.getTarget()),
            "value": str(one.getNewValue()) if one.getElementName() == "changeAttribute" else "",
        }
        for one in item.getListOfChanges()
    ]
    return {
        "id": str(item.getId()),
        "source": str(item.getSource()),
        "language": str(item.getLanguage()),
        "changes": changes,
    }


def _simulation(item: Any) -> dict[str, Any]:
    kind = str(item.getElementName())
    found: dict[str, Any] = {"id": str(item.getId()), "kind": kind}
    if kind == "uniformTimeCourse":
        found |= {
            "start": float(item.getInitialTime()),
            "begin": float(item.getOutputStartTime()),
            "end": float(item.getOutputEndTime()),
            "points": int(item.getNumberOfSteps() if item.isSetNumberOfSteps() else item.getNumberOfPoints()),
        }
    return found


def _task(item: Any) -> dict[str, Any]:
    kind = str(item.getElementName())
    found = {"id": str(item.getId()), "kind": kind}
    if kind == "task":
        found |= {"model": str(item.getModelReference()), "simulation": str(item.getSimulationReference())}
    return found


def _generator(item: Any) -> dict[str, Any]:
    math = item.getMath()
    variables = [
        {
            "id": str(one.getId()),
            "target": str(one.getTarget()),
            "symbol": str(one.getSymbol()),
            "task": str(one.getTaskReference()),
        }
        for one in item.getListOfVariables()
    ]
    return {
        "id": str(item.getId()),
        "name": str(item.getName() or item.getId()),
        "formula": "" if math is None else str(libsedml.formulaToL3String(math)),
        "variables": variables,
        "parameters": {str(one.getId()): float(one.getValue()) for one in item.getListOfParameters()},
    }


def prepare() -> None:
    """Read something, so that all that is loaded at first use is loaded."""
    described(b'<sedML xmlns="http://sed-ml.org/sed-ml/level1/version3" level="1" version="3"/>', {})
