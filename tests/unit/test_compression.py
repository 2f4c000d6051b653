"""Bytes compressed and back, small ones against the dictionary: it may never change, and it has to pay."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from random import Random
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph._redis.errors import CorruptRecordError
from langgraph.checkpoint.redis.compression import RAW, ZSTD, ZSTD_DICTIONARY, compressed, decompressed
from langgraph.checkpoint.redis.dictionary import DICTIONARY
from texts import prose

# A message as it was compressed when the dictionary was made.
STORED = bytes.fromhex(
    "0528b52ffd24dc3d0300240591c7d805d92d576861742077696c6c206974206265206c696b65206f6e207468652072696467"
    "547565736461793f38643263366630652d366230612d346436662d396135352d32663162376630633966313105005c21d31f"
    "5c9e011b65c3055378a2eccc4417809cd4"
)
MESSAGE = HumanMessage(
    "What will it be like on the ridge on Tuesday?", id="8d2c6f0e-6b0a-4d6f-9a55-2f1b7f0c9f11"
)

USAGE = {
    "input_tokens": 523,
    "output_tokens": 77,
    "total_tokens": 600,
    "input_token_details": {"audio": 0, "cache_read": 128},
    "output_token_details": {"audio": 0, "reasoning": 12},
}
OPENAI = {
    "token_usage": {
        "completion_tokens": 77,
        "prompt_tokens": 523,
        "total_tokens": 600,
        "completion_tokens_details": {
            "accepted_prediction_tokens": 0,
            "audio_tokens": 0,
            "reasoning_tokens": 12,
            "rejected_prediction_tokens": 0,
        },
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 128},
    },
    "model_provider": "openai",
    "model_name": "gpt-5-mini-2025-08-07",
    "system_fingerprint": "fp_9b8f7a6c5d",
    "id": "chatcmpl-CHq0mV3pZ5nX2s8yT1w4uR6aK7bJ",
    "service_tier": "default",
    "finish_reason": "tool_calls",
    "logprobs": None,
}
ANTHROPIC = {
    "id": "msg_01XkQ2pS7vN4zR9tB6yHcWdE",
    "model": "claude-haiku-4-5-20251001",
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "input_tokens": 523,
        "output_tokens": 77,
        "server_tool_use": None,
        "service_tier": "standard",
    },
    "model_name": "claude-haiku-4-5-20251001",
    "model_provider": "anthropic",
}
CALL = {"name": "get_weather", "args": {"city": "Lisbon"}, "id": "call_Vq8sT2mZ", "type": "tool_call"}


def dumped(obj: Any) -> bytes:
    return JsonPlusSerializer().dumps_typed(obj)[1]


def version(step: int) -> str:
    return f"{step:032}.{Random(step).random():.16f}"


def checkpoint(step: int) -> list[Any]:
    """The body of a record, as an agent's step makes it."""
    return [
        {
            "v": 4,
            "ts": "2026-03-09T17:20:41.073712+00:00",
            "id": "1f11bdc7-2f6a-6d2e-8003-5d0e8a4f7b91",
            "channel_versions": {
                name: version(step) for name in ("__start__", "messages", "branch:to:model", "__pregel_tasks")
            },
            "versions_seen": {
                "__input__": {},
                "__start__": {"__start__": version(1)},
                "model": {"branch:to:model": version(step - 1)},
                "tools": {},
            },
            "updated_channels": ["branch:to:model", "messages"],
        },
        {"branch:to:model": None, "__pregel_tasks": []},
        {"source": "loop", "step": step, "parents": {}},
    ]


def test_the_dictionary_is_the_one_that_stored_bytes_were_compressed_against() -> None:
    assert (
        sha256(DICTIONARY).hexdigest() == "9e7e6be7fb12b640b084717725a09bcd9050b0b5d27b53ba17342d85970d3d80"
    )


def test_what_was_stored_opens() -> None:
    assert JsonPlusSerializer().loads_typed(("msgpack", decompressed(STORED[:1], STORED[1:]))) == [MESSAGE]


def test_what_was_stored_before_there_was_a_dictionary_opens() -> None:
    alone = zstandard.ZstdCompressor(level=1, write_checksum=True).compress(b"text " * 200)

    assert decompressed(ZSTD, alone) == b"text " * 200


@given(
    piece=st.binary(max_size=70),
    size=st.one_of(st.integers(0, 10_000), st.sampled_from([127, 128, 639, 640, 8191, 8192, 100_000])),
)
def test_bytes_of_any_size_come_back(piece: bytes, size: int) -> None:
    data = (piece * (size // max(1, len(piece)) + 1))[:size]

    assert decompressed(*compressed(data)) == data


@pytest.mark.parametrize(
    ("size", "flag"),
    [
        (0, RAW),
        (127, RAW),
        (128, ZSTD_DICTIONARY),
        (640, ZSTD_DICTIONARY),
        (8191, ZSTD_DICTIONARY),
        (8192, ZSTD),
    ],
)
def test_what_is_small_is_compressed_against_the_dictionary(size: int, flag: bytes) -> None:
    data = (dumped([HumanMessage(prose(1))]) * 30)[:size]

    assert compressed(data)[0] == flag


@pytest.mark.parametrize("size", [200, 5000, 20_000])
def test_what_would_become_more_stays_as_it_is(size: int) -> None:
    data = Random(2).randbytes(size)

    assert compressed(data) == (RAW, data)


@pytest.mark.parametrize(
    ("obj", "part"),
    [
        pytest.param([HumanMessage("yes", id="8d2c6f0e-6b0a-4d6f-9a55-2f1b7f0c9f11")], 0.5, id="short"),
        pytest.param([HumanMessage(prose(1))], 0.8, id="human"),
        pytest.param([SystemMessage(prose(2))], 0.8, id="system"),
        pytest.param([AIMessage(prose(3), usage_metadata=USAGE)], 0.7, id="usage"),
        pytest.param(
            [AIMessage("", tool_calls=[CALL], response_metadata=OPENAI, usage_metadata=USAGE)],
            0.3,
            id="openai",
        ),
        pytest.param([AIMessage("", tool_calls=[CALL], response_metadata=ANTHROPIC)], 0.4, id="anthropic"),
        pytest.param([ToolMessage("sunny", tool_call_id="call_Vq8sT2mZ")], 0.4, id="tool"),
        pytest.param(checkpoint(7), 0.4, id="record"),
    ],
)
def test_what_agents_store_becomes_a_part_of_it(obj: Any, part: float) -> None:
    data = dumped(obj)

    assert len(compressed(data)[1]) < part * len(data)


@pytest.mark.parametrize("data", [dumped([MESSAGE]), dumped(checkpoint(3)), dumped(checkpoint(3)) * 20])
def test_a_byte_that_was_changed_is_not_taken_for_another_text(data: bytes) -> None:
    flag, packed = compressed(data)

    for at in range(len(packed)):
        damaged = bytearray(packed)
        damaged[at] ^= 1
        with suppress(zstandard.ZstdError):
            assert decompressed(flag, bytes(damaged)) == data


@pytest.mark.parametrize("flag", [b"\x02", b"\x04", b"\x09", b""])
def test_an_unknown_flag_is_refused_and_says_why(flag: bytes) -> None:
    with pytest.raises(CorruptRecordError, match=r"unknown flag .*newer release"):
        decompressed(flag, b"abc")
