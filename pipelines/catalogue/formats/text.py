"""The bytes of a text feed -> text. What a file begins with is believed before its name and the config.

Bytes that are no text in the encoding become lone surrogates, so that one bad row does not end the file.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from contextlib import suppress
from typing import BinaryIO, cast

from pipelines.catalogue.formats.base import FeedError, is_text
from pipelines.shop_files.files import File

_PARQUET = b"PAR1"
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
GZIP = b"\x1f\x8b"
SNIFFED_BYTES = 1 << 16
_NO_TEXT = (
    (b"PK\x03\x04", "a ZIP archive, as Excel's workbooks (.xlsx) are", "save it as CSV UTF-8, or unpack it"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", "save it as CSV UTF-8"),
    (_PARQUET, "Parquet", "let its name end with .parquet"),
    (b"BZh", "compressed with bzip2", "unpack it, or compress it with gzip"),
    (b"\xfd7zXZ\x00", "compressed with xz", "unpack it, or compress it with gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it, or compress it with gzip"),
    (b"%PDF", "a PDF", "export it as CSV"),
)
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|rss|feed)\b", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"""(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']""")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its first half
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDER = {
    "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "shift_jis": "cp932", "euc_kr": "cp949",
    "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "tis-620": "cp874",
}  # fmt: skip
"""What exporters write under the name of a standard (encoding.spec.whatwg.org): Windows' page, which has more signs."""
_BAD_BYTES = "feed-bytes"
_SURROGATE = 0xDC00


def decoded(file: File, stream: BinaryIO, encoding: str, *, is_xml: bool = False) -> io.TextIOWrapper:
    """Return a feed's text. Raises FeedError when it is none, or not in the encoding that the config or XML names."""
    plain = _unpacked(file, stream)
    _pass_further_marks(plain)
    head = plain.peek(SNIFFED_BYTES)[:SNIFFED_BYTES]
    _check_text(file, head)
    if is_xml:
        encoding = _of_xml(file, head, encoding)
    elif _MARKUP.match(head):
        raise FeedError(
            f"{file} is a web page or XML, not a table; see what the export wrote, and export it again (the name of a "
            "feed in XML ends with .xml)"
        )
    return io.TextIOWrapper(plain, encoding=_encoding(file, head, encoding), errors=_BAD_BYTES, newline="")


def format_within(file: File) -> str | None:
    """Return 'csv', 'json', 'xml' or 'parquet' by how a file begins, None where it is empty or none of them."""
    with suppress(OSError, EOFError, zlib.error), file.open("rb") as stream:
        plain = _unpacked(file, stream)
        head = plain.peek(SNIFFED_BYTES)[:SNIFFED_BYTES]
        if head.startswith(_PARQUET):
            return "parquet"
        if any(head.startswith(magic) for magic, *_ in _NO_TEXT):
            return None
        is_wide = any(head.startswith(mark) for mark, name in _BYTE_ORDER_MARKS if name != "utf-8-sig")
        if not head.strip() or (_BINARY.search(head) and not is_wide):
            return None
        start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
        return {b"<": "xml", b"{": "json", b"[": "json"}.get(start, "csv")
    return None


def check_names(file: File, names: list[str], encoding: str) -> None:
    """Raise FeedError when the names of a file's columns are not in the encoding that it was read in."""
    bad = next((name for name in names if not is_text(name)), None)
    if bad is not None:
        raise FeedError(f"{file} {no_text(bad, encoding)}: its header has {shown(bad)!r}; {ENCODING_FIX}")


ENCODING_FIX = "save it as UTF-8, or say what it is, such as catalogue.encoding = 'cp1252' for Windows-1252"


def no_text(value: str, encoding: str) -> str:
    """Return why a value is no text in an encoding, with the first byte that is not."""
    byte = next((ord(c) - _SURROGATE for c in value if _SURROGATE <= ord(c) < _SURROGATE + 256), None)
    return f"is not {encoding.upper()}" + ("" if byte is None else f" (byte 0x{byte:02x})")


def shown(value: str) -> str:
    """Return a value for a message, with a mark for each byte that is no text."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value)


def _unpacked(file: File, stream: BinaryIO) -> io.BufferedReader:
    magic = stream.read(len(GZIP))
    stream.seek(0)
    if magic == GZIP or file.suffix.lower() == ".gz":
        return io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=stream, mode="rb")), SNIFFED_BYTES)
    return io.BufferedReader(cast(io.RawIOBase, stream), SNIFFED_BYTES)


def _pass_further_marks(plain: io.BufferedReader) -> None:
    """Leave one byte order mark of several: programs that write one before what has one make two."""
    head = plain.peek(SNIFFED_BYTES)
    for mark, _ in _BYTE_ORDER_MARKS:
        while head.startswith(2 * mark):
            head = head[len(plain.read(len(mark))) :]


def _check_text(file: File, head: bytes) -> None:
    for magic, what, fix in _NO_TEXT:
        if head.startswith(magic):
            raise FeedError(f"{file} is {what}, not text; {fix}")


def _of_xml(file: File, head: bytes, configured: str) -> str:
    """Return the encoding that XML declares, UTF-8 where it is that all the same, as of exports that were converted."""
    found = _XML_ENCODING.match(head)
    if found is None or (not head.isascii() and _is_utf_8(head)):
        return "utf-8" if found else configured
    try:
        return _lookup(found[1].decode())
    except LookupError as error:
        raise FeedError(f"{file} declares the encoding {found[1].decode()!r}, which is none; {ENCODING_FIX}") from error


def _encoding(file: File, head: bytes, configured: str) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    name = _lookup(configured)
    if name.startswith(("utf-16", "utf-32")):
        return name
    if 4 * head.count(0) >= len(head) > 0:  # every other byte of Latin text in UTF-16
        order = "le" if head[0] else "be"
        raise FeedError(
            f"{file} looks like UTF-16 without its byte order mark; save it as UTF-8, or set "
            f"catalogue.encoding = 'utf-16-{order}'"
        )
    if name != "utf-8" and not head.isascii() and _is_utf_8(head):
        raise FeedError(f"{file} is UTF-8, though catalogue.encoding = {configured!r}; remove that key")
    return name


def _lookup(name: str) -> str:
    """Return the name of a codec, of the wider one where others write that under its name. Raises LookupError."""
    known = codecs.lookup(name).name
    return _WIDER.get(known, known)


def _is_utf_8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # which may end within a character
    except UnicodeDecodeError:
        return False
    return True


def _mark_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(_SURROGATE + byte) for byte in bad), error.end


codecs.register_error(_BAD_BYTES, _mark_bytes)
