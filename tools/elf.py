"""Make a shared object that was linked on a newer Linux load on an older one.

Owns the reading and rewriting of ELF version needs. It knows nothing of wheels or of files: bytes in, bytes out.

A shared object names, for each symbol it takes from a system library, the library version that first had it. One symbol
that is too new stops the loading of the whole object. Nothing is moved or compiled here; three kinds of field change:

* `__isoc23_strtol` and its kin become plain `strtol`: the same arguments and results, but for C23's `0b` prefix.
* `__cxa_call_terminate` becomes `std::terminate` or `abort`: all of them end the process.
* the version need is marked weak, which the loader accepts as missing.

Layout: System V ABI, "Object Files"; Linux Standard Base 5.0, "Symbol Versioning".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Iterator

FLOORS = {b"GLIBC": (2, 34), b"GLIBCXX": (3, 4, 29), b"CXXABI": (1, 3, 13)}
"""The newest version of each library that a `manylinux_2_34` system is sure to have."""

_ELF64_LITTLE = b"\x7fELF\x02\x01"
_SHT_RELA, _SHT_DYNSYM, _SHT_VERNEED, _SHT_VERSYM = 4, 11, 0x6FFFFFFE, 0x6FFFFFFF
_SYMBOL_BYTES = 24
_WEAK = 2
_TERMINATORS = ((b"_ZSt9terminatev", b"libstdc++.so.6", b"GLIBCXX_3.4"), (b"abort", b"libc.so.6", b"GLIBC_2.2.5"))


class ElfError(ValueError):
    """A shared object that cannot be repaired safely."""


@dataclass(frozen=True)
class Section:
    """One section header: what it holds and where."""

    kind: int
    offset: int
    size: int
    link: int
    info: int


@dataclass(frozen=True)
class Need:
    """One version that the object asks of a library; `position` is that of its entry in the file."""

    position: int
    flags: int
    library: bytes
    version: bytes


def is_too_new(version: bytes) -> bool:
    """Tell whether a version name such as `GLIBC_2.38` lies above the floor of its library."""
    library, _, number = version.partition(b"_")
    parts = number.split(b".")
    if library not in FLOORS or not all(part.isdigit() for part in parts):
        return False
    return tuple(int(part) for part in parts) > FLOORS[library]


def relax(data: bytes) -> tuple[bytes, list[str]]:
    """Return the object with every version need that is too new made harmless, and the names of what was changed.

    The bytes come back as they were, with an empty list, when nothing is too new.

    Raises:
        ElfError: the bytes are not a 64-bit little-endian ELF file, or a symbol is too new and not one of those above.
    """
    return _Object(data).relax()


class _Object:
    """A shared object being edited."""

    def __init__(self, data: bytes) -> None:
        if data[:6] != _ELF64_LITTLE:
            raise ElfError(f"not a 64-bit little-endian ELF file: it starts with {data[:6]!r}")
        self.data = bytearray(data)
        self.sections = list(self._read_sections())
        self.needs = dict(self._read_needs())

    def relax(self) -> tuple[bytes, list[str]]:
        changed = []
        for need in self.needs.values():
            if is_too_new(need.version) and not need.flags & _WEAK:
                struct.pack_into("<H", self.data, need.position + 4, need.flags | _WEAK)
                changed.append(need.version.decode())
        if not changed:
            return bytes(self.data), []
        symbols = self._section(_SHT_DYNSYM)
        for index in range(symbols.size // _SYMBOL_BYTES):
            used = self.needs.get(self._version_index(index))
            if used and is_too_new(used.version):
                changed.append(self._redirect(index, used))
        return bytes(self.data), changed

    def _redirect(self, index: int, need: Need) -> str:
        """Point one symbol at an older equal; return its name."""
        position = self._section(_SHT_DYNSYM).offset + _SYMBOL_BYTES * index
        (name_offset,) = struct.unpack_from("<I", self.data, position)
        name = self._string(self._strings.offset + name_offset)
        if name.startswith(b"__isoc23_strto"):
            self._rename(index, name_offset + len(b"__isoc23_"), b"libc.so.6", b"GLIBC_2.2.5")
        elif name == b"__cxa_call_terminate":
            self._rename(index, *self._find_terminator())
        elif name != b"_ZSt21ios_base_library_initv" or self._is_relocated(index):
            # The one let through only marks that <iostream> was used: nothing calls it.
            raise ElfError(
                f"the symbol {name.decode()}@{need.version.decode()} is too new for this system, and no "
                f"older equal of it is known: use a system with glibc 2.39 or later, or teach it to {__name__}"
            )
        return name.decode()

    def _rename(self, index: int, name_offset: int, library: bytes, version: bytes) -> None:
        wanted = [at for at, need in self.needs.items() if (need.library, need.version) == (library, version)]
        if not wanted:
            raise ElfError(
                f"the object takes nothing from {library.decode()} {version.decode()}: no version to point at"
            )
        struct.pack_into("<I", self.data, self._section(_SHT_DYNSYM).offset + _SYMBOL_BYTES * index, name_offset)
        struct.pack_into("<H", self.data, self._section(_SHT_VERSYM).offset + 2 * index, wanted[0])

    def _find_terminator(self) -> tuple[int, bytes, bytes]:
        table = self._strings
        for name, library, version in _TERMINATORS:
            # A name may be the tail of a longer one: the linker shares them, and so does this.
            at = self.data.find(name + b"\0", table.offset, table.offset + table.size)
            if at > 0:
                return at - table.offset, library, version
        raise ElfError(
            "neither std::terminate nor abort is among the names of the object: nothing to end a process with"
        )

    def _is_relocated(self, index: int) -> bool:
        for section in self.sections:
            if section.kind == _SHT_RELA:
                entries = struct.iter_unpack("<QQq", self.data[section.offset : section.offset + section.size])
                if any(info >> 32 == index for _, info, _ in entries):
                    return True
        return False

    def _read_sections(self) -> Iterator[Section]:
        (table,) = struct.unpack_from("<Q", self.data, 0x28)
        entry_bytes, count = struct.unpack_from("<HH", self.data, 0x3A)
        for index in range(count):
            fields = struct.unpack_from("<IIQQQQIIQQ", self.data, table + index * entry_bytes)
            yield Section(kind=fields[1], offset=fields[4], size=fields[5], link=fields[6], info=fields[7])

    def _read_needs(self) -> Iterator[tuple[int, Need]]:
        """Yield the version index that symbols use, and the need that it stands for."""
        if not any(section.kind == _SHT_VERNEED for section in self.sections):
            return
        section = self._section(_SHT_VERNEED)
        library_at = section.offset
        for _ in range(section.info):
            _, count, file, first, step = struct.unpack_from("<HHIII", self.data, library_at)
            at = library_at + first
            for _ in range(count):
                _, flags, index, name, next_step = struct.unpack_from("<IHHII", self.data, at)
                library, version = (self._string(self._strings.offset + offset) for offset in (file, name))
                yield index, Need(at, flags, library, version)
                at += next_step
            library_at += step

    def _version_index(self, symbol: int) -> int:
        (index,) = struct.unpack_from("<H", self.data, self._section(_SHT_VERSYM).offset + 2 * symbol)
        return int(index)

    def _section(self, kind: int) -> Section:
        for section in self.sections:
            if section.kind == kind:
                return section
        raise ElfError(f"the object has no section of type {kind:#x}: it is not a dynamic library")

    @property
    def _strings(self) -> Section:
        return self.sections[self._section(_SHT_DYNSYM).link]

    def _string(self, at: int) -> bytes:
        return bytes(self.data[at : self.data.index(0, at)])
