"""An agent that keeps what it learns about a person, and finds it by meaning in another conversation.

The checkpointer keeps each conversation; the store keeps what is to outlast them. They share one client.
"""

from typing import Annotated, Any
from uuid import uuid4

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.prebuilt import InjectedStore, create_react_agent
from langgraph.store.base import BaseStore

from langgraph.checkpoint.redis import RedisSaver
from langgraph.store.redis import RedisStore
from scripted_model import ScriptedChatModel
from small_embedding import DIMS, SmallEmbedding
from weather_agent import REDIS_URI


@tool
def remember(fact: str, config: RunnableConfig, store: Annotated[BaseStore, InjectedStore()]) -> str:
    """Keep something that the user told about themselves."""
    store.put(memories(config), uuid4().hex, {"text": fact})
    return "Noted."


@tool
def recall(question: str, config: RunnableConfig, store: Annotated[BaseStore, InjectedStore()]) -> str:
    """Find what the user once told that may help to answer a question."""
    found = store.search(memories(config), query=question, limit=1)
    return f'You told me: "{found[0].value["text"]}"' if found else "You have told me nothing yet."


def memories(config: RunnableConfig) -> tuple[str, ...]:
    """Where the memories of the user of this conversation are, and no other user's."""
    return ("memories", config["configurable"]["user_id"])


class AttentiveModel(ScriptedChatModel):
    """Notes what it is told, and looks up what it is asked."""

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del stop, run_manager, kwargs
        said = messages[-1]
        if isinstance(said, ToolMessage):
            reply = AIMessage(said.text)
        elif said.text.endswith("?"):
            reply = _call("recall", question=said.text)
        else:
            reply = _call("remember", fact=said.text)
        return ChatResult(generations=[ChatGeneration(message=reply)])


def _call(name: str, **arguments: str) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": f"call_{uuid4().hex}"}])


def main() -> None:
    """Tell an agent three things, then ask about them in new conversations, as two users."""
    with (
        RedisSaver.from_conn_string(REDIS_URI) as checkpointer,
        RedisStore.from_conn_string(
            client=checkpointer.client,
            index={"dims": DIMS, "embed": SmallEmbedding(), "fields": ["text"]},
            store_prefix=f"example-{uuid4()}",
        ) as store,
    ):
        store.setup()
        agent = create_react_agent(
            AttentiveModel(), tools=[remember, recall], checkpointer=checkpointer, store=store
        )

        def say(user: str, thread: str, text: str) -> None:
            config = RunnableConfig(configurable={"thread_id": thread, "user_id": user})
            answer = agent.invoke({"messages": [("human", text)]}, config)["messages"][-1].text
            print(f"{user:4} {text:38} {answer}")

        threads = [f"example-{uuid4()}" for _ in range(4)]
        print("A first conversation")
        for fact in ("I am vegetarian.", "I play the guitar in a band.", "I like a window seat."):
            say("ann", threads[0], fact)
        print("\nOther conversations, other threads")
        say("ann", threads[1], "Which dish shall we cook for dinner?")
        say("ann", threads[2], "Can you book a flight for my holiday?")
        say("bob", threads[3], "Which dish shall we cook for dinner?")

        for thread in threads:
            checkpointer.delete_thread(thread)
        for item in store.search(("memories",)):
            store.delete(item.namespace, item.key)


if __name__ == "__main__":
    main()
