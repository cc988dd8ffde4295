"""Pictures that staff upload: told by what they are, never by what they are called. Pure values."""

MOST_BYTES = 300_000
_MAGIC = (
    ("image/png", b"\x89PNG\r\n\x1a\n", b""),
    ("image/jpeg", b"\xff\xd8\xff", b""),
    ("image/webp", b"RIFF", b"WEBP"),
)


def picture_type(content: bytes) -> str:
    """Return the media type of a PNG, JPEG or WebP picture of at most 300 kB; ValueError says what is wrong."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"expected a picture of at most {MOST_BYTES // 1000} kB")
    for media_type, start, form in _MAGIC:
        if content.startswith(start) and content[8 : 8 + len(form)] == form:
            return media_type
    raise ValueError("expected a PNG, JPEG or WebP picture")
