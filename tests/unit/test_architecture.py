"""The laws of the house: who may import what, how long a file may be, and that both savers are twins."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.store.base import BaseStore

from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver
from langgraph.store.redis import AsyncRedisStore, RedisStore

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "langgraph"
MODULES = {path.relative_to(SOURCE).as_posix(): path for path in SOURCE.rglob("*.py")}
FILES = sorted(
    path
    for folder in ("src", "tests", "examples", "benchmarks")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".lua")
)
LONGEST = 400

# The only I/O: whatever else wants something of a server asks for it in a plan.
TALK = ("clients", "connect", "direct", "kept", "nodes", "packing", "replies", "senders")
TALKERS = {f"_redis/{name}.py" for name in TALK}

# What users see: the package itself, and savers that are others with a setting.
SHOWN = {f"checkpoint/redis/{name}.py" for name in ("__init__", "shallow", "ashallow", "agent_server")}

# These stand on the methods that a saver overrides.
BUILT_ON_OTHERS = {"get", "aget", "with_allowlist"}


def name_of(module: str) -> str:
    return "langgraph." + module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported_by(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it, and what it takes from them."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def below(modules: set[str], *packages: str) -> set[str]:
    return {name for name in modules if any(f"{name}.".startswith(f"{package}.") for package in packages)}


def test_the_rooms_that_laws_are_stated_for_exist() -> None:
    rooms = [
        *("operations", "maintenance", "plans", "listing", "walk", "history", "sweep", "registry"),
        *("drafts", "reader", "segments", "splice", "shelves", "core", "policy"),
        *("codec", "records", "keys"),
    ]

    shelves = ["plans", "batches", "searches", "listings", "spread", "records", "values", "keys"]

    assert {f"checkpoint/redis/{room}.py" for room in rooms} | TALKERS <= MODULES.keys()
    assert {f"store/redis/{room}.py" for room in shelves} <= MODULES.keys()


@pytest.mark.parametrize("module", sorted(MODULES.keys() - TALKERS))
def test_only_the_drivers_and_those_who_connect_import_a_client(module: str) -> None:
    assert not below(imported_by(MODULES[module]), "redis", "valkey", "hiredis", "asyncio.streams")


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.startswith("_redis/")))
def test_the_ground_floor_knows_nothing_of_what_stands_on_it(module: str) -> None:
    assert not below(
        imported_by(MODULES[module]), "langgraph.checkpoint", "langgraph.store", "langchain_core"
    )


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.startswith("checkpoint/")))
def test_the_checkpointer_needs_neither_the_graph_nor_the_store(module: str) -> None:
    assert not below(imported_by(MODULES[module]), "langgraph.store", "langgraph.graph", "langgraph.pregel")


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.startswith("store/")))
def test_the_store_needs_neither_the_graph_nor_the_checkpointer(module: str) -> None:
    """But for the serializer, which is LangGraph's."""
    serde = "langgraph.checkpoint.serde"
    imports = below(
        imported_by(MODULES[module]), "langgraph.checkpoint", "langgraph.graph", "langgraph.pregel"
    )

    assert imports == below(imports, serde)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_nobody_imports_the_stores_from_below(module: str) -> None:
    stores = [f"langgraph.store.redis.{name}" for name in ("store", "aio")]

    imports = below(imported_by(MODULES[module]), *stores)

    assert not imports or module == "store/redis/__init__.py"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_nobody_imports_the_savers_from_below(module: str) -> None:
    savers = [f"langgraph.checkpoint.redis.{name}" for name in ("saver", "aio")]

    imports = below(imported_by(MODULES[module]), *savers)

    assert not imports or module in SHOWN


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_opens_with_its_law(module: str) -> None:
    assert ast.get_docstring(ast.parse(MODULES[module].read_text("utf-8")))


def test_the_namespaces_that_are_shared_hold_no_module_of_ours() -> None:
    assert {"__init__.py", "checkpoint/__init__.py", "store/__init__.py"}.isdisjoint(MODULES)


def public(kind: type[Any]) -> dict[str, Any]:
    """What a class shows: its public attributes that are not LangGraph's own, as they were written."""
    packages = ("langgraph.checkpoint.redis", "langgraph.store.redis")
    ours = [base for base in kind.__mro__ if base.__module__.startswith(packages)]
    return {
        name: inspect.getattr_static(kind, name)
        for base in ours
        for name in vars(base)
        if not name.startswith("_")
    }


def written(attribute: Any) -> Any:
    """The function behind a method, a classmethod, or a context manager."""
    if isinstance(attribute, property):
        return attribute.fget
    return inspect.unwrap(getattr(attribute, "__func__", attribute))


def parameters(attribute: Any) -> list[tuple[Any, ...]]:
    """Names, kinds, defaults and annotations, without `self` or `cls`."""
    found = list(inspect.signature(written(attribute)).parameters.values())[1:]
    return [(item.name, item.kind, item.default, item.annotation) for item in found]


@pytest.mark.parametrize("kind", [RedisSaver, AsyncRedisSaver, RedisStore, AsyncRedisStore])
def test_every_public_method_is_documented(kind: type[Any]) -> None:
    methods = {name: attribute for name, attribute in public(kind).items() if callable(written(attribute))}

    assert methods
    assert not {name for name, attribute in methods.items() if not inspect.getdoc(written(attribute))}
    assert inspect.getdoc(kind)


@pytest.mark.parametrize("kind", [RedisSaver, AsyncRedisSaver])
def test_every_method_of_the_contract_is_our_own(kind: type[Any]) -> None:
    contract = {
        name
        for name, attribute in vars(BaseCheckpointSaver).items()
        if inspect.isfunction(attribute) and not name.startswith("_")
    }

    assert contract - public(kind).keys() == BUILT_ON_OTHERS


def optional(entry: tuple[Any, ...]) -> bool:
    """Whether a parameter can be left out, and is never given by its place."""
    _, kind, default, _ = entry
    return kind is inspect.Parameter.KEYWORD_ONLY and default is not inspect.Parameter.empty


@pytest.mark.parametrize("kind", [RedisSaver, AsyncRedisSaver])
def test_methods_of_the_contract_take_what_it_says_and_more_by_keyword_only(kind: type[Any]) -> None:
    contract = {name: getattr(BaseCheckpointSaver, name, None) for name in public(kind)}

    for name, theirs in contract.items():
        if theirs is not None:
            wanted = [entry[:3] for entry in parameters(theirs)]
            ours = parameters(public(kind)[name])
            assert [entry[:3] for entry in ours[: len(wanted)]] == wanted, name
            assert all(optional(entry) for entry in ours[len(wanted) :]), name


def test_both_savers_show_the_same() -> None:
    assert public(RedisSaver).keys() == public(AsyncRedisSaver).keys()


@pytest.mark.parametrize("name", sorted(public(RedisSaver)))
def test_a_method_takes_and_gives_the_same_on_both_savers(name: str) -> None:
    ours, twin = (written(public(kind)[name]) for kind in (RedisSaver, AsyncRedisSaver))

    assert parameters(ours) == parameters(twin)
    if name != "from_conn_string":  # One is for `with`, the other for `async with`.
        returns = [inspect.signature(method).return_annotation for method in (ours, twin)]
        assert returns[0] == returns[1]


PAIRS = sorted(name for name in public(RedisSaver) if f"a{name}" in public(RedisSaver))


@pytest.mark.parametrize("kind", [RedisSaver, AsyncRedisSaver])
@pytest.mark.parametrize("name", PAIRS)
def test_a_method_and_its_async_twin_take_the_same(kind: type[Any], name: str) -> None:
    ours, twin = (written(public(kind)[which]) for which in (name, f"a{name}"))

    assert parameters(ours) == parameters(twin)
    assert inspect.iscoroutinefunction(twin) or inspect.isasyncgenfunction(twin)
    # `setup` is what the how-to page calls; on the async saver it may be awaited too.
    assert inspect.iscoroutinefunction(ours) == (kind is AsyncRedisSaver and name == "setup")


@pytest.mark.parametrize("kind", [RedisSaver, AsyncRedisSaver, RedisStore, AsyncRedisStore])
def test_the_connection_string_takes_what_the_constructor_takes(kind: type[Any]) -> None:
    assert parameters(public(kind)["from_conn_string"]) == parameters(kind.__init__)


def test_both_stores_show_the_same() -> None:
    """The async one can be closed in two ways."""
    assert public(RedisStore).keys() | {"aclose"} == public(AsyncRedisStore).keys()


@pytest.mark.parametrize("name", sorted(public(RedisStore)))
def test_a_method_takes_the_same_on_both_stores(name: str) -> None:
    ours, twin = public(RedisStore)[name], public(AsyncRedisStore)[name]

    if name != "supports_ttl":
        assert parameters(ours) == parameters(twin)


@pytest.mark.parametrize("kind", [RedisStore, AsyncRedisStore])
def test_stores_keep_langgraphs_signatures(kind: type[Any]) -> None:
    contract = [name for name, it in vars(BaseStore).items() if inspect.isfunction(it) and name[0] != "_"]

    assert {"get", "aget", "batch", "abatch", "search", "alist_namespaces"} <= set(contract)
    for name in contract:
        theirs, ours = getattr(BaseStore, name), getattr(kind, name)
        assert [entry[:3] for entry in parameters(ours)] == [entry[:3] for entry in parameters(theirs)], name


def test_both_stores_are_built_alike() -> None:
    assert parameters(RedisStore.__init__) == parameters(AsyncRedisStore.__init__)
