"""DeltaChannels are rebuilt in full from a history that was cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated, Any

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from steps import config_of

MakeSaver = Callable[..., RedisSaver]
Fields = Callable[..., Counter[str]]


def extended(old: list[str], new: Sequence[list[str]]) -> list[str]:
    return [*old, *(item for each in new for item in each)]


def delta_graph(saver: Any, frequency: int) -> Any:
    channel: Any = DeltaChannel(extended, snapshot_frequency=frequency)
    # Not as a class: its annotations would be text, which knows no local names.
    growing = TypedDict("growing", {"items": Annotated[list[str], channel]})  # noqa: UP013 - as said.
    builder: Any = StateGraph(growing)
    builder.add_node("answer", lambda state: {"items": [f"answer {len(state['items'])}"]})
    builder.add_edge(START, "answer")
    return builder.compile(checkpointer=saver)


EXPECTED = [f"{'answer' if n % 2 else 'question'} {n}" for n in range(60)]


def thirty_turns(saver: Any, frequency: int) -> Any:
    graph = delta_graph(saver, frequency)
    for turn in range(30):
        config = {**config_of(), "metadata": {"run_id": f"run {turn}"}}
        graph.invoke({"items": [f"question {2 * turn}"]}, config)
    return graph


def items(saver: Any, frequency: int, thread: str = "thread") -> Any:
    return delta_graph(saver, frequency).get_state(config_of(thread)).values["items"]


@pytest.mark.parametrize("frequency", [10, 1000])
@pytest.mark.parametrize("keep_last", [1, 3])
def test_a_delta_channel_is_whole_in_a_bounded_history(
    make_saver: MakeSaver, redis_url: str, key_prefix: str, frequency: int, keep_last: int
) -> None:
    thirty_turns(make_saver(keep_last), frequency)

    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as fresh:
        assert items(fresh, frequency) == EXPECTED


@pytest.mark.parametrize("frequency", [10, 1000])
@pytest.mark.parametrize("drop", ["latest", "last", "age", "copy", "runs"])
def test_a_delta_channel_is_whole_after_maintenance(make_saver: MakeSaver, frequency: int, drop: str) -> None:
    saver, thread = make_saver(None), "thread"
    thirty_turns(saver, frequency)

    if drop == "latest":
        saver.prune(["thread"])
    elif drop == "last":
        saver.prune(["thread"], keep_last=2)
    elif drop == "age":
        saver.prune(["thread"], older_than=timedelta(microseconds=1))
    elif drop == "copy":
        saver.copy_thread("thread", "copy")
        saver.delete_thread("thread")
        thread = "copy"
    else:
        saver.delete_for_runs([f"run {turn}" for turn in range(29)])

    assert items(make_saver(None), frequency, thread) == EXPECTED


async def test_a_delta_channel_is_whole_with_the_async_saver(redis_url: str, key_prefix: str) -> None:
    async with AsyncRedisSaver.from_conn_string(redis_url, key_prefix=key_prefix, keep_last=1) as saver:
        graph = delta_graph(saver, 10)
        for turn in range(30):
            await graph.ainvoke({"items": [f"question {2 * turn}"]}, config_of())
        assert (await graph.aget_state(config_of())).values["items"] == EXPECTED
