"""Plans by hand: what each operation asks, how often, and what it makes of the answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph._redis.errors import CorruptRecordError, RedisPersistenceError
from langgraph._redis.plan import Plan
from langgraph.checkpoint.redis import keys, registry
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys, Thread
from langgraph.checkpoint.redis.plans import Plans
from steps import Chain, checkpoint_of, config_of, id_of, metadata_of
from unit.by_hand import (
    atomic,
    only,
    returned,
    returned_after,
    returned_at_once,
    sent,
    several,
    verbs,
    written,
)
from values import text_of

RUN = "a run"
# What the scripts answer to a put, and to the writes of one task.
STORED, GONE, UNREGISTERED, TOO_MANY = 1, 0, -1, 2
WRITTEN, NOT_WRITTEN, NOT_BEGUN = [1], [0], [-1]
# Where a put, and the writes of one task, say whether they come with the thread's registration.
REGISTERED, WRITES_REGISTERED = 7, 6
# What goes ahead of a first put, and of one that names a run.
ENTERED = ["ZADD"]
TOLD = ["ZADD", "ZADD", "ZADD"]
# A put that tells a run of its thread, and what is asked right behind it; and what that is answered.
LOOKED = ["put", "HGET"]
MADE = b"1767355200000"


@pytest.fixture
def plans() -> Plans:
    return Plans(Core(Keys("prefix")), Codec(JsonPlusSerializer()))


@pytest.fixture
def registered(plans: Plans) -> Plans:
    """The thread "thread" needs no registration."""
    registry.registered(plans.core, thread(plans))
    return plans


def thread(plans: Plans, name: Any = "thread") -> Thread:
    return plans.core.keys.thread(name)


def put_of(plans: Plans, chain: Chain, **changed: Any) -> Plan[Any]:
    """The plan of a chain's next put."""
    return plans.put(*chain.next(**changed))


def put_with_run(plans: Plans, run: Any = RUN) -> Plan[Any]:
    return plans.put(config_of(), checkpoint_of({}), metadata_of(run_id=run), {})


def messages(count: int) -> list[str]:
    """A list that is stored in segments."""
    return [text_of(number, 500) for number in range(count)]


def test_a_put_is_one_call_of_its_script_on_the_threads_keys(registered: Plans) -> None:
    chain = Chain()
    plan = put_of(registered, chain, x=1)

    call = only(next(plan))

    assert verbs(call) == ["put"]
    assert tuple(call.keys) == thread(registered).keys
    assert returned(plan, STORED)["configurable"]["checkpoint_ns"] == ""


def test_a_put_returns_the_config_of_what_it_stored(registered: Plans) -> None:
    checkpoint = checkpoint_of({}, checkpoint_id="the id")
    config = config_of("thread", "a|b", "the parent")

    stored = returned_after(registered.put(config, checkpoint, metadata_of(), {}), [STORED])

    assert stored == config_of("thread", "a|b", "the id")


@pytest.mark.parametrize("given", [7, UUID(int=7)])
def test_a_thread_id_comes_back_as_it_was_given(plans: Plans, given: Any) -> None:
    stored = returned_after(plans.put(config_of(given), checkpoint_of({}), metadata_of(), {}), [[1, STORED]])

    assert stored["configurable"]["thread_id"] == given
    assert thread(plans, given).keys == thread(plans, str(given)).keys


def test_the_first_write_travels_with_its_threads_registration_ahead_and_nothing_in_between(
    plans: Plans,
) -> None:
    chain = Chain()
    first = put_of(plans, chain, x=1)

    assert verbs(atomic(next(first))) == [*ENTERED, "put"]
    chain.config = returned(first, [1, STORED])

    assert verbs(only(next(put_of(plans, chain, x=2)))) == ["put"]


def test_the_first_writes_of_a_task_travel_with_the_registration_too(plans: Plans) -> None:
    config = config_of(checkpoint_id="1")
    first = plans.put_writes(config, [("a", 1)], "task", "")

    assert verbs(atomic(next(first))) == [*ENTERED, "put_writes"]
    returned(first, [1, WRITTEN])

    assert verbs(only(next(plans.put_writes(config, [("a", 1)], "other", "")))) == ["put_writes"]


def test_a_registration_without_a_reply_is_sent_again_if_the_thread_is_not_there(plans: Plans) -> None:
    chain = Chain()
    lost = put_of(plans, chain, x=1)
    next(lost)
    lost.close()
    plan = put_of(plans, chain, x=1)

    assert verbs(only(next(plan))) == ["put"]

    assert verbs(plan.send(UNREGISTERED)) == [*ENTERED, "put"]


def test_a_put_to_a_thread_that_is_gone_is_sent_again_with_its_registration(plans: Plans) -> None:
    """Another process deleted it, or it expired: it may not begin anew without being registered."""
    returned_after(put_with_run(plans), [[1, 1, 1, STORED, MADE]])
    plan = put_with_run(plans)
    first = only(next(plan))

    *ahead, second, _ = atomic(plan.send(UNREGISTERED))

    assert verbs(ahead) == TOLD
    assert [call.args[7] for call in (first, second)] == [0, 1]
    returned(plan, [1, 1, 1, STORED, MADE])


def test_writes_to_a_thread_that_is_gone_are_sent_again_with_its_registration(registered: Plans) -> None:
    plan = registered.put_writes(config_of(checkpoint_id="1"), [("a", 1)], "task", "")
    first = only(next(plan))

    *ahead, second = atomic(plan.send(NOT_BEGUN))

    assert verbs(ahead) == ENTERED
    assert [call.args[WRITES_REGISTERED] for call in (first, second)] == [0, 1]
    returned(plan, [1, WRITTEN])


def test_a_thread_that_began_anew_is_registered_with_the_runs_that_write_next(plans: Plans) -> None:
    """What was known of the thread that is gone says nothing of the one that began."""
    returned_after(put_with_run(plans), [[1, 1, 1, STORED, MADE]])
    writes = plans.put_writes(config_of(checkpoint_id="1"), [("a", 1)], "task", "")
    next(writes)
    writes.send(NOT_BEGUN)
    returned(writes, [1, WRITTEN])

    assert verbs(next(put_with_run(plans))) == [*TOLD, *LOOKED]


def test_a_run_learns_of_its_thread_before_the_checkpoint_is_stored(plans: Plans) -> None:
    _, known, told, put, _ = atomic(next(put_with_run(plans)))

    name, link = keys.member(thread(plans)), keys.run_link(RUN)
    assert known.command() == [
        "ZADD",
        plans.core.keys.links(thread(plans)),
        0,
        keys.link_member(thread(plans), link),
    ]
    assert (told.verb, told.keys, told.args[1:]) == ("ZADD", [plans.core.keys.run(RUN)], [name])
    assert verbs(put) == ["put"]


def test_a_run_that_the_thread_has_lost_meanwhile_is_told_before_a_second_attempt(plans: Plans) -> None:
    returned_after(put_with_run(plans), [[1, 1, 1, STORED, MADE]])
    plan = put_with_run(plans)
    assert verbs(next(plan)) == ["put"]

    again = plan.send(UNREGISTERED)

    assert verbs(atomic(again)) == [*TOLD, *LOOKED]
    returned(plan, [1, 1, 1, STORED, MADE])


def test_a_run_id_may_be_a_uuid(registered: Plans) -> None:
    *_, told, _, _ = atomic(next(put_with_run(registered, UUID(int=7))))

    assert told.keys == [registered.core.keys.run(str(UUID(int=7)))]


def test_an_appended_message_is_all_that_travels(registered: Plans) -> None:
    chain = Chain()
    chain.config = returned_after(put_of(registered, chain, messages=messages(50)), [STORED])

    call = only(next(put_of(registered, chain, messages=messages(51))))

    assert sent(call) < 2500


def test_a_value_that_did_not_change_does_not_travel(registered: Plans) -> None:
    chain = Chain()
    chain.config = returned_after(put_of(registered, chain, messages=messages(50)), [STORED])

    call = only(next(put_of(registered, chain, other=1)))

    assert sent(call) < 2500


def test_a_refused_reuse_sends_everything_whole(registered: Plans) -> None:
    chain = Chain()
    chain.config = returned_after(
        put_of(registered, chain, messages=messages(50), kept=messages(60)[:39:-1]), [STORED]
    )
    plan = put_of(registered, chain, messages=messages(51))
    first = only(next(plan))

    ahead, second = atomic(plan.send(GONE))

    whole = 71 * 250  # The texts are hexadecimal digits: half of their bytes remain.
    assert verbs(ahead) == ENTERED  # It may have gone with the whole thread.
    assert sent(first) < whole < sent(second)
    assert id_of(returned(plan, [1, STORED])) in str(second.args)


def test_what_was_sent_whole_is_reused_from_then_on(registered: Plans) -> None:
    chain = Chain()
    chain.config = returned_after(put_of(registered, chain, messages=messages(50)), [STORED])
    chain.config = returned_after(put_of(registered, chain, messages=messages(51)), [GONE, [1, STORED]])

    call = only(next(put_of(registered, chain, messages=messages(52))))

    assert sent(call) < 2500


def test_a_put_that_is_refused_twice_raises_and_names_the_key(registered: Plans) -> None:
    plan = registered.put(config_of(), checkpoint_of({}, checkpoint_id="the id"), metadata_of(), {})
    next(plan)
    plan.send(GONE)

    with pytest.raises(RedisPersistenceError, match=r"'the id' was not stored in 'prefix:\{thread\}:data'"):
        plan.send([1, GONE])


def test_what_a_lost_put_may_not_have_stored_is_checked_and_sent_whole(registered: Plans) -> None:
    chain = Chain()
    lost = put_of(registered, chain, messages=messages(50))
    next(lost)
    lost.close()
    plan = put_of(registered, chain, messages=messages(51))
    next(plan)

    again = written(plan.send(GONE))

    assert sent(again) > 50 * 250
    returned(plan, [1, STORED])


def test_no_writes_ask_nothing(plans: Plans) -> None:
    returned_at_once(plans.put_writes(config_of(checkpoint_id="1"), [], "task", ""))


def test_writes_are_one_call(registered: Plans) -> None:
    plan = registered.put_writes(config_of(checkpoint_id="1"), [("a", 1), ("b", 2)], "task", "path")

    assert verbs(only(next(plan))) == ["put_writes"]
    returned(plan, WRITTEN)


def test_writes_that_repeat_the_conversation_do_not_send_it_again(registered: Plans) -> None:
    config = returned_after(put_of(registered, Chain(), messages=messages(50)), [STORED])
    plan = registered.put_writes(config, [("tasks", {"state": messages(50)})], "task", "")

    assert sent(only(next(plan))) < 2500
    returned(plan, WRITTEN)


def test_writes_whose_conversation_is_gone_are_sent_whole(registered: Plans) -> None:
    config = returned_after(put_of(registered, Chain(), messages=messages(50)), [STORED])
    plan = registered.put_writes(config, [("tasks", {"state": messages(50)})], "task", "")
    next(plan)

    again = only(plan.send(NOT_WRITTEN))

    assert sent(again) > 50 * 250
    returned(plan, WRITTEN)


def test_a_field_that_holds_no_writes_is_named(registered: Plans) -> None:
    plan = registered.put_writes(config_of(checkpoint_id="1"), [("a", 1)], "task", "")
    next(plan)

    with pytest.raises(CorruptRecordError, match=r"field 'w//task/1' of key 'prefix:\{thread\}:data'"):
        plan.send([b"w//task/1"])


def test_writes_at_another_checkpoint_are_sent_whole(registered: Plans) -> None:
    chain = Chain()
    for _ in range(3):
        chain.config = returned_after(put_of(registered, chain, messages=messages(50)), [STORED])
    elsewhere = config_of(checkpoint_id="another")

    call = only(next(registered.put_writes(elsewhere, [("tasks", [messages(50)])], "task", "")))

    assert sent(call) > 50 * 250


def test_a_checkpoint_that_is_not_there_is_none(plans: Plans) -> None:
    plan = plans.get_tuple(config_of())

    call = only(next(plan))

    assert verbs(call) == ["get"]
    assert tuple(call.keys) == thread(plans).keys
    assert returned(plan, None) is None


def test_a_read_names_the_segments_that_are_known(registered: Plans) -> None:
    chain = Chain()
    chain.config = returned_after(put_of(registered, chain, messages=messages(50)), [STORED])
    known = registered.core.shelves.get(registered.shelf_key(thread(registered), "")).names()

    call = only(next(registered.get_tuple(config_of())))

    assert known
    assert known in call.args


def test_a_deleted_thread_that_stands_in_no_index_is_one_round_trip(plans: Plans) -> None:
    plan = plans.delete_thread("thread")

    delete, asked = several(next(plan))

    assert verbs([delete, asked]) == ["delete", "ZRANGEBYLEX"]
    assert tuple(delete.keys) == thread(plans).keys
    assert list(asked.keys) == [plans.core.keys.links(thread(plans))]
    returned(plan, [[], []])


def links_of(plans: Plans, *runs: str) -> list[bytes]:
    """What the server holds of a thread's links."""
    return [keys.link_member(thread(plans), keys.run_link(run)) for run in runs]


def test_the_runs_of_a_deleted_thread_forget_it(plans: Plans) -> None:
    plan = plans.delete_thread("thread")
    next(plan)

    *removals, looked = several(plan.send([[], links_of(plans, "one", "other")]))

    name, links = keys.member(thread(plans)), plans.core.keys.links(thread(plans))
    assert [call.command() for call in removals] == [
        *(["ZREM", plans.core.keys.run(run), name] for run in ("one", "other")),
        ["ZREM", links, *links_of(plans, "one", "other")],
    ]
    assert looked.command() == ["EXISTS", thread(plans).data]
    returned(plan, [1, 1, 2, 0])


def test_a_thread_that_began_again_while_it_was_deleted_is_put_back(plans: Plans) -> None:
    plan = plans.delete_thread("thread")
    next(plan)
    plan.send([[], links_of(plans, "one")])

    back = several(plan.send([1, 1, 1]))

    assert verbs(back) == TOLD
    assert [call.keys for call in back] == [
        [plans.core.keys.registry(thread(plans))],
        [plans.core.keys.links(thread(plans))],
        [plans.core.keys.run("one")],
    ]
    returned(plan, [1, 1, 1])


def test_a_deleted_thread_is_registered_anew_with_its_runs(plans: Plans) -> None:
    returned_after(put_with_run(plans), [[1, 1, 1, STORED, MADE]])
    assert verbs(next(put_with_run(plans))) == ["put"]

    returned_after(plans.delete_thread("thread"), [[[], links_of(plans, RUN)], [1, 1, 0]])

    assert verbs(next(put_with_run(plans))) == [*TOLD, *LOOKED]
