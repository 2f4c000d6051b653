"""Every example, and the demo, run as users run them: programs, judged by what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

import demo
from scripted_model import ScriptedChatModel

if TYPE_CHECKING:
    import redis

EXAMPLES = Path(__file__).parents[2] / "examples"

PROMISED = {
    "connection_string.py": [r"what's the weather in sf", r"always sunny in sf", r"messages 4"],
    "own_client.py": [r"the saver still reads: .*checkpoint_id", r"answers ping: True"],
    "get_tuple.py": [r"'source': 'loop', 'step': 3", r"ToolMessage\(", r"pending_writes"],
    "list_checkpoints.py": [r" 8 loop 8 ", r" -1 input 0 ", r"limit=2"],
    "remember_preferences.py": [
        r'cook for dinner\? +You told me: "I am vegetarian',
        r'my holiday\? +You told me: "I like a window seat',
        r"bob .*You have told me nothing yet",
    ],
    "async_connection.py": [r"cloudy in nyc", r"aget_tuple .*checkpoint_id", r"alist 5"],
}
"""Of each example, what it must print."""

CHAPTERS = [
    r"1 · A conversation over two turns",
    r'You first asked "what\'s the weather in sf"',
    r"2 · A second process goes on",
    r"finds 6 messages",
    r"3 · A person approves",
    r"yes, says the script",
    r"The picnic in sf is booked",
    r"4 · Time travel",
    r"\(before\)",
    r"\(now the latest\)",
    r"5 · What it cost",
    r"get_tuple, the latest 1 1 ",
    r" put 1 1 ",
]


UNSET = {"OPENAI_API_KEY", "REDIS_URL"}


class Forgetful(ScriptedChatModel):
    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("I forget."))])


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """An example in a new process, with no key for a real model and a terminal of 80 columns."""
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    return subprocess.run(
        [sys.executable, str(EXAMPLES / script), *arguments],
        env={**kept, "COLUMNS": "80", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def assert_printed(ended: subprocess.CompletedProcess[str], promised: list[str]) -> None:
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    # Where lines are broken depends on the length of process ids and paths.
    printed = re.sub(r"[│\s]+", " ", ended.stdout)
    missing = [each for each in promised if not re.search(each, printed)]
    assert not missing, f"{missing} not in:\n{ended.stdout}"


@pytest.mark.parametrize("script", PROMISED)
def test_an_example_prints_what_it_promises(script: str, redis_url: str, redis_client: redis.Redis) -> None:
    ended = run(script, REDIS_URL=redis_url)

    assert_printed(ended, PROMISED[script])
    assert not redis_client.keys("*:data"), "the example left its thread behind"


@pytest.mark.parametrize("script", ["connection_string.py", "own_client.py", "async_connection.py"])
def test_an_example_needs_no_server(script: str) -> None:
    ended = run(script)

    assert_printed(ended, PROMISED[script])


def test_every_script_of_the_examples_is_run_here() -> None:
    scripts = {path.name for path in EXAMPLES.glob("*.py") if "__main__" in path.read_text()}

    assert scripts == {*PROMISED, "demo.py"}


def test_the_demo_tells_its_story_and_leaves_nothing_behind(
    redis_url: str, redis_client: redis.Redis
) -> None:
    ended = run("demo.py", REDIS_URL=redis_url)

    assert_printed(ended, CHAPTERS)
    assert max(map(len, ended.stdout.splitlines())) <= 80
    assert redis_client.keys("*") == []


def test_the_demo_starts_a_server_of_its_own(tmp_path: Path) -> None:
    ended = run("demo.py", TMPDIR=str(tmp_path))

    assert_printed(ended, CHAPTERS)
    assert list(tmp_path.iterdir()) == []


def test_the_demo_says_what_went_wrong(tmp_path: Path) -> None:
    ended = run("demo.py", REDIS_URL=f"unix://{tmp_path}/nobody-listens")

    assert ended.returncode == 1
    assert "The demo stopped" in ended.stderr
    assert "nobody-listens" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_demo_does_not_tell_what_did_not_happen(
    redis_url: str,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setattr(demo, "choose_model", Forgetful)

    code = demo.main([])

    assert code == 1
    assert "the second turn has forgotten sf: I forget." in capsys.readouterr().err
    assert redis_client.keys("*") == []


def test_the_demo_explains_itself() -> None:
    ended = run("demo.py", "--help")

    assert_printed(ended, ["REDIS_URL", "OPENAI_API_KEY", "--ask"])
    assert "--go-on-with" not in ended.stdout
