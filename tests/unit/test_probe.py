"""What `setup` makes of a server's answers: an error that says what is needed, or warnings."""

from __future__ import annotations

from typing import Any

import pytest

from langgraph._redis.errors import UnsupportedServerError
from langgraph._redis.plan import Refusal
from langgraph._redis.probe import check
from unit.by_hand import atomic, returned_after, several, verbs


def warnings_for(info: Any, *, expiring: bool = False) -> list[str]:
    return returned_after(check("prefix", expiring=expiring), [[1, info], [0, 0]])


def memory(policy: str, limit: str = "1048576") -> bytes:
    return f"# Memory\r\nmaxmemory:{limit}\r\nmaxmemory_policy:{policy}\r\n".encode()


def test_a_server_is_checked_in_two_round_trips_that_may_be_refused() -> None:
    plan = check("prefix")
    calls = several(next(plan))
    joined = atomic(plan.send([1, memory("noeviction")]))

    assert verbs(calls) == ["probe", "INFO"]
    assert all(call.tolerant for call in [*calls, *joined])
    assert all(key.startswith(b"prefix:{") for key in calls[0].keys)


def test_a_refused_script_is_an_error_that_says_what_is_needed() -> None:
    refusal = [Refusal("NOPERM this user has no permissions"), memory("noeviction")]

    with pytest.raises(UnsupportedServerError, match=r"Redis 6\.2.*'prefix'.*NOPERM this user"):
        returned_after(check("prefix"), [refusal, [0, 0]])


def test_a_user_who_may_not_join_commands_is_told() -> None:
    refusals = [Refusal("NOPERM no 'multi'")] * 2

    with pytest.raises(UnsupportedServerError, match=r"MULTI, EXEC.*NOPERM no 'multi'"):
        returned_after(check("prefix"), [[1, memory("noeviction")], refusals])


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
def test_a_policy_that_drops_what_is_in_use_is_warned_of_with_the_reason(policy: str) -> None:
    (warning,) = warnings_for(memory(policy))

    assert policy in warning
    assert "1048576" in warning
    assert "noeviction" in warning


@pytest.mark.parametrize("policy", ["noeviction", "volatile-lru", "volatile-ttl"])
def test_a_policy_that_leaves_keys_without_expiry_alone_is_no_warning(policy: str) -> None:
    assert warnings_for(memory(policy)) == []


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"])
def test_a_policy_that_drops_keys_with_an_expiry_is_warned_of_where_keys_have_one(policy: str) -> None:
    (warning,) = warnings_for(memory(policy), expiring=True)

    assert policy in warning
    assert "keys with a time to live" in warning
    assert "noeviction" in warning


def test_a_policy_that_drops_nothing_is_no_warning_where_keys_have_an_expiry() -> None:
    assert warnings_for(memory("noeviction"), expiring=True) == []


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru"])
def test_a_server_without_a_limit_never_drops_anything(policy: str) -> None:
    assert warnings_for(memory(policy, "0"), expiring=True) == []


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
