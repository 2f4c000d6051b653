"""Plans by hand: what each operation asks, how often, and what it makes of the answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph._redis.errors import CorruptRecordError, RedisPersistenceError
from langgraph._redis.plan import Plan
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys, Thread
from langgraph.checkpoint.redis.plans import Plans
from steps import Chain, checkpoint_of, config_of, id_of, metadata_of
from unit.by_hand import only, returned, returned_after, returned_at_once, sent, several, verbs
from values import text_of

RUN = "a run"
# What the scripts answer to a put, and to the writes of one task.
STORED, GONE, UNTOLD = 1, 0, -1
WRITTEN, NOT_WRITTEN = [1], [0]


@pytest.fixture
def plans() -> Plans:
    return Plans(Core(Keys("prefix")), Codec(JsonPlusSerializer()))


@pytest.fixture
def registered(plans: Plans) -> Plans:
    """The thread "thread" needs no registration."""
    plans.core.registered(thread(plans))
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


def test_the_first_write_travels_behind_its_threads_registration(plans: Plans) -> None:
    chain = Chain()
    first = put_of(plans, chain, x=1)

    assert verbs(several(next(first))) == ["ZADD", "put"]
    chain.config = returned(first, [1, STORED])

    assert verbs(next(put_of(plans, chain, x=2))) == ["put"]


def test_the_first_writes_of_a_task_travel_behind_the_registration_too(plans: Plans) -> None:
    config = config_of(checkpoint_id="1")
    first = plans.put_writes(config, [("a", 1)], "task", "")

    assert verbs(several(next(first))) == ["ZADD", "put_writes"]
    returned(first, [1, WRITTEN])

    assert verbs(next(plans.put_writes(config, [("a", 1)], "other", ""))) == ["put_writes"]


def test_a_registration_without_a_reply_is_sent_again(plans: Plans) -> None:
    chain = Chain()
    lost = put_of(plans, chain, x=1)
    next(lost)
    lost.close()

    assert verbs(next(put_of(plans, chain, x=1))) == ["ZADD", "put"]


def test_a_run_learns_of_its_thread_before_the_checkpoint_is_stored(plans: Plans) -> None:
    calls = several(next(put_with_run(plans)))

    assert verbs(calls) == ["ZADD", "SADD", "put"]
    assert calls[1].keys == [plans.core.keys.run(RUN)]
    assert calls[1].args == [keys.member(thread(plans))]


def test_a_run_that_the_thread_has_lost_meanwhile_is_told_before_a_second_attempt(plans: Plans) -> None:
    returned_after(put_with_run(plans), [[1, 1, STORED]])
    plan = put_with_run(plans)
    assert verbs(next(plan)) == ["put"]

    again = plan.send(UNTOLD)

    assert verbs(several(again)) == ["ZADD", "SADD", "put"]
    returned(plan, [1, 1, STORED])


def test_a_run_id_may_be_a_uuid(registered: Plans) -> None:
    calls = several(next(put_with_run(registered, UUID(int=7))))

    assert calls[0].keys == [registered.core.keys.run(str(UUID(int=7)))]


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

    second = only(plan.send(GONE))

    whole = 71 * 250  # The texts are hexadecimal digits: half of their bytes remain.
    assert sent(first) < whole < sent(second)
    assert id_of(returned(plan, STORED)) in str(second.args)


def test_what_was_sent_whole_is_reused_from_then_on(registered: Plans) -> None:
    chain = Chain()
    chain.config = returned_after(put_of(registered, chain, messages=messages(50)), [STORED])
    chain.config = returned_after(put_of(registered, chain, messages=messages(51)), [GONE, STORED])

    call = only(next(put_of(registered, chain, messages=messages(52))))

    assert sent(call) < 2500


def test_a_put_that_is_refused_twice_raises_and_names_the_key(registered: Plans) -> None:
    plan = registered.put(config_of(), checkpoint_of({}, checkpoint_id="the id"), metadata_of(), {})
    next(plan)
    plan.send(GONE)

    with pytest.raises(RedisPersistenceError, match=r"'the id' was not stored in 'prefix:\{thread\}:data'"):
        plan.send(GONE)


def test_what_a_lost_put_may_not_have_stored_is_checked_and_sent_whole(registered: Plans) -> None:
    chain = Chain()
    lost = put_of(registered, chain, messages=messages(50))
    next(lost)
    lost.close()
    plan = put_of(registered, chain, messages=messages(51))
    next(plan)

    again = only(plan.send(GONE))

    assert sent(again) > 50 * 250
    returned(plan, STORED)


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
    known = registered.core.shelves.get(registered.shelf_key(thread(registered), "")).names

    call = only(next(registered.get_tuple(config_of())))

    assert known
    assert known in call.args


def test_a_deleted_thread_without_runs_is_one_call(plans: Plans) -> None:
    plan = plans.delete_thread("thread")

    assert verbs(only(next(plan))) == ["delete"]
    returned(plan, [])


def test_the_runs_of_a_deleted_thread_forget_it(plans: Plans) -> None:
    plan = plans.delete_thread("thread")
    next(plan)

    calls = several(plan.send([b"one", b"other"]))

    assert [call.command() for call in calls[:2]] == [
        ["SREM", plans.core.keys.run(run), keys.member(thread(plans))] for run in ("one", "other")
    ]
    assert [call.command() for call in calls[2:]] == [
        ["ZSCORE", thread(plans).index, f"r/{run}".encode()] for run in ("one", "other")
    ]
    returned(plan, [1, 1, None, None])


def test_a_run_that_wrote_to_a_thread_while_it_was_deleted_is_told_again(plans: Plans) -> None:
    plan = plans.delete_thread("thread")
    next(plan)
    plan.send([b"one", b"other"])

    (told,) = several(plan.send([1, 1, None, 0.0]))

    assert told.command() == ["SADD", plans.core.keys.run("other"), keys.member(thread(plans))]
    returned(plan, [1])


def test_a_deleted_thread_is_registered_anew_with_its_runs(plans: Plans) -> None:
    returned_after(put_with_run(plans), [[1, 1, STORED]])
    assert verbs(next(put_with_run(plans))) == ["put"]

    returned_after(plans.delete_thread("thread"), [[RUN.encode()], [1, None]])

    assert verbs(next(put_with_run(plans))) == ["ZADD", "SADD", "put"]


def test_a_run_that_forgot_its_thread_is_told_anew(plans: Plans) -> None:
    returned_after(put_with_run(plans), [[1, 1, STORED]])

    returned_after(plans.forget_runs(thread(plans), [RUN]), [[1, None]])

    assert "SADD" in verbs(next(put_with_run(plans)))
