"""Keys: any pair, or the one pair."""

import base64

import pytest

from liu_tui.localmarket.auth import Answer, Keys

PAIR = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}
BASIC = {"Authorization": "Basic " + base64.b64encode(b"key:secret").decode()}


@pytest.mark.parametrize("headers", [PAIR, BASIC, {"Authorization": "Bearer token"}])
def test_any_non_empty_pair_is_let_in_if_none_was_given(headers: dict[str, str]) -> None:
    assert Keys("", "").check_headers(headers) is Answer.IN


@pytest.mark.parametrize(
    "headers", [{}, {"APCA-API-KEY-ID": "key"}, {"Authorization": "Bearer "}, {"Authorization": "Basic !!"}]
)
def test_no_pair_is_no_pair(headers: dict[str, str]) -> None:
    assert Keys("", "").check_headers(headers) is Answer.NO_KEYS


def test_only_the_right_pair_is_let_in_if_one_was_given() -> None:
    keys = Keys("key", "secret")
    assert keys.check_headers(PAIR) is Answer.IN
    assert keys.check_headers(BASIC) is Answer.IN
    assert keys.check("key", "other") is Answer.WRONG
    assert keys.check("other", "secret") is Answer.WRONG
    assert keys.check_headers({"Authorization": "Bearer token"}) is Answer.WRONG


@pytest.mark.parametrize("foreign", [None, 5, ["key"], {"key": 1}])
def test_what_is_no_text_is_no_key(foreign: object) -> None:
    assert Keys("key", "secret").check(foreign, "secret") is Answer.NO_KEYS
