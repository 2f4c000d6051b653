"""An agent that remembers, in five chapters. Run it: `python examples/demo.py`."""

import argparse
import io
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from redis.exceptions import RedisError
from rich.console import Console

from langgraph.checkpoint.redis import RedisPersistenceError
from story.approval import PICNIC, approval
from story.conversation import WEATHER, go_on, second_process, two_turns
from story.costs import TALK, TOOLS, costs
from story.stage import Stage, StoryError
from story.time_travel import time_travel
from weather_agent import choose_model

WIDEST = 96
"""Longer lines are tiring to read, however wide the terminal."""


INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell the story; 0 if every chapter came out as told."""
    args = parser().parse_args(arguments)
    try:
        with server_url() as url:
            play(args, Stage(url, make_console(), choose_model(), run=args.run or uuid4().hex[:8]))
    except (StoryError, RedisError, RedisPersistenceError) as failure:
        Console(stderr=True, soft_wrap=True).print(
            f"The demo stopped: {failure}", style="bold red", markup=False
        )
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line. The second process of the story is started with `--go-on-with`."""
    made = argparse.ArgumentParser(
        description=__doc__,
        epilog="REDIS_URL names a server to use; without it, the demo starts one of its own. "
        "OPENAI_API_KEY brings in a real model. Everything written is deleted at the end.",
    )
    made.add_argument("--ask", action="store_true", help="let you answer where a person is asked")
    made.add_argument("--go-on-with", dest="run", metavar="RUN", help=argparse.SUPPRESS)
    return made


def play(args: argparse.Namespace, stage: Stage) -> None:
    """The whole story, or the second process's part in it."""
    if args.run:
        go_on(stage)
        return
    stage.open()
    try:
        tell(stage, by_hand=args.ask and sys.stdin.isatty())
    finally:
        stage.clean_up(WEATHER, PICNIC, TALK, TOOLS)


def make_console() -> Console:
    """A console that reads well in a terminal and in a pipe, in whatever encoding these have."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    console = Console(highlight=False)
    console.width = min(console.width, WIDEST)
    return console


def tell(stage: Stage, *, by_hand: bool) -> None:
    """The five chapters."""
    two_turns(stage)
    second_process(stage, Path(__file__))
    approval(stage, by_hand=by_hand)
    time_travel(stage)
    costs(stage)


@contextmanager
def server_url() -> Iterator[str]:
    """The server of REDIS_URL, or an embedded one in a folder that goes with this block."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    # The server leaves the folder a moment after its last user, and may still write a file there.
    with tempfile.TemporaryDirectory(prefix="agent-memory-", ignore_cleanup_errors=True) as folder:
        yield f"embedded://{folder}"


if __name__ == "__main__":
    sys.exit(main())
