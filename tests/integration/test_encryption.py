"""With an encrypting serializer nothing of a checkpoint is readable in the database but its names.

Names are ids, channels, versions and run ids. What is not encrypted is then refused, and the other
way round: a saver without the cipher says so instead of guessing.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, cast

import pytest
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph.checkpoint.redis import RedisSaver
from steps import Chain, config_of, metadata_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

SECRET = "rosebud"  # It stands in everything that a checkpoint holds.
HOLDERS = {
    "inline": SECRET,
    "text": SECRET * 100,
    "bytes": SECRET.encode() * 100,
    "segments": [{"n": n, "text": SECRET * 10} for n in range(300)],
    "table": {f"{SECRET} {n}": n for n in range(300)},
    "null": None,
}


def encrypting(key: bytes = b"0123456789abcdef") -> EncryptedSerializer:
    return EncryptedSerializer.from_pycryptodome_aes(key=key)


@pytest.fixture
def encrypted(redis_url: str, key_prefix: str) -> Iterator[RedisSaver]:
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix, serde=encrypting()) as opened:
        yield opened


def put_secrets(saver: RedisSaver) -> Chain:
    """Three steps, so that segments are reused, with writes and metadata."""
    chain = Chain()
    for _ in range(3):
        more = [*chain.values.get("segments", []), *HOLDERS["segments"]]  # type: ignore[misc]  # a list
        put = chain.next(**{**HOLDERS, "segments": more})
        metadata = metadata_of(note=SECRET, nested={SECRET: [SECRET]})
        chain.config = saver.put(put.config, put.checkpoint, metadata, put.new_versions)
        saver.put_writes(chain.config, list(HOLDERS.items()), "task", "path")
    return chain


@pytest.mark.every_server
def test_what_was_encrypted_comes_back(encrypted: RedisSaver, redis_url: str, key_prefix: str) -> None:
    chain = put_secrets(encrypted)

    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix, serde=encrypting()) as another:
        for saver in (encrypted, another):
            found = saver.get_tuple(chain.config)
            assert found is not None
            assert found.checkpoint["channel_values"] == chain.values
            assert dict(found.metadata)["nested"] == {SECRET: [SECRET]}
            assert found.pending_writes == [("task", *it) for it in HOLDERS.items()]


def test_nothing_of_the_plaintext_is_in_the_database(
    encrypted: RedisSaver, redis_client: redis.Redis
) -> None:
    put_secrets(encrypted)

    stored = everything(redis_client)

    assert len(stored) > 1_000
    assert SECRET.encode() not in stored
    # Compressed text would not be found either; but ciphertext does not compress any further.
    long = [value for value in values_of(redis_client, "thread") if len(value) > 1_000]
    assert all(len(zlib.compress(value)) > 0.97 * len(value) for value in long)


def test_equal_values_are_not_equal_ciphertexts(encrypted: RedisSaver, redis_client: redis.Redis) -> None:
    for thread in ("one", "two"):
        Chain(config_of(thread)).put(encrypted, text=SECRET * 100)

    one, two = (values_of(redis_client, thread) for thread in ("one", "two"))

    assert not set(one) & set(two)


def test_a_plaintext_record_is_refused_under_encryption(saver: RedisSaver, encrypted: RedisSaver) -> None:
    config = put_secrets(saver).config

    for read in (encrypted.get_tuple, lambda c: list(encrypted.list(c))):
        with pytest.raises(Exception, match=r"(?i)encrypt"):
            read(config)


def test_a_plaintext_write_is_refused_under_encryption(saver: RedisSaver, encrypted: RedisSaver) -> None:
    config = Chain().put(encrypted, channel=1)
    saver.put_writes(config, [("channel", SECRET)], "task")

    with pytest.raises(Exception, match=r"(?i)encrypt"):
        encrypted.get_tuple(config)


def test_an_encrypted_record_is_refused_without_the_cipher(saver: RedisSaver, encrypted: RedisSaver) -> None:
    config = put_secrets(encrypted).config

    with pytest.raises(Exception, match=r"(?i)encrypt"):
        saver.get_tuple(config)


def test_another_key_is_an_error_and_no_value(encrypted: RedisSaver, redis_url: str, key_prefix: str) -> None:
    config = put_secrets(encrypted).config

    with (
        RedisSaver.from_conn_string(
            redis_url, key_prefix=key_prefix, serde=encrypting(b"another key 16 b")
        ) as other,
        pytest.raises(Exception, match=r"(?i)MAC check|:data"),
    ):
        other.get_tuple(config)


def test_an_allowlist_reaches_the_serializer_inside_the_cipher(redis_url: str, key_prefix: str) -> None:
    strict = EncryptedSerializer.from_pycryptodome_aes(
        serde=JsonPlusSerializer(allowed_msgpack_modules=None), key=b"0123456789abcdef"
    )
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix, serde=strict) as saver:
        clone = saver.with_allowlist([("some.module", "Name")])
        config = put_secrets(cast("RedisSaver", clone)).config
        assert saver.get(config) == clone.get(config)


def everything(client: redis.Redis) -> bytes:
    """All that the database holds, names and values."""
    parts: list[bytes] = []
    for key in client.scan_iter():
        parts.append(key)
        kind = client.type(key)
        if kind == b"hash":
            for name, value in cast("dict[bytes, bytes]", client.hgetall(key)).items():
                parts += [name, value]
        elif kind == b"zset":
            parts += cast("list[bytes]", client.zrange(key, 0, -1))
        else:
            parts += cast("set[bytes]", client.smembers(key))
    return b"\0".join(parts)


def values_of(client: redis.Redis, thread: str) -> list[bytes]:
    (key,) = [key for key in client.scan_iter() if key.endswith(f"{{{thread}}}:data".encode())]
    fields: Any = client.hgetall(key)
    return [value for value in fields.values() if len(value) > 64]
