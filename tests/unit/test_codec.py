"""Bytes sealed and opened again: compressed where it helps, encrypted where asked, refused where not ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph._redis.errors import CorruptRecordError
from langgraph.checkpoint.redis.codec import Codec


def encrypting() -> EncryptedSerializer:
    return EncryptedSerializer.from_pycryptodome_aes(key=b"a key of 16 byte")


class OwnEncryption(EncryptedSerializer):
    """Serializes in a way of its own: back to front, behind a tag of its own."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        kind, data = self.serde.dumps_typed(obj)
        return f"reversed-{kind}", data[::-1]

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        kind, reverse = data
        return self.serde.loads_typed((kind.removeprefix("reversed-"), reverse[::-1]))


PLAIN = Codec(JsonPlusSerializer())
ENCRYPTED = Codec(encrypting())
BOTH = [pytest.param(PLAIN, id="plain"), pytest.param(ENCRYPTED, id="encrypted")]

# Short, long and repetitive, long and random: raw, compressed, raw again.
SHORT, REPETITIVE, RANDOM = b"secret", b"secret " * 400, Random(1).randbytes(5000)
SHAPES = [
    pytest.param(SHORT, id="short"),
    pytest.param(REPETITIVE, id="repetitive"),
    pytest.param(RANDOM, id="random"),
]


@pytest.mark.parametrize("codec", BOTH)
@given(data=st.binary(max_size=50), times=st.sampled_from([1, 7, 60, 5000]))
def test_what_is_sealed_opens_as_it_was(codec: Codec, data: bytes, times: int) -> None:
    assert codec.unseal(codec.seal(data * times)) == data * times


@pytest.mark.parametrize("codec", BOTH)
def test_repetitive_bytes_become_fewer(codec: Codec) -> None:
    assert len(codec.seal(REPETITIVE)) < len(REPETITIVE) / 4


@pytest.mark.parametrize("data", [SHORT, RANDOM])
def test_bytes_that_do_not_compress_become_one_more(data: bytes) -> None:
    assert len(PLAIN.seal(data)) == len(data) + 1


# Texts as they were sealed under the key above when each way of compressing them was new.
STORED = [
    pytest.param(
        b"secret",
        ("026165730a68f787280a4845ac95da6bdb7044af74ffa5aefbfc6ca67bd5a05c11718a573ae8f71a67d691"),
        id="raw",
    ),
    pytest.param(
        b"secret " * 30,
        (
            "066165730a517e4c28fb914f00a83435568e9e20bd29818720470afabfbb59b913a49c419744a1fa954701d54bd91dba"
            "d198870bd53dfc19b32ccb0fa0054df7"
        ),
        id="against the dictionary",
    ),
    pytest.param(
        b"secret " * 1300,
        (
            "036165730a93e18aef234b0cad59d85577b450f0d2a4715fc1a4b1eeff7b22c6a153d8947d81b26a93d6b17efd81ccb2"
            "e657593028d3a8d5525ff45003f520958988"
        ),
        id="alone",
    ),
]


@pytest.mark.parametrize(("text", "sealed"), STORED)
def test_what_was_encrypted_opens(text: bytes, sealed: str) -> None:
    assert ENCRYPTED.unseal(bytes.fromhex(sealed)) == text


@pytest.mark.parametrize("data", SHAPES)
def test_nothing_of_the_plaintext_is_in_what_is_encrypted(data: bytes) -> None:
    sealed = ENCRYPTED.seal(data)

    assert data[:6] not in sealed
    assert PLAIN.seal(data)[1:] not in sealed


@pytest.mark.parametrize("data", SHAPES)
def test_a_plaintext_is_refused_by_an_encrypting_serializer(data: bytes) -> None:
    with pytest.raises(CorruptRecordError, match=r"it is not encrypted.*EncryptedSerializer"):
        ENCRYPTED.unseal(PLAIN.seal(data))


@pytest.mark.parametrize("data", SHAPES)
def test_a_ciphertext_is_refused_by_a_plain_serializer(data: bytes) -> None:
    with pytest.raises(CorruptRecordError, match=r"it is encrypted.*EncryptedSerializer"):
        PLAIN.unseal(ENCRYPTED.seal(data))


@pytest.mark.parametrize("data", SHAPES)
def test_a_ciphertext_that_was_changed_is_not_opened(data: bytes) -> None:
    sealed = bytearray(ENCRYPTED.seal(data))
    sealed[-1] ^= 1

    with pytest.raises(ValueError, match="MAC check failed"):
        ENCRYPTED.unseal(bytes(sealed))


@pytest.mark.parametrize("piece", [b"\x09abc", b"\xff", b"{}", b""])
def test_an_unknown_flag_is_refused(piece: bytes) -> None:
    with pytest.raises(CorruptRecordError, match="unknown flag"):
        PLAIN.unseal(piece)


@pytest.mark.parametrize("codec", BOTH)
@pytest.mark.parametrize(
    "obj",
    [
        None,
        b"",
        b"bytes\nwith\nlines",
        bytearray(b"changeable"),
        "text " * 1000,
        [1, {"a": (2, 3)}, {4}],
        {1: "an int key"},
        UUID(int=3),
        datetime(2026, 1, 2, tzinfo=timezone.utc),
        {"lc": 2, "type": "constructor", "id": ["builtins", "set"], "kwargs": {}},
    ],
)
def test_objects_come_back_as_the_serializer_brings_them_back(codec: Codec, obj: Any) -> None:
    reference = JsonPlusSerializer()
    expected = reference.loads_typed(reference.dumps_typed(obj))

    field, kind, data = codec.opened(b"v//a/1", codec.pack(obj))
    found = codec.loads(kind, data)

    assert (field, found) == (b"v//a/1", expected)
    assert type(found) is type(expected)


@pytest.mark.parametrize("obj", [None, b"raw", bytearray(b"raw"), [1]])
def test_the_serializers_bytes_are_stored_under_its_own_type(obj: Any) -> None:
    kind, data = JsonPlusSerializer().dumps_typed(obj)

    assert PLAIN.dumps(obj) == (kind.encode(), bytes(data))
    assert ENCRYPTED.dumps(obj) == (kind.encode(), bytes(data))


def test_a_serializer_that_encrypts_in_its_own_way_is_used_as_it_is() -> None:
    codec = Codec(OwnEncryption(encrypting().cipher))

    packed = codec.pack("palindrome")

    assert packed.startswith(b"reversed-msgpack\n")
    assert b"emordnilap" in packed
    assert codec.loads(*codec.opened(b"", packed)[1:]) == "palindrome"


def test_threads_may_compress_at_once() -> None:
    pieces = [Random(seed).randbytes(20) * 5000 for seed in range(60)]

    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(lambda piece: PLAIN.unseal(PLAIN.seal(piece)), pieces))

    assert opened == pieces
