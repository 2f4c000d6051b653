"""From a URL or a client to a client: who makes it, who owns it, who closes it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from langgraph._redis import clients, twins, urls
from langgraph._redis.senders import Client
from langgraph._redis.twins import is_async, is_cluster, made_by

if TYPE_CHECKING:
    from langgraph._redis.embedded import EmbeddedServer


_LOG: Final = logging.getLogger(__name__)


def _checked_client(client: Any, *, wants_async: bool) -> Client:
    if not hasattr(client, "execute_command"):
        raise TypeError(f"redis_client must be a Redis client, not {type(client).__name__}")
    if is_async(client) != wants_async:
        package = made_by(client)
        other = f"RedisSaver, or bring a client of {package}.asyncio" if wants_async else "AsyncRedisSaver"
        raise TypeError(f"redis_client is {type(client).__module__}.{type(client).__name__}: use {other}")
    return client


class Endpoint:
    """Where a saver connects to, and what it must close in the end.

    Args:
        url: Of one of `urls.SCHEMES`. Clients are then ours.
        client: A client that the user brought. It is never closed here.
        connection_args: Further arguments for the connections of clients that are ours, as redis-py
            takes them.
        wants_async: Which kind of client is expected.

    Raises:
        ValueError: If both or neither of url and client are given, or the URL's scheme is unknown.
        TypeError: If the client is none, or of the other kind.
        EmbeddedServerError: If the embedded server cannot be started.
    """

    def __init__(
        self, url: Any, client: Any, connection_args: Mapping[str, Any] | None, *, wants_async: bool
    ) -> None:
        if (url is None) == (client is None):
            raise ValueError("give either redis_url or redis_client, and not both")
        if client is not None and connection_args:
            raise ValueError("connection_args goes with redis_url: a redis_client has its connections")
        self.brought = None if client is None else _checked_client(client, wants_async=wants_async)
        self._args = dict(connection_args or {})
        self._server: EmbeddedServer | None = None
        self._url = None if url is None else self._resolved(urls.checked(url))
        self.cluster = self._url.startswith(urls.CLUSTER) if self._url else is_cluster(self.brought)

    def _resolved(self, url: str) -> str:
        if not url.startswith(urls.EMBEDDED):
            return url
        # Imported here: most programs do not need it.
        from langgraph._redis.embedded import acquire  # noqa: PLC0415

        self._server = acquire(url.removeprefix(urls.EMBEDDED) or None)
        return self._server.url

    def sync_client(self) -> tuple[Client, bool]:
        """A sync client, and whether it is ours to close."""
        if self.brought is None:
            _LOG.info("a sync client is made for %r", self)
            return clients.sync_client(self._url or "", self._args), True
        if is_async(self.brought):
            _LOG.info("a sync client is made that goes where %r goes", self)
            return twins.sync_twin(self.brought), True
        _LOG.debug("%r is used", self)
        return self.brought, False

    def async_client(self) -> Client:
        """The async client of one event loop; `ours` tells whether it is ours to close."""
        if self.brought is not None:
            _LOG.debug("%r is used", self)
            return self.brought
        _LOG.info("an async client is made for %r", self)
        return clients.async_client(self._url or "", self._args)

    @property
    def ours(self) -> bool:
        """Whether clients are made here."""
        return self.brought is None

    def release(self) -> None:
        """Let go of the embedded server, if there is one; it ends with its last user."""
        if self._server is not None:
            self._server.release()

    def __repr__(self) -> str:
        """Name the place, without credentials."""
        if self.brought is not None:
            return f"a {type(self.brought).__name__} client"
        return urls.shown(self._url or "")
