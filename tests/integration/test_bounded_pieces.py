"""`keep_last` over values of very many segments: a put finds what goes if that is quick, or a sweep does."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import redis

from langgraph.checkpoint.redis import RedisSaver
from steps import Chain, config_of, long_list
from texts import prose

MakeSaver = Callable[..., RedisSaver]

DOCUMENTS, DOCUMENT, STEPS = 250, 4_000, 36


def segments_named(client: redis.Redis, prefix: str) -> set[bytes]:
    """By the manifests of all values that are stored."""
    found: Any = client.hgetall(f"{prefix}:{{thread}}:data")
    manifests = [value[1:].partition(b"\n")[0] for field, value in found.items() if field[:2] == b"v/"]
    return {b"s/" + names[at : at + 10] for names in manifests for at in range(0, len(names), 10)}


def segments_stored(client: redis.Redis, prefix: str) -> set[bytes]:
    found: Any = client.hkeys(f"{prefix}:{{thread}}:data")
    return {field for field in found if field[:2] == b"s/"}


@pytest.mark.parametrize("written", [0, 2_500_000], ids=["in-a-put", "by-a-sweep"])
def test_of_tables_that_change_anywhere_no_segment_is_lost_and_none_left(
    make_saver: MakeSaver,
    redis_client: redis.Redis,
    key_prefix: str,
    written: int,
) -> None:
    """A table of a megabyte, and writes that are too large to be read within a put."""
    keep = 6
    saver, dice = make_saver(keep), random.Random(1)
    chain = Chain(config_of())
    files = {f"{number:03}": prose(number, DOCUMENT) for number in range(DOCUMENTS)}
    tables, configs = [], []
    for step in range(STEPS):
        files = {**files, f"{dice.randrange(DOCUMENTS):03}": prose(-step - 1, DOCUMENT)}
        notes = [prose(step + number, 300) for number in range(8)]
        configs.append(chain.put(saver, files=files, notes=notes))
        tables.append(files)
        if written:
            saver.put_writes(configs[-1], [("files", [files["000"], dice.randbytes(written)])], "task")
    asked = saver.stats().round_trips

    assert (asked > 2 * STEPS + 10) == bool(written)  # A sweep takes several.
    stayed = [number for number, config in enumerate(configs) if saver.get_tuple(config) is not None]
    assert stayed == list(range(STEPS - len(stayed), STEPS))
    assert len(stayed) == keep
    for number in stayed:
        found = saver.get_tuple(configs[number])
        assert found is not None
        assert found.checkpoint["channel_values"]["files"] == tables[number]
        assert len(found.pending_writes or []) == bool(written)
    assert segments_stored(redis_client, key_prefix) == segments_named(redis_client, key_prefix)


def test_values_that_are_no_manifests_are_looked_through_within_a_put(make_saver: MakeSaver) -> None:
    """Beside a conversation: a text that changes at each step, as large as a manifest could be."""
    saver, chain, dice = make_saver(20), Chain(), random.Random(1)
    for step in range(60):
        chain.put(saver, messages=long_list(step + 1), scratch=dice.randbytes(30_000))

    assert saver.stats().round_trips <= 60 + 2
    assert len(list(saver.list(config_of()))) <= 21


@pytest.mark.every_server
@pytest.mark.parametrize("by", ["put", "prune"])
def test_what_a_write_names_stays_though_its_checkpoint_was_put_anew_without_it(
    make_saver: MakeSaver, redis_client: redis.Redis, key_prefix: str, by: str
) -> None:
    """A write names segments of its checkpoint's value; then nothing else that stays does."""
    keep = 2 if by == "put" else 100
    saver, other_saver, chain = make_saver(keep), make_saver(keep), Chain()
    chain.put(saver, messages=long_list(60))
    step = chain.next(messages=long_list(120))
    config = saver.put(*step)
    saver.put_writes(config, [("messages", long_list(120))], "task")
    written = segments_stored(redis_client, key_prefix)
    step.checkpoint["channel_values"]["messages"] = long_list(50, "anew")
    other_saver.put(*step)
    chain.config = config
    chain.put(other_saver, messages=long_list(50, "another"))
    if by == "prune":
        saver.prune(["thread"], keep_last=2)

    assert [found.config for found in saver.list(config_of())] == [chain.config, config]
    assert written <= segments_stored(redis_client, key_prefix)
    assert not written & segments_named(redis_client, key_prefix)
    found = make_saver(keep).get_tuple(config)
    assert found is not None
    assert found.pending_writes == [("task", "messages", long_list(120))]
    assert found.checkpoint["channel_values"]["messages"] == long_list(50, "anew")


@pytest.mark.parametrize(("channels", "sweeps"), [(1, 0), (4, 1)], ids=["few", "many"])
def test_of_many_values_a_put_looks_at_so_many_and_leaves_more_to_a_sweep(
    make_saver: MakeSaver, redis_client: redis.Redis, key_prefix: str, channels: int, sweeps: int
) -> None:
    saver, chain, keep = make_saver(200), Chain(), 200
    for step in range(keep + 11):
        texts = {f"channel_{number}": prose(step, 100) for number in range(channels)}
        chain.put(saver, messages=long_list(8, prose(step, 20)), **texts)

    asked = saver.stats().round_trips - (keep + 11)
    assert (asked > 0) == bool(sweeps)
    assert len(list(saver.list(config_of()))) == keep
    kept: Any = redis_client.hkeys(f"{key_prefix}:{{thread}}:data")
    assert len([field for field in kept if field[:2] == b"v/"]) == keep * (channels + 1)
