"""Ids are whatever applications use: no two of them ever share data, and their order is kept.

An id is a `str`, an `int` or a `UUID`, and `1` names what `"1"` names. Anything else is refused by
an error that names the argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps import Chain, Put, checkpoint_of, config_of, id_of, metadata_of

if TYPE_CHECKING:
    import redis
    from langchain_core.runnables import RunnableConfig

    from langgraph.checkpoint.redis import RedisSaver

ODD = [
    "a:b",
    "a,b",
    "a/b",
    "/",
    "{x}",
    "x}",
    "{",
    "*",
    "?",
    "%",
    "%7B",
    "%7Bx%7D",
    "tab\t",
    "new\nline",
    " ",
    "\x00",
    "\x00A",
    "\x01",
    "\x01A",
    "\x7f",
    "id",
    "ID",
    "é",
    "e\u0301",
    "日本",
    "😀",
    "x" * 5_000,
    "x" * 4_999,
]
# A lone surrogate is a `str` too, but LangGraph's serializer turns it into "?" inside a checkpoint.
ODD_KEYS = [*ODD, "", "\ud800"]
NO_IDS: list[Any] = [{"a": 1}, ["a"], ("a",), True, False, 1.5, b"bytes"]


def shown(value: Any) -> str:
    return ascii(value)[:20]


@pytest.mark.every_server
def test_no_two_thread_ids_share_data(saver: RedisSaver) -> None:
    chains = {thread: Chain(config_of(thread)) for thread in ODD_KEYS}
    for thread, chain in chains.items():
        chain.put(saver, channel=f"value of {thread!a}")
        saver.put_writes(chain.config, [("channel", f"write of {thread!a}")], "task")

    for thread in chains:
        found = saver.get_tuple(config_of(thread))
        assert found is not None
        assert found.checkpoint["channel_values"] == {"channel": f"value of {thread!a}"}
        assert found.pending_writes == [("task", "channel", f"write of {thread!a}")]
        assert found.config["configurable"]["thread_id"] == thread


def test_deleting_one_thread_leaves_all_others(saver: RedisSaver) -> None:
    threads = list(ODD_KEYS)
    for thread in threads:
        Chain(config_of(thread)).put(saver, channel=1)

    while threads:
        saver.delete_thread(threads.pop())
        left = {it.config["configurable"]["thread_id"] for it in saver.list(None)}
        assert left == set(threads)


def test_no_two_namespaces_share_data(saver: RedisSaver) -> None:
    for ns in ODD_KEYS:
        Chain(config_of("thread", ns)).put(saver, channel=f"value in {ns!a}")

    for ns in ODD_KEYS:
        (found,) = saver.list(config_of("thread", ns))
        assert found.checkpoint["channel_values"] == {"channel": f"value in {ns!a}"}
        assert found.config["configurable"]["checkpoint_ns"] == ns


def test_no_two_checkpoint_ids_share_data_and_they_are_listed_in_order(saver: RedisSaver) -> None:
    put_all(saver, "thread", ODD)

    for checkpoint_id in ODD:
        found = saver.get_tuple(config_of("thread", checkpoint_id=checkpoint_id))
        assert found is not None
        assert found.checkpoint["id"] == checkpoint_id
        assert found.pending_writes == [("task", "channel", f"write at {checkpoint_id!a}")]
    assert listed(saver, config_of("thread")) == sorted(ODD, reverse=True)


@given(st.sets(st.text(min_size=1), min_size=1, max_size=6))
def test_whatever_the_ids_the_largest_is_latest_and_before_is_below(saver: RedisSaver, ids: set[str]) -> None:
    thread = str(uuid4())
    put_all(saver, thread, sorted(ids))

    newest_first = sorted(ids, reverse=True)
    latest = saver.get_tuple(config_of(thread))
    assert latest is not None
    assert latest.checkpoint["id"] == newest_first[0]
    everywhere = {"configurable": {"thread_id": thread}}
    for position, bound in enumerate(newest_first):
        before = config_of(thread, checkpoint_id=bound)
        assert listed(saver, config_of(thread), before) == newest_first[position + 1 :]
        assert listed(saver, everywhere, before) == newest_first[position + 1 :]


def test_no_two_channels_share_data(saver: RedisSaver) -> None:
    values = {name: f"{name!a} {'x' * 100}" for name in [*ODD, ""]}

    Chain(config_of()).put(saver, **values)

    found = saver.get_tuple(config_of())
    assert found is not None
    assert found.checkpoint["channel_values"] == values
    assert set(found.checkpoint["channel_versions"]) == set(values)


def test_no_two_versions_share_data(saver: RedisSaver) -> None:
    versions: list[Any] = [*ODD, "", "1", 1, 1.5, "1.5", -1]
    for number, version in enumerate(versions):
        checkpoint = checkpoint_of({"c": number * "long"}, {"c": version}, f"{number:02}")
        saver.put(config_of(), checkpoint, metadata_of(), {"c": version})

    for number, found in enumerate(reversed(list(saver.list(config_of())))):
        assert found.checkpoint["channel_values"] == {"c": number * "long"}
        assert found.checkpoint["channel_versions"] == {"c": versions[number]}
        assert type(found.checkpoint["channel_versions"]["c"]) is type(versions[number])


def test_no_two_tasks_and_channels_of_writes_share_data(saver: RedisSaver) -> None:
    config = Chain().put(saver)
    tasks = [*ODD, ""]
    for task in tasks:
        saver.put_writes(config, [(name, f"{task!a}{name!a}") for name in ODD], task, task)

    found = saver.get_tuple(config)
    assert found is not None
    assert found.pending_writes == [
        (task, name, f"{task!a}{name!a}") for task in sorted(tasks) for name in ODD
    ]


def test_no_two_runs_share_checkpoints(saver: RedisSaver) -> None:
    # LangGraph drops NUL from the text in metadata, so no run is called that.
    runs = [run for run in ODD if "\x00" not in run]
    for run in runs:
        put = Chain(config_of(f"thread of {run}")).next(channel=1)
        saver.put(put.config, put.checkpoint, metadata_of(run_id=run), put.new_versions)

    while runs:
        saver.delete_for_runs([runs.pop()])
        assert {dict(it.metadata)["run_id"] for it in saver.list(None)} == set(runs)


@pytest.mark.parametrize("given", [7, UUID("12345678-1234-5678-1234-567812345678")], ids=str)
def test_a_number_or_uuid_names_what_its_text_names(saver: RedisSaver, given: Any) -> None:
    config = Chain(config_of(given)).put(saver, channel="value")
    checkpoint_id = id_of(config)

    for thread in (given, str(given)):
        latest = saver.get_tuple(config_of(thread))
        by_id = saver.get_tuple(config_of(thread, checkpoint_id=checkpoint_id))
        assert latest is not None
        assert by_id is not None
        assert latest.checkpoint == by_id.checkpoint
    saver.delete_thread(given)
    assert saver.get_tuple(config_of(str(given))) is None


def test_a_uuid_names_a_checkpoint(saver: RedisSaver) -> None:
    named = UUID(id_of(Chain().put(saver, channel="value")))

    found = saver.get_tuple(config_of(checkpoint_id=named))

    assert found is not None
    assert found.checkpoint["id"] == str(named)


def test_an_absent_or_empty_checkpoint_id_means_the_latest(saver: RedisSaver) -> None:
    config = Chain().put(saver, channel="value")

    absent: RunnableConfig = {"configurable": {"thread_id": "thread"}}
    for unnamed in (absent, config_of(checkpoint_id="")):
        found = saver.get_tuple(unnamed)
        assert found is not None
        assert found.config == config


@pytest.mark.parametrize("thread_id", [*NO_IDS, None], ids=shown)
def test_a_thread_id_of_another_type_is_refused_by_name(saver: RedisSaver, thread_id: Any) -> None:
    put = Chain(config_of(thread_id)).next(channel=1)

    with pytest.raises(TypeError, match="thread_id"):
        saver.put(*put)
    with pytest.raises(TypeError, match="thread_id"):
        saver.get_tuple(config_of(thread_id))
    with pytest.raises(TypeError, match="thread_id"):
        list(saver.list(config_of(thread_id)))
    with pytest.raises(TypeError, match="thread_id"):
        saver.put_writes(config_of(thread_id, checkpoint_id="1"), [("c", 1)], "task")
    with pytest.raises(TypeError, match="thread_id"):
        saver.delete_thread(thread_id)
    with pytest.raises(TypeError, match="thread_id"):
        saver.copy_thread("thread", thread_id)
    with pytest.raises(TypeError, match="thread_id"):
        saver.prune([thread_id])


@pytest.mark.parametrize("checkpoint_id", NO_IDS, ids=shown)
def test_a_checkpoint_id_of_another_type_is_refused_by_name(saver: RedisSaver, checkpoint_id: Any) -> None:
    config = config_of(checkpoint_id=checkpoint_id)

    with pytest.raises(TypeError, match="checkpoint_id"):
        saver.get_tuple(config)
    with pytest.raises(TypeError, match="checkpoint_id"):
        saver.put_writes(config, [("c", 1)], "task")
    with pytest.raises(TypeError, match="checkpoint_id"):
        list(saver.list(config_of(), before=config))
    with pytest.raises(TypeError, match="checkpoint_id"):
        saver.put(*Chain(config).next(channel=1))


@pytest.mark.parametrize("ns", [{"a": 1}, ["a"], True, 1.5], ids=shown)
def test_a_namespace_of_another_type_is_refused_by_name(saver: RedisSaver, ns: Any) -> None:
    with pytest.raises(TypeError, match="checkpoint_ns"):
        saver.get_tuple(config_of("thread", ns))
    with pytest.raises(TypeError, match="checkpoint_ns"):
        saver.put(*Chain(config_of("thread", ns)).next(channel=1))


def test_a_missing_thread_id_is_refused_by_name(saver: RedisSaver) -> None:
    nowhere: Any
    for nowhere in ({}, {"configurable": {}}, {"configurable": {"checkpoint_ns": ""}}):
        put = Put(nowhere, *Chain().next(channel=1)[1:])
        with pytest.raises(ValueError, match=r"thread_id|configurable"):
            saver.put(*put)
        with pytest.raises(ValueError, match=r"thread_id|configurable"):
            saver.get_tuple(nowhere)


def test_writes_without_a_checkpoint_id_are_refused_by_name(saver: RedisSaver) -> None:
    with pytest.raises(ValueError, match="checkpoint_id"):
        saver.put_writes(config_of(), [("c", 1)], "task")


def test_no_id_reaches_a_key_unescaped(saver: RedisSaver, redis_client: redis.Redis) -> None:
    """What stands between the braces of a key names its slot: ids bring none of their own."""
    for thread in ODD:
        Chain(config_of(thread)).put(saver, channel=1)

    keys = [key for key in redis_client.scan_iter() if key.endswith(b":data")]
    assert len(keys) == len(ODD)
    assert all(key.count(b"{") == key.count(b"}") == 1 for key in keys)
    assert not any(bytes([control]) in key for key in keys for control in range(0x20))


def put_all(saver: RedisSaver, thread: str, ids: list[str]) -> None:
    for checkpoint_id in ids:
        config = config_of(thread, checkpoint_id=checkpoint_id)
        saver.put_writes(config, [("channel", f"write at {checkpoint_id!a}")], "task")
        put = checkpoint_of({"c": checkpoint_id}, {"c": checkpoint_id}, checkpoint_id)
        saver.put(config_of(thread), put, metadata_of(), {"c": checkpoint_id})


def listed(saver: RedisSaver, config: Any, before: Any = None) -> list[str]:
    return [id_of(found.config) for found in saver.list(config, before=before)]
