"""Digits as small pictures, drawn and encoded without any imaging library."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np

# Seven segments as (row, row, column, column) of a 16 x 16 image, and which of them each digit lights.
SEGMENTS = ((2, 3, 5, 11), (2, 8, 10, 11), (8, 14, 10, 11), (13, 14, 5, 11), (8, 14, 5, 6), (2, 8, 5, 6), (7, 8, 5, 11))
LIT = ("012345", "12", "01643", "01236", "5612", "05623", "056432", "012", "0123456", "012356")


def glyph(digit: int) -> Any:
    """A digit as a 16 x 16 image in [0, 1]."""
    image = np.zeros((16, 16))
    for place in LIT[digit]:
        top, bottom, left, right = SEGMENTS[int(place)]
        image[top : bottom + 1, left : right + 1] = 0.95
    return image


def png(image: Any) -> str:
    """A greyscale image in [0, 1] as a PNG, base64."""
    pixels = np.rint(image * 255).astype(np.uint8)
    height, width = pixels.shape
    raw = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()
