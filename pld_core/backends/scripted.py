"""A teacher that replies from a script: hand-written replies, found by purpose and example, never by prompt text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from pld_core.backends.scripted_repairs import ScriptedRepair, repaired
from pld_core.canonical import canonical_json
from pld_core.errors import ReplyUnusable
from pld_core.model_ports import BackendStatus, ChatReply, ChatRequest
from pld_core.synthesis import short_id

CAUTION = "Scripted teacher: replies written for this demo. It knows the demo's training examples and nothing else."


@dataclass(frozen=True)
class ScriptedSynthesis:
    """The rule for a cluster that mostly holds `examples`.

    Attributes:
        reply: the rule's JSON without its conflicts.
        conflicts: examples of other labels that the rule gets wrong; those in the request are named in the reply.
    """

    examples: frozenset[str]
    reply: Mapping[str, str | int | list[str]]
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Script:
    """What a scripted teacher knows: a reply text by example hash, merged rules and repairs by example set."""

    extraction: Mapping[str, str]
    synthesis: Sequence[ScriptedSynthesis]
    repairs: Sequence[ScriptedRepair] = ()


class ScriptedChat:
    """A `Chat` over a `Script`. Costs nothing, needs no network; unknown examples are refused, never made up."""

    def __init__(self, name: str, script: Script) -> None:
        self._name, self._script = name, script

    @property
    def name(self) -> str:
        return self._name

    async def status(self) -> BackendStatus:
        return BackendStatus(self._name, "Scripted teacher", ready=True, model=self._name, caution=CAUTION)

    async def complete(self, request: ChatRequest) -> ChatReply:
        say = {"extraction": self._extraction, "conflict": self._conflict}.get(request.purpose, self._synthesis)
        return ChatReply(text=say(request), model=self._name, finish="stop", latency_ms=0)

    async def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        reply = await self.complete(request)
        yield reply.text
        yield reply

    async def aclose(self) -> None:
        """Nothing is held open."""

    def _extraction(self, request: ChatRequest) -> str:
        for subject in request.subjects:
            if subject in self._script.extraction:
                return self._script.extraction[subject]
        raise ReplyUnusable("The scripted teacher has no reply for this example; it only knows the demo's own.")

    def _synthesis(self, request: ChatRequest) -> str:
        members = set(request.subjects)
        best = max(self._script.synthesis, key=lambda entry: len(entry.examples & members), default=None)
        if request.purpose != "synthesis" or best is None or not best.examples & members:
            raise ReplyUnusable("The scripted teacher has no reply for this cluster; it only knows the demo's own.")
        conflicts = [short_id(example) for example in best.conflicts if example in request.nearby]
        return canonical_json({"rules": [{**best.reply, "conflicts": conflicts}]})

    def _conflict(self, request: ChatRequest) -> str:
        said = repaired(self._script.repairs, request)
        if said is None:
            raise ReplyUnusable("The scripted teacher has no reply for failures that no rule comes near.")
        return canonical_json(said)
