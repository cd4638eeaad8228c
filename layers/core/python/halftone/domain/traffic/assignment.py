"""Which share of the requests one belongs to: a hash, so that the same key always meets the same.

A position is a number in [0, 100), evenly spread. Whoever takes the positions below a share keeps
all that they had when the share grows: a key that met the challenger at 5 % meets it at 20 %.
"""

import hashlib

_SPAN = float(1 << 53)
_NUL = b"\x00"


def salted(salt: str, purpose: str = "") -> bytes:
    """What is hashed before a key. Two salts, or two purposes, give independent positions."""
    return f"{salt}\x00{purpose}".encode("utf-8", "surrogatepass") + _NUL


def position(salt: bytes, key: str) -> float:
    """Where ``key`` stands in [0, 100): BLAKE2b of salt and key, of which 53 bits fit a float."""
    digest = hashlib.blake2b(salt + key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) * 100.0 / _SPAN


def fingerprint(salt: bytes, text: str, size: int = 8) -> str:
    """``size`` bytes of the hash of ``text``, in hex: names it without telling it."""
    data = salt + text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=size, person=b"fingerprint").hexdigest()
