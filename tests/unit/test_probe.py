"""What `setup` makes of a server's answers: an error that says what is needed, or warnings."""

from __future__ import annotations

from typing import Any

import pytest

from langgraph._redis.errors import UnsupportedServerError
from langgraph._redis.plan import Refusal
from langgraph._redis.probe import check
from unit.by_hand import returned_after, several, verbs


def warnings_for(info: Any) -> list[str]:
    return returned_after(check("prefix"), [[1, info]])


def memory(policy: str, limit: str = "1048576") -> bytes:
    return f"# Memory\r\nmaxmemory:{limit}\r\nmaxmemory_policy:{policy}\r\n".encode()


def test_a_server_is_checked_in_one_round_trip_that_may_be_refused() -> None:
    calls = several(next(check("prefix")))

    assert verbs(calls) == ["probe", "INFO"]
    assert all(call.tolerant for call in calls)
    assert all(key.startswith(b"prefix:{") for key in calls[0].keys)


def test_a_refused_script_is_an_error_that_says_what_is_needed() -> None:
    refusal = [Refusal("NOPERM this user has no permissions"), memory("noeviction")]

    with pytest.raises(UnsupportedServerError, match=r"Redis 6\.2.*'prefix'.*NOPERM this user"):
        returned_after(check("prefix"), [refusal])


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
def test_a_policy_that_drops_what_is_in_use_is_warned_of_with_the_reason(policy: str) -> None:
    (warning,) = warnings_for(memory(policy))

    assert policy in warning
    assert "1048576" in warning
    assert "noeviction" in warning


@pytest.mark.parametrize("policy", ["noeviction", "volatile-lru", "volatile-ttl"])
def test_a_policy_that_leaves_keys_without_expiry_alone_is_no_warning(policy: str) -> None:
    assert warnings_for(memory(policy)) == []


def test_a_server_without_a_limit_never_drops_anything() -> None:
    assert warnings_for(memory("allkeys-lru", "0")) == []


def test_a_server_that_does_not_let_us_look_is_no_warning() -> None:
    assert warnings_for(Refusal("NOPERM")) == []


@pytest.mark.parametrize(
    "info",
    [
        {"maxmemory": 1048576, "maxmemory_policy": "allkeys-lru"},
        {b"maxmemory": b"1048576", b"maxmemory_policy": b"allkeys-lru"},
        memory("allkeys-lru").decode(),
    ],
)
def test_a_client_may_have_taken_the_answer_apart(info: Any) -> None:
    assert len(warnings_for(info)) == 1


def test_an_answer_without_these_fields_is_no_warning() -> None:
    assert warnings_for(b"") == []
    assert warnings_for({}) == []
