"""Chapter 4: go back to an earlier checkpoint and ask something else; both branches stay."""

from collections import defaultdict
from collections.abc import Sequence

from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import StateSnapshot
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from story.conversation import WEATHER
from story.stage import Agent, Stage, ask, expect, ledger, mentions, note

OTHER_QUESTION = "and what's the weather in nyc"


def time_travel(stage: Stage) -> None:
    """Fork the weather thread after its first turn."""
    with stage.saver() as saver:
        agent = stage.agent(saver)
        before = list(agent.get_state_history(WEATHER))
        chosen = _end_of_first_turn(before)
        ask(agent, OTHER_QUESTION, chosen.config)
        after = list(agent.get_state_history(WEATHER))
        old, new = before[0], after[0]
        _check(agent, old, new)

    stage.show(
        "4 · Time travel",
        _history(before, chosen),
        note(f'From the checkpoint marked ◀ we go on with "{OTHER_QUESTION}":'),
        _branches(after, {_id(old.config): "before", _id(new.config): "now the latest"}),
        note("Each branch ends where it ended; the next question goes to the latest checkpoint."),
    )


def _end_of_first_turn(history: Sequence[StateSnapshot]) -> StateSnapshot:
    """The oldest checkpoint with nothing left to do."""
    ends = [each for each in history if not each.next]
    expect(len(ends) > 1, f"of {len(history)} checkpoints, {len(ends)} end a turn: none to go to")
    return ends[-1]


def _check(agent: Agent, old: StateSnapshot, new: StateSnapshot) -> None:
    """The fork knows its own question and no later one; the old branch reads as it did."""
    expect(_id(new.config) != _id(old.config), "the fork did not become the latest checkpoint")
    expect(mentions(_messages(new)[-1], "nyc"), "the fork does not answer its own question")
    expect(len(_questions(new)) == 2, f"the fork holds other questions: {_questions(new)}")  # noqa: PLR2004  # The first turn's and its own.
    again = agent.get_state(old.config)
    expect(_messages(again) == _messages(old), "the old branch has changed")


def _history(history: Sequence[StateSnapshot], chosen: StateSnapshot) -> Table:
    """A line for each checkpoint, newest first."""
    headings = ("checkpoint", "step", "messages", "next")
    lines = ledger("History, newest first", *headings, words=("checkpoint", "next"))
    for each in history:
        metadata = each.metadata or {}
        following = ", ".join(each.next) or "(end of turn)"
        mark = "  ◀" if each is chosen else ""
        counts = (str(metadata.get("step")), str(len(_messages(each))))
        lines.add_row(_id(each.config), *counts, following + mark)
    return lines


def _branches(history: Sequence[StateSnapshot], leaves: dict[str, str]) -> Tree:
    """The turns of a thread, as they grew out of each other."""
    children: dict[str | None, list[StateSnapshot]] = defaultdict(list)
    for each in reversed(history):
        children[_id(each.parent_config) if each.parent_config else None].append(each)
    root = Tree("[bold]thread[/]")
    stack = [(root, each) for each in reversed(children[None])]
    while stack:
        parent, snapshot = stack.pop()
        node = parent if snapshot.next else parent.add(_turn(snapshot, leaves))
        stack += [(node, each) for each in reversed(children[_id(snapshot.config)])]
    return root


def _turn(snapshot: StateSnapshot, leaves: dict[str, str]) -> Text:
    """What was asked and answered in the turn that this checkpoint ends."""
    leaf = leaves.get(_id(snapshot.config))
    mark = f"  ({leaf})" if leaf else ""
    question, answer = _questions(snapshot)[-1], _messages(snapshot)[-1].text
    return Text.assemble((question, "cyan"), (mark, "bold green"), "\n", answer)


def _messages(snapshot: StateSnapshot) -> list[AnyMessage]:
    messages: list[AnyMessage] = snapshot.values.get("messages", [])
    return messages


def _questions(snapshot: StateSnapshot) -> list[str]:
    return [each.text for each in _messages(snapshot) if isinstance(each, HumanMessage)]


def _id(config: RunnableConfig) -> str:
    return str(config["configurable"]["checkpoint_id"])
