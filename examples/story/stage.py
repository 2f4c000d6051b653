"""What the chapters share: a server, a place to print, and a word for "that went wrong"."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import create_react_agent
from redis import Redis
from redis.exceptions import NoPermissionError
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from langgraph._redis.embedded import acquire
from langgraph.checkpoint.redis import RedisSaver, __lib_name__
from weather_agent import tools as weather_tools

Agent = CompiledStateGraph[Any, Any, Any, Any]


class StoryError(Exception):
    """A step's outcome is not what the story says."""


def expect(told: object, otherwise: str) -> None:
    """Go on if what was told holds; if not, end the demo with what was found instead."""
    if not told:
        raise StoryError(otherwise)


@dataclass(frozen=True)
class Stage:
    """One run of the demo: where it happens, and where it is told."""

    url: str
    console: Console
    model: BaseChatModel
    run: str = field(default_factory=lambda: uuid4().hex[:8])

    @property
    def key_prefix(self) -> str:
        """This run's keys lie apart, so that they can be counted, and all be removed again."""
        return f"langgraph-demo-{self.run}"

    def saver(self) -> RedisSaver:
        """A new saver on a new connection, for a `with` block."""
        try:
            saver = RedisSaver(self.url, key_prefix=self.key_prefix)
        except ValueError as refused:
            raise StoryError(f"REDIS_URL cannot be used: {refused}") from refused
        saver.setup()
        return saver

    def agent(self, saver: RedisSaver, tools: Sequence[BaseTool] = weather_tools) -> Agent:
        """The page's agent, remembering through this saver."""
        return create_react_agent(self.model, tools, checkpointer=saver)

    @contextmanager
    def server(self) -> Iterator[Redis]:
        """A plain client of the same server, to look from the outside at what savers do."""
        if not self.url.startswith("embedded://"):
            with Redis.from_url(self.url) as client:
                yield client
            return
        # A saver keeps its server's address to itself; only this demo looks behind it.
        embedded = acquire(self.url.removeprefix("embedded://"))
        try:
            with Redis.from_url(embedded.url) as client:
                yield client
        finally:
            embedded.release()

    def open(self) -> None:
        """Say what plays where."""
        self.saver().close()  # A server that cannot be used is told of before anything else.
        facts = Table.grid(padding=(0, 2))
        facts.add_row("package", __lib_name__)
        facts.add_row("model", type(self.model).__name__)
        facts.add_row("server", Text(f"{self._version()} at {self._address()}"))
        self.console.rule("[bold]An agent that remembers[/]")
        self.console.print(Padding(facts, (1, 3)))

    def clean_up(self, *threads: RunnableConfig) -> None:
        """Delete the threads of this run, and then its registry of threads."""
        with self.saver() as saver:
            for each in threads:
                saver.delete_thread(each["configurable"]["thread_id"])
        with self.server() as server:
            for key in server.scan_iter(match=f"{self.key_prefix}:*", count=1000):
                server.unlink(key)

    def _version(self) -> str:
        """What the server calls itself, where it may be asked."""
        try:
            with self.server() as server:
                facts = server.info("server")
        except NoPermissionError:
            return "one that keeps its version to itself,"
        if "valkey_version" in facts:
            return f"Valkey {facts['valkey_version']}"
        return f"Redis {facts['redis_version']}"

    def _address(self) -> str:
        """The URL, without a password that may be in it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def show(self, title: str, *body: RenderableType) -> None:
        """One panel, an empty line between its parts."""
        lines = [part for each in body for part in (each, Text())][:-1]
        self.console.print(Panel(Group(*lines), title=title, title_align="left", padding=(1, 2)))
        self.console.print()


def thread(name: str) -> RunnableConfig:
    """The config of a thread."""
    return RunnableConfig(configurable={"thread_id": name})


def ask(agent: Agent, question: str, config: RunnableConfig) -> list[AnyMessage]:
    """One turn; the whole conversation comes back."""
    return list(agent.invoke({"messages": [("human", question)]}, config)["messages"])


def talk(messages: Iterable[BaseMessage]) -> Table:
    """A conversation, a line for each thing said or done."""
    lines = Table.grid(padding=(0, 2))
    lines.add_column(justify="right", min_width=5)
    lines.add_column(ratio=1)
    for message in messages:
        for speaker, style, words in _parts(message):
            lines.add_row(Text(speaker, style), Text(words))
    return lines


def ledger(title: str, *headings: str, words: Collection[str] = ()) -> Table:
    """A table of figures, but for the columns that hold words."""
    lines = Table(title=title, title_justify="left", title_style="bold cyan")
    lines.box, lines.padding = None, (0, 2, 0, 0)
    for heading in headings:
        lines.add_column(heading, justify="left" if heading in words else "right")
    return lines


def note(text: str) -> Text:
    """A remark of the narrator's."""
    return Text.from_markup(text, style="italic")


def mentions(message: BaseMessage, city: str) -> bool:
    """Whether a city is named, by its short name or by the one that a real model prefers."""
    long = {"sf": "san francisco", "nyc": "new york"}[city]
    words = message.text.lower()
    return city in words or long in words


def _parts(message: BaseMessage) -> Iterable[tuple[str, str, str]]:
    """Speaker, style and words of all that one message says and does."""
    if isinstance(message, HumanMessage):
        yield "you", "bold cyan", message.text
    elif isinstance(message, AIMessage):
        for call in message.tool_calls:
            args = ", ".join(f"{name}={value!r}" for name, value in call["args"].items())
            yield "agent", "magenta", f"{call['name']}({args})"
        if message.text:
            yield "agent", "bold magenta", message.text
    else:
        yield "tool", "yellow", message.text
