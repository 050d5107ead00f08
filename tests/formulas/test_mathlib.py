"""The vector functions against the C library, over their whole range."""

from __future__ import annotations

import ctypes

import llvmlite.binding as llvm
import numpy as np
import pytest

from glueprint.formulas import compiler, mathlib_llvm


def vectorised(name, width):
    """A numpy function that runs the helper `name` on groups of `width` numbers."""
    vector = f"<{width} x double>"
    texts = [
        f"declare {vector} @llvm.fma.v{width}f64({vector}, {vector}, {vector})",
        mathlib_llvm.definition(name, width),
        f"define void @apply(ptr %x) {{\n  %a = load {vector}, ptr %x, align 8\n"
        f"  %b = call {vector} @{name}({vector} %a)\n  store {vector} %b, ptr %x, align 8\n  ret void\n}}",
    ]
    host = compiler.host()
    module = llvm.parse_assembly("\n".join(texts))
    machine = llvm.Target.from_triple(host.triple).create_target_machine(
        cpu=host.cpu, features=host.features, opt=2, jit=True
    )
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(engine.get_function_address("apply"))

    def apply(x):
        out = np.array(x, dtype=np.float64)
        assert out.size % width == 0
        for start in range(0, out.size, width):
            call(out[start:].ctypes.data)
        return out, engine

    return apply


@pytest.fixture(params=[2, 4, 8])
def width(request):
    return request.param


def test_exp_is_right_to_the_last_bits(width):
    x = np.concatenate([np.linspace(-707, 709, 4000), np.linspace(-1, 1, 4000)])
    got, _ = vectorised("vector_exp", width)(x)
    np.testing.assert_allclose(got, np.exp(x), rtol=4.5e-16)


def test_exp_at_its_edges(width):
    x = np.array([0.0, -np.inf, np.inf, np.nan, 710.0, -800.0, 709.78, -707.9])
    got, _ = vectorised("vector_exp", width)(x)
    np.testing.assert_allclose(
        got, [1, 0, np.inf, np.nan, np.inf, 0, np.exp(709.78), np.exp(-707.9)], rtol=4.5e-16
    )


def test_log_is_right_to_the_last_bits(width):
    x = np.concatenate([np.geomspace(1e-307, 1e308, 4000), np.linspace(0.5, 2, 4000)])
    got, _ = vectorised("vector_log", width)(x)
    np.testing.assert_allclose(got, np.log(x), rtol=3e-16, atol=1e-300)


def test_log_at_its_edges(width):
    x = np.array([1.0, 0.0, -1.0, np.inf, np.nan, 5e-324, 1e-310, -0.0])
    got, _ = vectorised("vector_log", width)(x)
    want = [0, -np.inf, np.nan, np.inf, np.nan, np.log(5e-324), np.log(1e-310), -np.inf]
    np.testing.assert_allclose(got, want, rtol=3e-16)


@pytest.mark.parametrize("name", ["sin", "tanh", "acosh", "tgamma"])
def test_rare_functions_come_from_the_c_library(name, width):
    x = np.linspace(1.1, 4, 8 * width)
    got, _ = vectorised(f"vector_{name}", width)(x)
    from scipy import special

    want = {"sin": np.sin, "tanh": np.tanh, "acosh": np.arccosh, "tgamma": special.gamma}[name](x)
    np.testing.assert_allclose(got, want, rtol=1e-14)
