import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import sources
from tests.tools.sources import Build
from tools.elf import ElfError, is_too_new, relax

_PARSE_42 = "import ctypes, sys; print(ctypes.CDLL(sys.argv[1]).parse(b'42'))"


def outcome_of_parsing(path: Path) -> str:
    done = subprocess.run([sys.executable, "-c", _PARSE_42, str(path)], check=False, capture_output=True, text=True)
    return done.stdout.strip() or done.stderr


def relax_file(path: Path) -> list[str]:
    data, changed = relax(path.read_bytes())
    path.write_bytes(data)
    return changed


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (b"GLIBC_2.34", False),
        (b"GLIBC_2.4", False),  # a number, not a decimal
        (b"GLIBC_2.35", True),
        (b"GLIBC_3.0", True),
        (b"GLIBCXX_3.4", False),
        (b"GLIBCXX_3.4.29", False),
        (b"GLIBCXX_3.4.30", True),
        (b"CXXABI_1.3.13", False),
        (b"CXXABI_1.3.14", True),
        (b"CXXABI_TM_1", False),
        (b"GCC_14.0.0", False),  # libgcc has not asked for anything new: not ours to judge
    ],
)
def test_versions_above_the_floor_are_too_new(version: bytes, expected: bool) -> None:
    assert is_too_new(version) is expected


def test_an_object_that_asks_for_nothing_new_stays_as_it_is(build: Build) -> None:
    data = build(sources.OLD).read_bytes()
    assert relax(data) == (data, [])


def test_an_object_without_version_needs_stays_as_it_is(build: Build) -> None:
    # build links the stand-ins in any case, so the needs are cut out: no section of type SHT_GNU_verneed is left.
    data = bytearray(build(sources.OLD).read_bytes())
    (table,) = struct.unpack_from("<Q", data, 0x28)
    (count,) = struct.unpack_from("<H", data, 0x3C)
    for index in range(count):
        at = table + 64 * index + 4
        if struct.unpack_from("<I", data, at) == (0x6FFFFFFE,):
            struct.pack_into("<I", data, at, 1)
    assert relax(bytes(data)) == (bytes(data), [])


def test_a_new_parser_becomes_the_old_one_and_parses(build: Build) -> None:
    path = build(sources.NEW_PARSER)
    size = path.stat().st_size
    assert relax_file(path) == ["GLIBC_2.38", "__isoc23_strtol"]
    assert path.stat().st_size == size
    assert outcome_of_parsing(path) == "42"


def test_a_new_terminator_becomes_terminate_and_the_object_loads(build: Build) -> None:
    path = build(sources.NEW_TERMINATOR)
    assert relax_file(path) == ["CXXABI_1.3.15", "__cxa_call_terminate"]
    assert outcome_of_parsing(path) == "4"


def test_a_new_terminator_ends_the_process(build: Build) -> None:
    path = build(sources.NEW_TERMINATOR)
    relax_file(path)
    program = "import ctypes, sys; ctypes.CDLL('libstdc++.so.6'); ctypes.CDLL(sys.argv[1]).end(ctypes.c_void_p(1))"
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == -6  # SIGABRT, as std::terminate raises it
    assert "terminate called" in done.stderr


def test_a_mark_that_nothing_calls_is_let_through(build: Build) -> None:
    path = build(sources.NEW_MARK)
    assert set(relax_file(path)) >= {"GLIBCXX_3.4.32", "_ZSt21ios_base_library_initv"}
    assert outcome_of_parsing(path) == "42"


def test_a_mark_that_is_called_stops_the_repair(build: Build) -> None:
    with pytest.raises(ElfError, match=r"_ZSt21ios_base_library_initv@GLIBCXX_3\.4\.32 is too new"):
        relax(build(sources.NEW_CALLED_MARK).read_bytes())


def test_an_unknown_symbol_stops_the_repair(build: Build) -> None:
    with pytest.raises(ElfError, match=r"brand_new@GLIBC_2\.41 is too new .* glibc 2\.39 or later"):
        relax(build(sources.UNKNOWN).read_bytes())


def test_a_second_repair_changes_nothing(build: Build) -> None:
    once, _ = relax(build(sources.NEW_PARSER).read_bytes())
    assert relax(once) == (once, [])


def test_what_is_not_an_object_is_refused() -> None:
    with pytest.raises(
        ElfError, match=r"not a 64-bit little-endian ELF file: it starts with b'MZ\\x90\\x00\\x03\\x00'"
    ):
        relax(b"MZ\x90\x00\x03\x00\x00\x00")


def test_an_object_without_dynamic_symbols_is_refused() -> None:
    header = bytearray(64)
    header[:6] = b"\x7fELF\x02\x01"
    needs = struct.pack("<IIQQQQIIQQ", 0, 0x6FFFFFFE, 0, 0, 128, 0, 0, 1, 0, 0)
    one_need_of_one_library = struct.pack("<HHIII", 1, 1, 0, 16, 0) + bytes(16)
    struct.pack_into("<Q", header, 0x28, 64)
    struct.pack_into("<HH", header, 0x3A, 64, 1)
    with pytest.raises(ElfError, match="no section of type 0xb"):
        relax(bytes(header) + needs + one_need_of_one_library)
