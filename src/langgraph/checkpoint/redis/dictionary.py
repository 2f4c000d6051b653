r"""What small pieces have in common: the names that LangGraph and LangChain write into nearly all of them.

A message of 300 characters is serialized with 180 bytes of class and field names around it, the reply of a
provider with 500 and more, a checkpoint's record is little else. zstd refers to them where they stand here.
They are spelled as LangGraph's serializer spells them, in MessagePack: ``\xa4type`` is a text of four bytes,
``\x83`` begins a map of three. The nearer to the end, the cheaper a part is to refer to: what most have
stands last.

Never change it: what is stored was compressed against these very bytes. Another one needs another flag in
`compression`.
"""

from __future__ import annotations

from typing import Final

_NOW_AND_THEN: Final = (
    b"\xaclc_run--\xadAIMessageChunk\xabchunk_position\xadRemoveMessage\xa6remove\xaefunction_call",
    b"\xa9arguments",
    b"\xaelangchain_core.documents.base\xa8Document\x84\xa2id\xc0\xa8metadata\x82\xa6source\xa4page",
    b"\xa5title",
    b"\xacpage_content\xa4type\xa8Document\xa8datetime\xadfromisoformat\xa7decimal\xa7Decimal\xa4uuid",
    b"\xa4UUID",
    b"\x82\xa4type\xa9image_url\xa9image_url\x81\xa3url\xd9data:image/png;base64,\xa9mime_type",
    b"\xacsource_type",
    b"\x82\xa4type\xa8thinking\xa8thinking\xa9signature\xa9reasoning\xa7summary\xabannotations\x90",
    b"\xa5index\x00",
    b"\x82\xa4type\xa4text\xa4text\xda\x01\x84\xa4type\xa8tool_use\xa2id\xbetoolu_01\xa4name\xa5input",
    b"\x81\xa5query",
    b"\xa8messages\x91\x82\xa4role\xa4user\xa7content\x82\xa4role\xa9assistant\x91\x92\xa6system\x91\x92",
    b"\xa4user",
)

_OF_LANGGRAPH: Final = (
    b"\x93\xaflanggraph.types\xa9Overwrite\x81\xa5value\x93\xaflanggraph.types\xa7Command",
    b"\x84\xa5graph\xc0\xa6update\xc0\xa6resume\xc0\xa4goto\x90",
    b"\x93\xaflanggraph.types\xa4Send\x92\xa5tools\x83\xa6__type\xb6tool_call_with_context\xa9tool_call",
    b"\x84\xa4name\xa4args\x81\xa5state\x82\xa8messages\x92\xafremaining_steps\xcd\x27\x0f",
    b"\x93\xaflanggraph.types\xa9Interrupt\x83\xa5value\x82\xa6action\xa8question\xa2id\xd9\x20",
    b"\xafresponse_schema\xc0",
)

_OF_PROVIDERS: Final = (
    b"\xafprompt_feedback\x82\xacblock_reason\x00\xaesafety_ratings\x90\xadfinish_reason\xa4STOP",
    b"\xaamodel_name",
    b"\xb0gemini-2.5-flash\xaemodel_provider\xacgoogle_genai",
    b"\xb1response_metadata\x87\xa2id\xbcmsg_01\xa5model\xb9claude-sonnet-4-5\xabstop_reason\xa8tool_use",
    b"\xabstop_reason",
    b"\xa8end_turn\xadstop_sequence\xc0\xa5usage\x87\xaecache_creation\x82\xb9ephemeral_1h_input_tokens",
    b"\x00",
    b"\xb9ephemeral_5m_input_tokens\x00\xbbcache_creation_input_tokens\x00\xb7cache_read_input_tokens",
    b"\x00",
    b"\xacinput_tokens\xadoutput_tokens\xafserver_tool_use\xc0\xacservice_tier\xa8standard",
    b"\xaemodel_provider\xa9anthropic",
    b"\xb1response_metadata\x88\xabtoken_usage\x85\xb1completion_tokens\xcc\xadprompt_tokens\xcd\x01",
    b"\xactotal_tokens",
    b"\xcd\x02\xb9completion_tokens_details\x84\xbaaccepted_prediction_tokens\x00\xacaudio_tokens\x00",
    b"\xb0reasoning_tokens\x00\xbarejected_prediction_tokens\x00\xb5prompt_tokens_details\x82",
    b"\xacaudio_tokens\x00",
    b"\xadcached_tokens\x00\xaemodel_provider\xa6openai\xaamodel_name\xb6gpt-4o-mini-2024-07-18",
    b"\xb2system_fingerprint\xadfp_\xa2id\xd9\x26chatcmpl-\xacservice_tier\xa7default\xadfinish_reason",
    b"\xaatool_calls",
    b"\xadfinish_reason\xa4stop\xa8logprobs\xc0",
)

_MESSAGES: Final = (
    b"\x94\xbelangchain_core.messages.system\xadSystemMessage\x86\xa7content\xa4type\xa6system",
    b"\x94\xbclangchain_core.messages.tool\xabToolMessage\x89\xa7content\xda\x01",
    b"\xa4type\xa4tool\xa4name\xa2id\xd9\x24\xactool_call_id\xbdcall_\xa8artifact\xc0\xa6status\xa5error",
    b"\xa8artifact\xc0\xa6status\xa7success\xb3model_validate_json",
    b"\x94\xbdlangchain_core.messages.human\xacHumanMessage\x86\xa7content\xda\x01",
    b"\xb1additional_kwargs\x80\xb1response_metadata\x80\xa4type\xa5human\xa4name\xc0\xa2id\xd9\x24",
    b"\xb3model_validate_json",
    b"\x94\xbalangchain_core.messages.ai\xa9AIMessage\x89\xa7content\xa0\xb1additional_kwargs\x81",
    b"\xa7refusal\xc0\xa7content\xda\x01",
    b"\xb1additional_kwargs\x80\xb1response_metadata\x80\xa4type\xa2ai\xa4name\xc0\xa2id\xd9",
    b"\x2elc_run--01",
    b"\xaatool_calls\x91\x84\xa4name\xa4args\x81\xa2id\xbdcall_\xa4type\xa9tool_call",
    b"\xaatool_calls\x90\xb2invalid_tool_calls\x90\xaeusage_metadata\x85\xacinput_tokens\xcd\x01",
    b"\xadoutput_tokens\xcc",
    b"\xactotal_tokens\xcd\x02\xb3input_token_details\x82\xa5audio\x00\xaacache_read\x00",
    b"\xb4output_token_details\x82",
    b"\xa5audio\x00\xa9reasoning\x00",
    b"\xaatool_calls\x90\xb2invalid_tool_calls\x90\xaeusage_metadata\xc0\xb3model_validate_json",
)

_OF_CHECKPOINTS: Final = (
    b"\xa8graph_id\xacassistant_id\xa9thread_id\xaclanggraph_auth_user_id\xa6run_id\xd9\x24\xa7user_id",
    b"\xa6source\xa6update\xa6source\xa4fork",
    b"\xad__interrupt__\x83\xa8messages\xd9\x2b00000000000000000000000000000000.",
    b"\x93\x86\xa1v\x04\xa2ts\xd9\x20202-00-00T00:00:00.000000+00:00\xa2id\xd9\x241f-0-6-8-",
    b"\xb0channel_versions\x84",
    b"\xa9__start__\xd9\x2b00000000000000000000000000000001.\xa8messages\xd9",
    b"\x2b00000000000000000000000000000002.",
    b"\xafbranch:to:agent\xafbranch:to:model\xd9\x2b00000000000000000000000000000003.",
    b"\xae__pregel_tasks\xd9\x2b00000000000000000000000000000001.",
    b"\xadversions_seen\x84\xa9__input__\x80\xa9__start__\x81\xa9__start__\xd9",
    b"\x2b00000000000000000000000000000001.",
    b"\xa5agent\x81\xafbranch:to:agent\xd9\x2b00000000000000000000000000000001.\xa5model\x81",
    b"\xafbranch:to:model",
    b"\xd9\x2b00000000000000000000000000000000.\xa5tools\x80\xb0updated_channels\x93\xa9__start__",
    b"\xae__pregel_tasks",
    b"\xafbranch:to:model\xafbranch:to:agent\xa8messages\x91\xa9__start__\x81\xae__pregel_tasks\x90",
    b"\x82\xafbranch:to:agent\xc0\xae__pregel_tasks\x90\x83\xa6source\xa5input\xa4step\xff\xa7parents",
    b"\x80",
    b"\x83\xa6source\xa4loop\xa4step\x02\xa7parents\x80",
)

DICTIONARY: Final = b"".join((*_NOW_AND_THEN, *_OF_LANGGRAPH, *_OF_PROVIDERS, *_MESSAGES, *_OF_CHECKPOINTS))
