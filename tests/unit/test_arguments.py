"""What callers may give, and how each operation refuses the rest before anything is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph.checkpoint.redis import history, retention
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.copies import copy_thread
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.listing import Listing, query
from langgraph.checkpoint.redis.plans import Plans
from steps import checkpoint_of, config_of, metadata_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.runnables import RunnableConfig

PLANS = Plans(Core(Keys("prefix")), Codec(JsonPlusSerializer()))


def get(config: RunnableConfig) -> None:
    next(PLANS.get_tuple(config))


def put(config: RunnableConfig) -> None:
    next(PLANS.put(config, checkpoint_of({}), metadata_of(), {}))


def write(config: RunnableConfig) -> None:
    next(PLANS.put_writes(config, [("a", 1)], "task", ""))


def walk(config: RunnableConfig) -> None:
    next(Listing(PLANS, config, query(config, None, None, None)).next_page())


def ancestors(config: RunnableConfig) -> None:
    next(history.delta_history(PLANS, config, ["a"]))


everywhere = pytest.mark.parametrize("operation", [get, put, write, walk, ancestors])


@everywhere
@pytest.mark.parametrize("config", [{}, {"configurable": None}, {"configurable": "thread"}, "thread", []])
def test_a_config_without_a_configurable_is_refused(operation: Callable[[Any], None], config: Any) -> None:
    with pytest.raises(ValueError, match='config needs a "configurable" dict'):
        operation(config)


@everywhere
def test_a_config_without_a_thread_is_refused(operation: Callable[[Any], None]) -> None:
    config = {"configurable": {"checkpoint_ns": "", "checkpoint_id": "1"}}

    with pytest.raises(ValueError, match=r'config\["configurable"\]\["thread_id"\] is missing'):
        operation(config)


@everywhere
@pytest.mark.parametrize("refused", [None, True, 1.5, b"a", ["a"], {"a": 1}])
def test_a_thread_id_of_another_type_is_refused(operation: Callable[[Any], None], refused: Any) -> None:
    with pytest.raises(TypeError, match=r'config\["configurable"\]\["thread_id"\] must be a str'):
        operation(config_of(refused, "", "1"))


@everywhere
@pytest.mark.parametrize("refused", [True, 1.5, b"a", ["a"], {"a": 1}])
def test_a_checkpoint_id_of_another_type_is_refused(operation: Callable[[Any], None], refused: Any) -> None:
    with pytest.raises(TypeError, match=r'config\["configurable"\]\["checkpoint_id"\] must be a str'):
        operation(config_of("thread", "", refused))


@everywhere
@pytest.mark.parametrize("refused", [7, b"a", ["a"], UUID(int=1)])
def test_a_namespace_is_a_str(operation: Callable[[Any], None], refused: Any) -> None:
    with pytest.raises(TypeError, match=r'config\["configurable"\]\["checkpoint_ns"\] must be a str'):
        operation(config_of("thread", refused, "1"))


@pytest.mark.parametrize("absent", [None, ""])
def test_writes_belong_to_a_checkpoint(absent: Any) -> None:
    config = config_of()
    config["configurable"]["checkpoint_id"] = absent

    with pytest.raises(ValueError, match=r'config\["configurable"\]\["checkpoint_id"\] is missing'):
        write(config)


@pytest.mark.parametrize("refused", [None, True, 1.5, ["a"]])
def test_threads_are_deleted_copied_and_pruned_by_an_id(refused: Any) -> None:
    with pytest.raises(TypeError, match=r"^thread_id must be"):
        next(PLANS.delete_thread(refused))
    with pytest.raises(TypeError, match=r"^source_thread_id must be"):
        next(copy_thread(PLANS.core, refused, "a"))
    with pytest.raises(TypeError, match=r"^target_thread_id must be"):
        next(copy_thread(PLANS.core, "a", refused))
    with pytest.raises(TypeError, match=r"^thread_id must be"):
        next(retention.prune(PLANS, [refused], "keep_latest", None, None))


@pytest.mark.parametrize("refused", [None, True, 1.5, ["a"]])
def test_runs_are_named_by_an_id(refused: Any) -> None:
    with pytest.raises(TypeError, match=r"^run_ids must be"):
        next(retention.delete_for_runs(PLANS, ["a", refused]))


@pytest.mark.parametrize("refused", ["1", 1.0, True])
def test_a_limit_is_an_int(refused: Any) -> None:
    with pytest.raises(TypeError, match=r"^limit must be an int or None"):
        query(None, None, None, refused)


def test_before_is_a_config_and_says_so() -> None:
    with pytest.raises(ValueError, match=r'^before needs a "configurable" dict'):
        query(None, None, cast("RunnableConfig", {}), None)
    with pytest.raises(TypeError, match=r'^before\["configurable"\]\["checkpoint_id"\] must be a str'):
        query(None, None, config_of(checkpoint_id=["a"]), None)


@pytest.mark.parametrize("prefix", ["", "a{b", "a}b", "{}", None, 7])
def test_a_key_prefix_is_a_text_without_braces(prefix: Any) -> None:
    with pytest.raises(ValueError, match=r"^key_prefix must be a non-empty str without braces"):
        Keys(prefix)
