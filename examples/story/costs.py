"""Chapter 5: what a conversation costs, told in keys, bytes and round trips."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointTuple,
    empty_checkpoint,
)
from redis.exceptions import NoPermissionError
from rich.console import RenderableType
from rich.table import Table

from langgraph.checkpoint.redis import RedisSaver
from story.meter import Meter, Trips
from story.stage import Agent, Stage, ask, expect, ledger, note, thread

TALK = thread("talk")
TOOLS = thread("tools")
KIB = 1024
MEASURED_TURNS = (1, 10, 20, 40)
RECALLED = "which city did I ask about?"
LOOKED_UP = "what's the weather in sf"


@dataclass(frozen=True)
class Growth:
    """What a thread has come to after some turns; `a_turn` is for those since the last look."""

    turns: int
    messages: int
    checkpoints: int
    keys: int
    stored: int
    a_turn: int
    whole: int


def costs(stage: Stage) -> None:
    """Talk for a while and weigh the threads, then count what each operation asks of the server."""
    try:
        body = _measure(stage)
    except NoPermissionError as refused:
        body = [note(f"This server does not let this user look at its counters: {refused}")]
    stage.show("5 · What it cost", *body)


def _measure(stage: Stage) -> list[RenderableType]:
    with stage.saver() as saver, stage.server() as server:
        agent, meter = stage.agent(saver), Meter(server, stage.key_prefix)
        ask(agent, LOOKED_UP, TALK)
        talk = list(_grow(agent, RECALLED, TALK, saver, meter))
        tools = list(_grow(agent, LOOKED_UP, TOOLS, saver, meter))
        trips = {name: meter.trips(run) for name, run in _operations(agent, saver).items()}
    _check(talk, tools)
    return [*_weights(talk, tools), *_round_trips(trips)]


def _grow(
    agent: Agent, question: str, config: RunnableConfig, saver: RedisSaver, meter: Meter
) -> Iterator[Growth]:
    """Ask again and again on one thread, and weigh it at some of its turns."""
    thread_id = config["configurable"]["thread_id"]
    turns, stored = 0, meter.weight(meter.keys(thread_id))
    for until in MEASURED_TURNS:
        for _ in range(turns, until):
            messages = ask(agent, question, config)
        keys, found = meter.keys(thread_id), list(saver.list(config))
        whole = sum(len(saver.serde.dumps_typed(each.checkpoint)[1]) for each in found)
        weight = meter.weight(keys)
        a_turn = (weight - stored) // (until - turns)
        yield Growth(until, len(messages), len(found), len(keys), weight, a_turn, whole)
        turns, stored = until, weight


def _check(talk: list[Growth], tools: list[Growth]) -> None:
    """A conversation is stored once: a turn costs what it adds, however long the thread."""
    for last in (talk[-1], tools[-1]):
        expect(last.stored < last.whole, f"{last.stored} bytes stored, {last.whole} when whole")
    early, late = talk[1].a_turn, talk[-1].a_turn
    expect(late < 2 * early, f"a turn cost {early} bytes at first, and {late} in a long thread")


def _weights(talk: list[Growth], tools: list[Growth]) -> list[RenderableType]:
    return [
        _growth_table("Talking", talk),
        note(
            f"{talk[-1].checkpoints} checkpoints lie in {talk[-1].keys} keys, the conversation in "
            "them once. On the right, what they come to when serialized whole, uncompressed."
        ),
        _growth_table("Calling a tool in every turn", tools),
        note(
            f"From {_size(tools[0].a_turn)} to {_size(tools[-1].a_turn)} a turn: this agent hands its "
            "tool the whole conversation. What the checkpoint holds of it is not stored again, unless the "
            "model answers before the checkpoint is stored, as a scripted one does at times."
        ),
    ]


def _growth_table(title: str, growth: list[Growth]) -> Table:
    lines = ledger(title, "turns", "messages", "checkpoints", "in Redis", "a turn", "stored whole")
    for each in growth:
        counts = [str(count) for count in (each.turns, each.messages, each.checkpoints)]
        lines.add_row(*counts, _size(each.stored), _size(each.a_turn), _size(each.whole))
    return lines


def _operations(agent: Agent, saver: RedisSaver) -> dict[str, Callable[[], object]]:
    """Single operations on the thread as it is now, and one whole turn."""
    latest = saver.get_tuple(TALK)
    assert latest is not None
    writes = [("messages", "one"), ("messages", "two")]
    return {
        "get_tuple, the latest": lambda: saver.get_tuple(TALK),
        "get_tuple, by id": lambda: saver.get_tuple(latest.config),
        "list, ten checkpoints": lambda: list(saver.list(TALK, limit=10)),
        "put_writes, two writes": lambda: saver.put_writes(latest.config, writes, str(uuid4())),
        "put": lambda: _put_next(saver, latest),
        "a turn with a tool call": lambda: ask(agent, LOOKED_UP, TALK),
    }


def _put_next(saver: RedisSaver, latest: CheckpointTuple) -> None:
    """What a superstep stores: a checkpoint with a longer list of messages."""
    values, versions = latest.checkpoint["channel_values"], latest.checkpoint["channel_versions"]
    changed: ChannelVersions = {"messages": saver.get_next_version(versions["messages"], None)}
    following: Checkpoint = {
        **latest.checkpoint,
        "id": empty_checkpoint()["id"],
        "channel_values": {
            **values,
            "messages": [*values["messages"], AIMessage("Anything else?")],
        },
        "channel_versions": {**versions, **changed},
    }
    saver.put(latest.config, following, latest.metadata, changed)


def _round_trips(trips: dict[str, Trips]) -> list[RenderableType]:
    headings = ("operation", "round trips", "scripts run")
    lines = ledger("Asking the server", *headings, words=headings[:1])
    for name, each in trips.items():
        lines.add_row(name, str(each.requests), str(each.scripts))
    return [lines, note("By the server's own counters: MEMORY USAGE, INFO.")]


def _size(count: int) -> str:
    """Bytes as people read them."""
    return f"{count:,} B" if count < KIB else f"{count / KIB:,.1f} KiB"
