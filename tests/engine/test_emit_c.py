"""The C text of a model computes what the machine code computes."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import kernels_llvm
from glueprint.engine.emit_c import CALL, INFIX, LOGIC, c_source
from glueprint.engine.program import build
from glueprint.formulas import compiler, mathlib_llvm
from glueprint.formulas.evaluate import Leaves, evaluate
from glueprint.formulas.expressions import BINARY, COMPARE, UNARY
from glueprint.formulas.ir import Block
from glueprint.mechanism import Scenario

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "engine.ant"
FUNCTIONS = """
function mm(v, s, k)  v*s/(k + s)  end
compartment V = 2.5; species a in V, b in V; a = 1; b = 0.4;
J1: a -> b; V*mm(vmax, a, km)*exp(-b/q);   J2: b -> ; V*k1*b^h + k1*log10(1 + a*b)*tanh(b) + abs(a - b)/7;
J3: -> a; piecewise(k1*sin(time), a < b, k1*cos(time), (b > 0.3) && !(time > 2), sqrt(a*b + 0.1));
vmax = 1.7; km = 0.6; q = 2; k1 = 0.3; h = 1.3; n = 2;
x' = ceil(time/q) - x^n*floor(h) + factorial(2) + (x - y)^3 - -x/(q/k1) - (k1 - (q - x)) + (-y)^2; x = 1;
y' = arctan(x)*sinh(y)/cosh(y) + 1e-30*y + j0 + double + v1 - state; y = 0.1;
j0 = 1; double = 2; v1 = 3; state = 4;
"""
OUTPUT = {"rates": "rate", "jacobian": "slope"}


@pytest.fixture(scope="module", params=["trial", "benchmark", "functions", "marrow"])
def model(request):
    if request.param == "functions":
        return engine.compile(FUNCTIONS)
    if request.param == "benchmark":
        return engine.compile(BENCHMARK)
    models = pytest.importorskip("glueprint.mechanism.models")
    return engine.compile(
        models.source("neutrophils" if request.param == "marrow" else request.param, Scenario.of())
    )


@pytest.fixture(scope="module")
def shared_object(model, tmp_path_factory):
    """The C text compiled by the system's compiler, every warning an error."""
    compiler_path = shutil.which("cc")
    if compiler_path is None:
        pytest.skip("no C compiler `cc` on this machine")
    folder = tmp_path_factory.mktemp("c")
    source = folder / "model.c"
    source.write_text(c_source(model), encoding="utf-8")
    flags = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1", "-ffp-contract=off", "-shared"]
    command = [compiler_path, *flags, "-fPIC", "-o", str(folder / "model.so"), str(source), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(folder / "model.so"))


def call(library, name, size, time, state, params):
    """One of the C functions at rows of states and parameters."""
    function = getattr(library, name)
    pointer = ctypes.c_void_p
    function.argtypes, function.restype = [ctypes.c_double, pointer, pointer, pointer], None
    out = np.full((len(time), size), np.nan)
    for row in range(len(time)):
        function(time[row], state[row].ctypes.data, params[row].ctypes.data, out[row].ctypes.data)
    return out


def machine_code(program):
    """Rates and negative Jacobian entries by the solver's own LLVM text: two lanes of one patient."""
    setup, helpers = kernels_llvm.setup(program, 2)
    block = Block(2)
    wanted = [*program.rates, *program.jacobian.values()]
    for place, value in enumerate(kernels_llvm.compute_known(block, program, wanted)):
        block.store(value, "%out", place)
    v = block.vector
    body = "\n".join(block.lines)
    names = sorted(helpers | block.helpers | {"llvm.fma.v2f64"})
    fma = f"declare {v} @llvm.fma.v2f64({v}, {v}, {v})"
    texts = [fma if name == "llvm.fma.v2f64" else mathlib_llvm.definition(name, 2) for name in names]
    text = "\n".join(
        [
            *texts,
            setup,
            "define void @run(ptr %y, ptr %p, ptr %q, ptr %out, ptr %time) {",
            "  call void @setup(ptr %p, ptr %q)",
            f"  %t = load {v}, ptr %time, align 16",
            body,
            "  ret void",
            "}",
        ]
    )
    host = compiler.host()
    target = llvm.Target.from_triple(host.triple).create_target_machine(
        cpu=host.cpu, features=host.features, opt=2, jit=True
    )
    made = llvm.create_mcjit_compiler(llvm.parse_assembly(text), target)
    made.finalize_object()
    entry = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 5)(made.get_function_address("run"))

    def apply(time, state, params):
        sizes = [state.size, params.size, len(program.hoisted), len(wanted), 1]
        arrays = [aligned(size) for size in sizes]
        for array, values in zip((arrays[0], arrays[1], arrays[4]), (state, params, [time]), strict=True):
            array[: len(values)] = np.asarray(values)[:, None]
        entry(*(array.ctypes.data for array in arrays))
        assert made
        return arrays[3][:, 0].copy()

    return apply


def aligned(rows):
    """(rows, 2) zeros at an address that vector loads take."""
    memory = np.zeros(2 * rows + 8)
    first = (-memory.ctypes.data // 8) % 8
    return memory[first : first + 2 * rows].reshape(rows, 2)


@pytest.fixture(scope="module")
def drawn(model):
    """Times, states and parameters of 40 patients around the model's own."""
    rng = np.random.default_rng(11)
    values = model.defaults
    names = [model.system.states, model.system.params]
    columns = [np.array([values.get(name, 1.0) for name in group]) for group in names]
    state, params = (
        np.where(column == 0, 0.5, column) * np.exp(0.3 * rng.standard_normal((40, column.size)))
        for column in columns
    )
    return rng.uniform(0, 5, 40), state, params


def agree(got, want, sizes):
    """Equal to 1e-13 of the sum of sizes of the terms: where terms cancel, their rounding stays."""
    assert np.isfinite(want).all()
    np.testing.assert_array_less(np.abs(got - want), 1e-13 * sizes + 1e-300)


def term_sizes(graph, nodes, leaves):
    """What rounding is relative to, (n, nodes): each expression with all its signs taken as plus."""
    order = graph.reachable(nodes)
    values = dict(zip(order, evaluate(graph, order, leaves), strict=True))
    sizes = {}
    for number in order:
        op, args, _ = graph.nodes[number]
        inner = [sizes[arg] for arg in args]
        if op in ("add", "sub"):
            sizes[number] = inner[0] + inner[1]
        elif op == "mul":
            sizes[number] = inner[0] * inner[1]
        elif op == "div":
            sizes[number] = inner[0] * inner[1] / np.square(values[args[1]])
        elif op == "neg":
            sizes[number] = inner[0]
        elif op == "select":
            sizes[number] = np.where(values[args[0]], *inner[1:])
        else:
            sizes[number] = np.abs(values[number].astype(float))
    return np.stack([np.broadcast_to(sizes[node], len(leaves.time)) for node in nodes], axis=1)


def test_rates_and_jacobian_are_those_of_the_machine_code(model, shared_object, drawn):
    time, state, params = drawn
    program, size = build(model.system, in_steps=False), len(model.system.states)
    rates = call(shared_object, "rates", size, time, state, params)
    slopes = call(shared_object, "jacobian", size * size, time, state, params).reshape(40, size, size)
    run = machine_code(program)
    machine = np.array([run(*row) for row in zip(time, state, params, strict=True)])
    sizes = term_sizes(
        program.graph, [*program.rates, *program.jacobian.values()], Leaves(state, params, time)
    )
    agree(rates, machine[:, :size], sizes[:, :size])
    places = list(program.jacobian)
    listed = np.stack([slopes[:, i, j] for i, j in places], axis=1)
    agree(-listed, machine[:, size:], sizes[:, size:])
    others = np.ones((size, size), dtype=bool)
    others[tuple(zip(*places, strict=True))] = False
    assert not slopes[:, others].any()


def test_rates_are_those_of_the_model_as_written(model, shared_object, drawn):
    time, state, params = drawn
    system = model.system
    leaves = Leaves(state, params, time)
    rates = call(shared_object, "rates", len(system.states), time, state, params)
    want = np.stack(
        [np.broadcast_to(v, 40) for v in evaluate(system.graph, system.derivatives, leaves)], axis=1
    )
    agree(rates, want, term_sizes(system.graph, system.derivatives, leaves))


def test_same_model_same_text(model):
    text = c_source(model)
    model.ensemble(patients=1).advance(0.1)  # differentiates and compiles, on the model's graph
    assert c_source(model) == text
    assert c_source(engine.compile(FUNCTIONS)) == c_source(engine.compile(FUNCTIONS))


def test_every_operation_is_known_to_c():
    operations = {*UNARY, *BINARY, *COMPARE} - {"neg", "pow"}
    assert operations <= {*CALL, *INFIX, *LOGIC}


def test_it_reads_like_the_model():
    text = c_source(
        engine.compile("x' = -k*x + supply; x = 1; k = 2; supply := a/(1 + a); a = 3; at x < 0.1: x = 1;")
    )
    assert re.search(r"const double supply = a / \((1.0 \+ a|a \+ 1.0)\);", text)
    assert re.search(r"rate\[0\] = supply - (k \* x|x \* k);", text)
    assert " * state[0] x\n" in text
    assert "Not here: the event" in text
    for name, result in OUTPUT.items():
        head = f"void {name}(double time_h, const double *state, const double *parameter, double *{result})"
        assert head in text
