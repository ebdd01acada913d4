"""Opus in an Ogg file whose bytes depend on the sound alone.

libsndfile gives every Ogg stream a random serial number; here each page gets a fixed one and a new checksum.
"""

import io

import numpy as np
import soundfile

SERIAL = (0x5E12).to_bytes(4, "little")
POLYNOMIAL = 0x04C11DB7  # RFC 3533, section 6: no reflection, start at 0


def _table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (POLYNOMIAL if value & 0x80000000 else 0)
        table.append(value & 0xFFFFFFFF)
    return table


TABLE = _table()


def checksum(page: bytes) -> int:
    value = 0
    for byte in page:
        value = ((value << 8) & 0xFFFFFFFF) ^ TABLE[(value >> 24) ^ byte]
    return value


def with_fixed_serial(stream: bytes) -> bytes:
    """The same Ogg stream with the serial number and the checksum of every page written anew."""
    pages, start = [], 0
    while start < len(stream):
        segments = stream[start + 26]
        end = start + 27 + segments + sum(stream[start + 27 : start + 27 + segments])
        page = bytearray(stream[start:end])
        page[14:18], page[22:26] = SERIAL, bytes(4)
        page[22:26] = checksum(page).to_bytes(4, "little")
        pages.append(bytes(page))
        start = end
    return b"".join(pages)


def encode(waveform: np.ndarray, rate: int, compression: float) -> bytes:
    """waveform: float (samples,), -1 to 1. compression: 0 (largest) to 1 (smallest), as libsndfile counts."""
    buffer = io.BytesIO()
    soundfile.write(buffer, waveform, rate, format="OGG", subtype="OPUS", compression_level=compression)
    return with_fixed_serial(buffer.getvalue())
