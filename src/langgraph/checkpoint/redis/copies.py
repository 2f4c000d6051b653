"""Copies and forks of threads.

A copy is `COPY`, in one script, where source and target are in one slot, as they always are on a server that
is no cluster: atomic, and no bytes through the client. A fork, or a copy across slots, is a `transfer`.

Whatever a thread is found by is told of the target ahead of it: the indexes may never miss a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from langgraph._redis import scripts
from langgraph._redis.errors import CheckpointNotFoundError
from langgraph._redis.names import decode, text_of
from langgraph._redis.plan import Atomic, Call, Plan, Refusal
from langgraph.checkpoint.redis import keys, registry
from langgraph.checkpoint.redis.transfer import Chosen, Outline, transfer

if TYPE_CHECKING:
    from langgraph.checkpoint.redis.core import Core
    from langgraph.checkpoint.redis.keys import Thread
    from langgraph.checkpoint.redis.transfer import Choice, Name

_COPY: Final = scripts.load("copy")


def copy_thread(core: Core, source_id: Any, target_id: Any, until: Any = None) -> Plan[None]:
    """Copy a thread over another: whole, or a fork of it.

    Raises:
        CheckpointNotFoundError: If the root namespace has no checkpoint `until`.
    """
    source = core.keys.thread(source_id, "source_thread_id")
    target = core.keys.thread(target_id, "target_thread_id")
    if until is not None:
        yield from transfer(core, source, target, up_to(source, text_of("until", until)))
    elif source.data != target.data and not (yield from _copied(core, source, target)):
        yield from transfer(core, source, target, everything)


def _copied(core: Core, source: Thread, target: Thread) -> Plan[bool]:
    """Copy within the server; False if it is a cluster that keeps the two threads apart."""
    links: Sequence[bytes] = ()
    while True:
        reply = yield from _attempted(core, source, target, links)
        if isinstance(reply, Refusal):
            if reply.cross_slot or reply.error is None:
                return False
            raise reply.error
        if reply is None:
            return True
        done, *found = reply
        if done:
            lost = {keys.run_link(keys.decoded(run)): keys.decoded(run) for run in found}
            yield from registry.forget_runs(
                core, target, [lost[link] for link in sorted(lost.keys() - links)]
            )
            return True
        links = found


def _attempted(core: Core, source: Thread, target: Thread, links: Sequence[bytes]) -> Plan[Any]:
    core.touches.forget(target)
    names = [*source.keys, *target.keys, core.keys.links(source)]
    call = Call(_COPY, names, [*keys.link_bounds(source), *links], tolerant=True)
    *_, reply = yield Atomic([*registry.registration(core, target, links), call])
    if not isinstance(reply, Refusal):
        registry.registered(core, target, links)
    return reply


def everything(outline: Outline) -> Chosen | None:
    """Take all of a thread, if there is one."""
    return Chosen(list(outline.parents), outline.calls) if outline.made is not None else None


def up_to(source: Thread, until: str) -> Choice:
    """Take what led to a checkpoint of the root namespace.

    That is: it and its ancestors; the calls of subgraphs that were made from one of them, with all below
    these; and of subgraphs that have a checkpointer of their own, the checkpoints that are no younger.
    """
    last = keys.encoded_id(until)

    def choose(outline: Outline) -> Chosen:
        if (b"", last) not in outline.parents:
            raise CheckpointNotFoundError(
                f"there is no checkpoint {until!r} in the root namespace of thread {source.given!r} "
                f"({decode(source.data)!r}): nothing was copied"
            )
        kept = _ancestry(outline, last)
        kept |= {(ns, name) for ns, name in outline.parents if _lasting(ns) and name <= last}
        called = {made.ns for made in outline.calls if made.maker in kept}
        kept |= {name for name in outline.parents if not called.isdisjoint(_with_those_above(name[0]))}
        calls = [made for made in outline.calls if made.maker in kept]
        return Chosen([name for name in outline.parents if name in kept], calls)

    return choose


def _ancestry(outline: Outline, last: bytes) -> set[Name]:
    chain: set[Name] = set()
    name = (b"", last)
    while name in outline.parents and name not in chain:
        chain.add(name)
        name = (b"", outline.parents[name])
    return chain


def _lasting(ns: bytes) -> bool:
    """Whether a namespace outlives the call that made it: no part of it names a task."""
    return ns != b"" and b":" not in ns


def _with_those_above(ns: bytes) -> Iterable[bytes]:
    parts = ns.split(b"|")
    return (b"|".join(parts[:count]) for count in range(1, len(parts) + 1))
