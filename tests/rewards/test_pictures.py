"""Uploaded pictures: a PNG is taken apart, checked and put together from what draws it."""

import struct
import zlib

import pytest

from rewards.pictures import MAX_BYTES, SIGNATURE, BadPicture, clean_png


def chunk(name, body):
    return len(body).to_bytes(4) + name + body + zlib.crc32(name + body).to_bytes(4)


def png(width=32, height=32, *, depth=8, colour=6, interlaced=0, rows=None, extra=(), after=b""):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    pixels = zlib.compress(b"\x00" * (1 + width * 4) * height if rows is None else rows)
    middle = b"".join(chunk(*one) for one in extra)
    return SIGNATURE + chunk(b"IHDR", header) + middle + chunk(b"IDAT", pixels) + chunk(b"IEND", b"") + after


def test_clean_png_keeps_what_draws():
    assert clean_png(png()) == png()


def test_clean_png_drops_comments_camera_data_and_what_follows():
    dirty = png(extra=[(b"tEXt", b"Comment\x00<script>"), (b"eXIf", b"GPS")], after=b"<?php evil")

    assert clean_png(dirty) == png()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no PNG"),
        (b"<svg onload=alert(1)>", "no PNG"),
        (b"\xff\xd8\xff\xe0JFIF", "no PNG"),
        (SIGNATURE, "cut off"),
        (png()[:-12], "cut off"),
        (png().replace(b"IDAT", b"IDAX"), "damaged"),
        (png(width=31), "expected 32 to 1024"),
        (png(height=1025), "expected 32 to 1024"),
        (png(interlaced=1), "interlacing"),
        (png(depth=3), "kind of PNG"),
        (png(rows=b"\x00" * 10), "damaged"),
        (png(rows=b"\x00" * 10_000_000), "damaged"),
        (b"\x00" * (MAX_BYTES + 1), "at most 256 KB"),
        (png(colour=3, rows=b"\x00" * 33 * 32), "no colours"),
    ],
)
def test_clean_png_refuses_what_is_none(data, words):
    with pytest.raises(BadPicture, match=words):
        clean_png(data)
