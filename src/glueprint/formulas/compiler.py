"""Machine code from LLVM text for the processor at hand, kept on disk between sessions."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from glueprint.formulas.cache import Cache

__all__ = ["Host", "Machine", "host", "load", "source_digest"]


@dataclass(frozen=True)
class Host:
    """The processor: its name and features as LLVM knows them, and doubles per vector."""

    cpu: str
    features: str
    triple: str
    width: int

    @property
    def key(self) -> str:
        """Everything but the text that decides the machine code."""
        return f"{self.triple}/{self.cpu}/{self.features}/{self.width}/llvmlite-{llvmlite.__version__}"


_lock = threading.Lock()


@functools.cache
def host() -> Host:
    """The processor this runs on."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features()
    flat = features.flatten()
    width = 8 if features.get("avx512dq") else 4 if features.get("avx2") else 2
    return Host(llvm.get_host_cpu_name(), flat, llvm.get_process_triple(), width)


@dataclass(frozen=True, eq=False)
class Machine:
    """Loaded machine code; calls release the interpreter lock.

    functions: the entries by name, taking integers and addresses; each keeps the code alive.
    size: bytes of the object.   from_cache: whether it came from disk.
    """

    functions: Mapping[str, Callable[..., None]]
    size: int
    from_cache: bool


@functools.cache
def source_digest(folder: Path) -> str:
    """Digest of a room's source: code made by another version is never run."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def load(key: str, text: Callable[[], str], cache: Cache, entries: Mapping[str, Sequence[Any]]) -> Machine:
    """The machine code for `key`, from the cache or compiled from `text()`.

    key: everything that decides the text, the version of its writer included (`source_digest`).
    entries: names of the functions to call and the ctypes of their arguments.

    Under the key's name stands the name of the text, and under that the code: models that differ in numbers
    alone have keys of their own and one text.
    """
    with _lock:
        code, cached = _object(_name(key), text, cache)
        engine = llvm.create_mcjit_compiler(_empty_module(), _target_machine())
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        functions = {entry: _function(engine, entry, kinds) for entry, kinds in entries.items()}
    return Machine(functions, len(code), cached)


def _object(asked: str, text: Callable[[], str], cache: Cache) -> tuple[bytes, bool]:
    """The object code that `asked` leads to, and whether it came from disk."""
    link = cache.get(asked)
    code = cache.get(link.decode()) if link else None
    if code is not None:
        return code, True
    written = text()
    name = _name(written)
    code = cache.get(name)
    cached = code is not None
    if code is None:
        code = _compile(written)
        cache.put(name, code)
    cache.put(asked, name.encode())
    return code, cached


def _name(content: str) -> str:
    """Under which something that was made for this processor by this compiler is kept."""
    version = source_digest(Path(__file__).parent)
    return hashlib.sha256(f"{content}/{host().key}/{version}".encode()).hexdigest()


def _function(engine: Any, entry: str, kinds: Sequence[Any]) -> Callable[..., None]:
    function = ctypes.CFUNCTYPE(None, *kinds)(engine.get_function_address(entry))
    function.__dict__["code"] = engine  # freed with the last function, never before
    return function


def _empty_module() -> Any:
    module = llvm.parse_assembly("")
    module.triple = host().triple
    return module


def _target_machine() -> Any:
    here = host()
    target = llvm.Target.from_triple(here.triple)
    return target.create_target_machine(
        cpu=here.cpu, features=here.features, opt=3, reloc="pic", codemodel="jitdefault", jit=True
    )


def _compile(text: str) -> bytes:
    module = llvm.parse_assembly(text)
    module.triple = host().triple
    machine = _target_machine()
    module.data_layout = str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = False
    options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return bytes(machine.emit_object(module))
