"""Bytes that flip in the database: who reads the thread is told where; who reads another notices nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import pytest

from langgraph.checkpoint.redis import CorruptRecordError, RedisSaver
from steps import Chain, config_of, long_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

KINDS = (b"c/", b"v//messages/", b"v//blob/", b"s/", b"w/", b"l/", b"m/")
POSITIONS = 60
FLIPS = (0x01, 0x80, 0xFF)


@pytest.fixture
def stored(saver: RedisSaver) -> Chain:
    """A thread with a field of each kind, and one beside it."""
    chain = Chain()
    chain.put(saver, messages=long_list(30), blob=b"\x00\x01" * 400, step=1)
    for n in range(120):
        saver.put_writes(chain.config, [("c", n), ("d", "x" * 50)], f"{n:03} {'task' * 8}", "path")
    Chain(config_of("other")).put(saver, channel="well")
    return chain


def key_of(prefix: str) -> str:
    return f"{prefix}:{{thread}}:data"


def field_of(client: redis.Redis, key: str, kind: bytes) -> bytes:
    found = sorted(field for field in cast("list[bytes]", client.hkeys(key)) if field.startswith(kind))
    assert found, kind
    return found[0]


def flipped(data: bytes) -> Iterator[bytes]:
    """The bytes with one of them changed: the first, where structure stands, and some of the rest."""
    places = [*range(min(len(data), 24)), *range(24, len(data), max(1, len(data) // POSITIONS))]
    for at in places:
        for mask in FLIPS:
            yield data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


@pytest.mark.parametrize("kind", KINDS)
def test_a_byte_that_flipped_is_an_error_that_says_where_or_a_readable_value(
    stored: Chain, redis_url: str, redis_client: redis.Redis, key_prefix: str, kind: bytes
) -> None:
    """Only what is compressed has a checksum: other text may read as other text, and that is all."""
    key = key_of(key_prefix)
    field = field_of(redis_client, key, kind)
    data = cast("bytes", redis_client.hget(key, cast("Any", field)))
    refusals = []
    for damaged in flipped(data):
        redis_client.hset(key, cast("Any", field), cast("Any", damaged))
        with RedisSaver(redis_url, key_prefix=key_prefix) as cold:
            try:
                found = cold.get_tuple(stored.config)
            except CorruptRecordError as error:
                refusals.append(str(error))
            else:
                assert found is not None
                assert found.checkpoint["channel_values"].keys() == stored.values.keys()
    redis_client.hset(key, cast("Any", field), cast("Any", data))

    assert refusals
    assert all(re.match(rf"cannot read field '[cvswlm]/.*' of key '{key}': .", each) for each in refusals)
    with RedisSaver(redis_url, key_prefix=key_prefix) as cold:
        found = cold.get_tuple(stored.config)
        assert found is not None
        assert found.checkpoint["channel_values"] == stored.values


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_was_cut_off_is_an_error_that_names_it_and_hinders_no_other_thread(
    stored: Chain,
    other_saver: RedisSaver,
    redis_client: redis.Redis,
    key_prefix: str,
    kind: bytes,
) -> None:
    key = key_of(key_prefix)
    field = field_of(redis_client, key, kind)
    data = cast("bytes", redis_client.hget(key, cast("Any", field)))
    redis_client.hset(key, cast("Any", field), cast("Any", data[: len(data) // 2]))

    with pytest.raises(CorruptRecordError, match=r"thread\}:data") as caught:
        other_saver.get_tuple(stored.config)

    assert f"{key!r}" in str(caught.value)
    other = other_saver.get(config_of("other"))
    assert other is not None
    assert other["channel_values"] == {"channel": "well"}


def test_a_record_of_a_newer_layout_is_refused_and_the_thread_can_still_be_deleted(
    stored: Chain, other_saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    key = key_of(key_prefix)
    field = field_of(redis_client, key, b"c/")
    record = cast("bytes", redis_client.hget(key, cast("Any", field)))
    redis_client.hset(key, cast("Any", field), cast("Any", b"2" + record[1:]))

    for read in (
        lambda: other_saver.get_tuple(config_of()),
        lambda: other_saver.get_tuple(stored.config),
        lambda: list(other_saver.list(config_of())),
    ):
        with pytest.raises(CorruptRecordError, match=r"layout version is b'2'.*newer release") as caught:
            read()
        assert key in str(caught.value)
        assert field.decode() in str(caught.value)
    other_saver.delete_thread("thread")
    assert not redis_client.exists(key)
