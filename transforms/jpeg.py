"""What a JPEG's segments say before it is decoded: that it is whole, and of a kind that the decoder knows."""

from typing import Final

from transforms.photo import BadPhoto, unsupported

# Real files have a handful of scans (libjpeg's default progressive script: 10); thousands are an attack on CPU time.
_MAX_SCANS: Final = 256
_PROGRESSIVE: Final = (0xC2, 0xC6, 0xCA, 0xCE)
_FRAMES: Final = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
_OTHER_FRAMES: Final = {
    0xC3: "lossless JPEG",
    0xC5: "hierarchical JPEG",
    0xC6: "hierarchical JPEG",
    0xC7: "lossless JPEG",
    0xCB: "lossless JPEG",
    0xCD: "hierarchical JPEG",
    0xCE: "hierarchical JPEG",
    0xCF: "lossless JPEG",
    0xF7: "JPEG-LS",
}


def check_jpeg(data: bytes) -> None:
    """Raise BadPhoto unless the frame is of a known kind and an end marker follows the first scan.

    Decoders paint what is missing grey and go on if the rest of the file is zeros, so they cannot be asked. Thumbnails
    inside the header have end markers of their own, hence the walk over the header's segments.
    """
    start, progressive = _first_scan(data)
    end = data.rfind(b"\xff\xd9", start)
    if end < 0:
        raise BadPhoto("truncated", f"no end of image in {len(data)} bytes")
    if progressive and (scans := data.count(b"\xff\xda", start, end)) > _MAX_SCANS:
        raise BadPhoto("corrupt", f"{scans} progressive scans, more than {_MAX_SCANS}")


def _first_scan(data: bytes) -> tuple[int, bool]:
    """Return where a JPEG's first scan starts (or its header stops making sense), and whether it is progressive."""
    at, size, progressive = 2, len(data), False
    while at + 4 <= size:
        marker = data[at + 1]
        if marker == 0xDA or data[at] != 0xFF:
            return at, progressive
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a length
            at += 2
        else:
            _check_frame(marker, data[at + 4 : at + 10])
            progressive = progressive or marker in _PROGRESSIVE
            at += 2 + (data[at + 2] << 8 | data[at + 3])
    raise BadPhoto("truncated", f"the header does not end within {size} bytes")


def _check_frame(marker: int, frame: bytes) -> None:
    if marker in _OTHER_FRAMES:
        raise unsupported(_OTHER_FRAMES[marker])
    if marker in _FRAMES and len(frame) == 6:
        if frame[0] != 8:
            raise unsupported(f"JPEG of {frame[0]} bits a sample")
        if frame[5] not in (1, 3, 4):
            raise unsupported(f"JPEG of {frame[5]} channels")
