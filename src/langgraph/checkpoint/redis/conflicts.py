"""Runs that meet on one thread: which put branches off on purpose, and which was overtaken. Pure.

A run loads a checkpoint and goes on from it: each of its puts names as parent what it put or loaded
before. If the namespace then holds a checkpoint that is newer than the parent, another run went on meanwhile;
unless the run began on purpose at an older one. It did if

* LangGraph says so in the metadata: the source is a fork, or an update of the state;
* its config named the checkpoint that is the parent. `get_tuple` leaves a mark in the config that it returns
  for such a config, and LangGraph hands that to each put of the run;
* it is a subgraph's, which the run of its parent replays.

After its first checkpoint, such a branch is the newest, and is held to the rule like any other run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from langgraph._redis.errors import ConcurrentUpdateError
from langgraph._redis.names import decode
from langgraph.checkpoint.redis import keys

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph.checkpoint.redis.keys import Address

_MARK: Final = "__redis_named"  # LangGraph keeps names that begin with two underscores out of metadata.
_REPLAYED: Final = "__pregel_replay_state"  # LangGraph's, in the config of a subgraph that is replayed.


def named(found: CheckpointTuple) -> CheckpointTuple:
    """A checkpoint that was asked for by its id, so that a run which goes on from it is known to mean it."""
    marked = {**found.config["configurable"], _MARK: found.checkpoint["id"]}
    return found._replace(config={**found.config, "configurable": marked})


def branches(config: RunnableConfig, metadata: Mapping[str, Any]) -> bool:
    """Whether a put may stand beside checkpoints that are newer than its parent."""
    found = keys.configurable(config)
    parent = keys.checkpoint_id_of(found)
    on_purpose = metadata.get("source") in ("fork", "update") or bool(found.get(_REPLAYED))
    return on_purpose or (parent is not None and found.get(_MARK) == parent)


def moved_on(at: Address, checkpoint_id: str, newest: bytes) -> ConcurrentUpdateError:
    """What became of a put; `newest` is the member of the checkpoint that was there before it."""
    newer = keys.decoded(newest.split(b"/", 2)[2])
    below = f"goes on from {at.id!r}" if at.id else "would be the first"
    return ConcurrentUpdateError(
        f"checkpoint {checkpoint_id!r} of thread {at.thread.given!r} {below}, and another run stored "
        f"{newer!r} meanwhile in namespace {at.ns!r} of {decode(at.thread.data)!r}. Nothing was written "
        '(on_conflict="error"): run again from the latest state, and let one run at a time use a thread'
    )
