"""Random bytes and signatures as text that a cookie, a header and an address carry as it is."""

from binascii import b2a_base64

ALPHABET = bytes.maketrans(b"+/", b"-_")


def url_safe(raw: bytes) -> str:
    """Return the URL-safe Base64 (RFC 4648) of `raw`. The standard library's is the same through three calls, and a
    page has three such texts."""
    return b2a_base64(raw, newline=False).translate(ALPHABET).decode()
