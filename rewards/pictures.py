"""Pictures that staff upload: a PNG taken apart and put together again from what draws it, nothing else. Pure."""

import struct
import zlib
from collections.abc import Iterator

from core.errors import Invalid

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_BYTES = 256 * 1024
MIN_SIDE, MAX_SIDE = 32, 1024
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_DRAWS = (b"PLTE", b"tRNS", b"gAMA", b"sRGB")


class BadPicture(Invalid):
    """An upload that is no PNG a page could show."""

    code = "bad_picture"


def clean_png(data: bytes) -> bytes:
    """Return the PNG without comments, camera data and whatever else hides in one; `BadPicture` if it is none.

    At most 256 KB, 32 to 1,024 pixels a side, not interlaced.
    """
    if len(data) > MAX_BYTES:
        raise BadPicture(f"The picture has {len(data) // 1024} KB; at most {MAX_BYTES // 1024} KB are possible.")
    if not data.startswith(SIGNATURE):
        raise BadPicture("This is no PNG picture.")
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != b"IHDR" or chunks[-1] != (b"IEND", b""):
        raise BadPicture("The PNG is cut off.")
    header = chunks[0][1]
    pixels = b"".join(body for name, body in chunks if name == b"IDAT")
    _check_pixels(header, pixels)
    palette = [(name, body) for name, body in chunks if name in _DRAWS]
    if header[9] == 3 and not any(name == b"PLTE" for name, _ in palette):
        raise BadPicture("The PNG has no colours.")
    return SIGNATURE + b"".join(
        _chunk(name, body) for name, body in [(b"IHDR", header), *palette, (b"IDAT", pixels), (b"IEND", b"")]
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each chunk's name and body up to IEND; what follows it is left out."""
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        checked = data[at + 8 + length : at + 12 + length]
        if len(body) < length or checked != _crc(name, body):
            raise BadPicture("The PNG is damaged.")
        yield name, body
        if name == b"IEND":
            return
        at += 12 + length


def _check_pixels(header: bytes, pixels: bytes) -> None:
    """Refuse sides out of bounds and data that unpacks to more or less than the picture has."""
    if len(header) != 13:
        raise BadPicture("The PNG is damaged.")
    width, height, depth, colour, packing, filtering, interlaced = struct.unpack(">IIBBBBB", header)
    if depth not in _DEPTHS.get(colour, ()) or packing or filtering:
        raise BadPicture("This kind of PNG cannot be shown.")
    if not (MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE):
        raise BadPicture(f"The picture has {width} × {height} pixels; expected {MIN_SIDE} to {MAX_SIDE} a side.")
    if interlaced:
        raise BadPicture("Please save the PNG without interlacing.")
    expected = height * (1 + (width * depth * _SAMPLES[colour] + 7) // 8)
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(pixels, expected + 1)
    except zlib.error:
        raise BadPicture("The PNG is damaged.") from None
    if len(unpacked) != expected or not unpacker.eof:
        raise BadPicture("The PNG is damaged.")


def _crc(name: bytes, body: bytes) -> bytes:
    return zlib.crc32(name + body).to_bytes(4)


def _chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + name + body + _crc(name, body)
