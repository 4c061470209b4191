"""Shared objects built for the tests: they ask for a library newer than any system must have."""

import subprocess
from pathlib import Path

import pytest

from tests.tools.sources import Build
from tools.host import find_compiler

# Stand-ins for the system's libraries that claim to be newer: modules are linked against them, and run with the real.
_LIBC = """
int abort(void) { return 0; }
long strtol(const char *s, char **e, int b) { return 0; }
long __isoc23_strtol(const char *s, char **e, int b) { return 0; }
long brand_new(void) { return 0; }
"""
_LIBC_VERSIONS = """
GLIBC_2.2.5 { abort; strtol; };
GLIBC_2.38 { __isoc23_strtol; } GLIBC_2.2.5;
GLIBC_2.41 { brand_new; } GLIBC_2.38;
"""
_LIBCXX = """
void _ZSt9terminatev(void) {}
void _ZSt21ios_base_library_initv(void) {}
void __cxa_call_terminate(void *e) {}
"""
_LIBCXX_VERSIONS = """
GLIBCXX_3.4 { _ZSt9terminatev; };
GLIBCXX_3.4.32 { _ZSt21ios_base_library_initv; } GLIBCXX_3.4;
CXXABI_1.3.15 { __cxa_call_terminate; };
"""


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Compile C source into a shared object, linked against the stand-ins."""
    compiler = find_compiler()

    def compile_one(name: str, source: str, *options: str) -> Path:
        path, target = tmp_path / f"{name}.c", tmp_path / name
        path.write_text(source)
        command = [compiler, "-x", "c", "-w", "-fno-builtin", "-shared", "-fPIC", "-nostdlib", str(path), "-x", "none"]
        subprocess.run([*command, "-o", str(target), *options], check=True)
        return target

    def stand_in(name: str, source: str, versions: str) -> str:
        script = tmp_path / f"{name}.map"
        script.write_text(versions)
        return str(compile_one(name, source, f"-Wl,-soname,{name}", f"-Wl,--version-script,{script}"))

    libraries = [
        stand_in("libc.so.6", _LIBC, _LIBC_VERSIONS),
        stand_in("libstdc++.so.6", _LIBCXX, _LIBCXX_VERSIONS),
    ]
    return lambda source: compile_one("module.so", source, "-Wl,--no-as-needed", *libraries)
