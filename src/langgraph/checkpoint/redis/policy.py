"""How long things live, and how much is kept: what a saver was told, checked, and as scripts are told it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import TypedDict

from langgraph._redis.lives import milliseconds
from langgraph._redis.plan import Wait

UNTOLD: Final = b""
FOR_EVER: Final = b"=0"
NO_READ: Final = b"-"
"""What a script is told that reads and shall prolong nothing."""


class TTLConfig(TypedDict, total=False):
    """How long threads live after they were last used.

    Attributes:
        default_ttl: Minutes from the last write; None: for ever.
        refresh_on_read: Whether reading a thread prolongs it, too.
    """

    default_ttl: float | None
    refresh_on_read: bool


def call_life(found: Mapping[str, Any]) -> bytes | None:
    """The life that a config's `ttl` asks for, or None if it asks for none."""
    if "ttl" not in found:
        return None
    given = found["ttl"]
    if given is None:
        return FOR_EVER
    return b"=%d" % milliseconds('config["configurable"]["ttl"]', given)


def _ttl(given: Any) -> tuple[bytes, bool]:
    if given is None:
        return UNTOLD, False
    if not isinstance(given, Mapping):
        raise TypeError(
            f'ttl must be a dict such as {{"default_ttl": 60}}, not {type(given).__name__}: {given!r:.80}'
        )
    unknown = sorted(map(str, given.keys() - TTLConfig.__annotations__.keys()))
    if unknown:
        raise ValueError(f"ttl knows default_ttl and refresh_on_read, not {', '.join(unknown)}")
    refresh = given.get("refresh_on_read", False)
    if not isinstance(refresh, bool):
        raise TypeError(f'ttl["refresh_on_read"] must be True or False, not {refresh!r:.80}')
    default = given.get("default_ttl")
    life = UNTOLD if default is None else b"%d" % milliseconds('ttl["default_ttl"]', default)
    return life, refresh


def count(argument: str, given: Any) -> int | None:
    """A number of checkpoints to keep, or None.

    Raises:
        TypeError: If it is no int.
        ValueError: If it is less than 1.
    """
    if given is None:
        return None
    if not isinstance(given, int) or isinstance(given, bool):
        raise TypeError(f"{argument} must be an int or None, not {type(given).__name__}: {given!r:.80}")
    if given < 1:
        raise ValueError(f"{argument} must be at least 1, not {given}: the latest checkpoint always stays")
    return int(given)


def _wait(replicas: Any, milliseconds: Any) -> Wait | None:
    for argument, given in (("wait_replicas", replicas), ("wait_timeout_ms", milliseconds)):
        if argument == "wait_replicas" and given is None:
            continue
        if not isinstance(given, int) or isinstance(given, bool):
            raise TypeError(f"{argument} must be an int, not {type(given).__name__}: {given!r:.80}")
        if not 0 < given < 1 << 31:
            raise ValueError(f"{argument} must be at least 1 and below 2**31, not {given}")
    return None if replicas is None else Wait(int(replicas), int(milliseconds))


def _refuses(on_conflict: Any) -> bool:
    if on_conflict not in ("allow", "error"):
        raise ValueError(f'on_conflict must be "allow" or "error", not {on_conflict!r:.80}')
    return bool(on_conflict == "error")


def _names(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeError(f'index_metadata must be a list of keys such as ["user_id"], not {given!r:.80}')
    for name in given:
        if not isinstance(name, str) or not name:
            raise TypeError(
                f"index_metadata holds {name!r:.80}: a key of the metadata must be a str that is not empty"
            )
    return tuple(dict.fromkeys(given))


@dataclass(frozen=True, slots=True)
class Policy:
    """What a saver does by itself.

    Attributes:
        life: What its scripts are told of how long threads live, b"" for nothing.
        refresh: Whether reading prolongs.
        keep_last: How many checkpoints of each namespace are kept; None for all.
        index_metadata: The metadata keys by which threads are found.
        wait: How many replicas must confirm a write, and how long to wait for them; None for none.
        refuses: Whether a put is refused whose thread moved on since its parent.
    """

    life: bytes = UNTOLD
    refresh: bool = False
    keep_last: int | None = None
    index_metadata: tuple[str, ...] = ()
    wait: Wait | None = None
    refuses: bool = False

    @property
    def expires(self) -> bool:
        """Whether threads expire unless they are pinned."""
        return bool(self.life)

    def on_write(self, found: Mapping[str, Any]) -> bytes:
        """The life that a write gives."""
        asked = call_life(found)
        return self.life if asked is None else asked

    def on_read(self, found: Mapping[str, Any]) -> bytes:
        """The life that a read gives, or that it gives none."""
        return self.on_write(found) if self.refresh else NO_READ

    def indexed(self, facts: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What of a checkpoint's metadata its thread is found by: pairs of key and text."""
        texts = ((key, index_text(facts.get(key))) for key in self.index_metadata)
        return [(key, text) for key, text in texts if text is not None]


def index_text(value: Any) -> str | None:
    """What stands for a value in an index: the same for values that compare equal; None for no scalar."""
    if isinstance(value, (bool, int, float)):
        whole = isinstance(value, int) or value.is_integer()
        return f"#{int(value)}" if whole else f"#{float(value)!r}"
    # An enumeration's own `str` would be its name.
    return f"'{str.__str__(value)}" if isinstance(value, str) else None


def policy(
    ttl: Any,
    keep_last: Any,
    index_metadata: Any,
    *,
    wait_replicas: Any = None,
    wait_timeout_ms: Any = 1000,
    on_conflict: Any = "allow",
) -> Policy:
    """Check what a saver was told.

    Raises:
        TypeError: For what has the wrong type; the message names the setting.
        ValueError: For what is out of range.
    """
    life, refresh = _ttl(ttl)
    return Policy(
        life,
        refresh,
        count("keep_last", keep_last),
        _names(index_metadata),
        _wait(wait_replicas, wait_timeout_ms),
        _refuses(on_conflict),
    )
