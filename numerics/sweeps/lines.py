"""The lines of a file of runs: JSON objects, each with a checksum, and arrays as the base64 text of their bytes."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping

import numpy as np

__all__ = ["checked", "decode", "encode", "line", "parse"]

CHECK = b', "check": "%08x"}'  # how a line ends


def line(values: Mapping) -> bytes:
    """One line, with the checksum of the text before it."""
    body = json.dumps(values, allow_nan=False).encode()[:-1]
    return body + CHECK % zlib.crc32(body) + b"\n"


def checked(text: bytes) -> dict | None:
    """The content of a line without its checksum, or `None` if the checksum fails."""
    length = len(CHECK % 0)
    body, check = text[:-length], text[-length:]
    if check != CHECK % zlib.crc32(body):
        return None
    return parse(body + b"}")


def parse(text: bytes) -> dict | None:
    """The JSON object in a text, or `None` if the text is not one."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def encode(values) -> str:
    """The text of an array of floats, with all digits; its shape is not kept."""
    return base64.b64encode(np.asarray(values, dtype="<f8").tobytes()).decode()


def decode(text: str) -> np.ndarray:
    """The vector of floats in a text that `encode` made."""
    return np.frombuffer(base64.b64decode(text, validate=True), dtype="<f8").astype(float)
