"""Who is let in: the key pair of a request, in any of the forms that Alpaca takes."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from enum import Enum
from typing import Any

TOKEN_KEYS = ("oauth", "access_token")
"""Words that stand in the place of a key when the secret is a token."""


class Answer(Enum):
    """What a door-keeper says."""

    IN = "in"
    NO_KEYS = "no keys"
    WRONG = "wrong keys"


class Keys:
    """The pair that is let in; any non-empty pair if none was given at the start."""

    def __init__(self, key: str, secret: str) -> None:
        self._key, self._secret = key, secret

    def check(self, key: Any, secret: Any) -> Answer:
        """Judge a pair as it came from outside."""
        if not (isinstance(key, str) and isinstance(secret, str) and key and secret):
            return Answer.NO_KEYS
        if not self._key and not self._secret:
            return Answer.IN
        right = secrets.compare_digest(key.encode(), self._key.encode())
        return (
            Answer.IN
            if secrets.compare_digest(secret.encode(), self._secret.encode()) and right
            else Answer.WRONG
        )

    def check_headers(self, headers: Mapping[str, str]) -> Answer:
        """Judge the headers of a request: the two APCA ones, or `Authorization` with Basic or Bearer."""
        scheme, _, words = headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.check(TOKEN_KEYS[0], words.strip())
        if scheme.lower() == "basic":
            return self.check(*_basic(words))
        return self.check(headers.get("APCA-API-KEY-ID"), headers.get("APCA-API-SECRET-KEY"))


def _basic(words: str) -> tuple[str, str]:
    try:
        key, _, secret = base64.b64decode(words, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return key, secret
