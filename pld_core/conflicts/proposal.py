"""What a teacher proposes for a group: actions on named rules, read strictly; what is refused is kept, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pld_core.canonical import Json, hash_json
from pld_core.conflicts.request import Shown
from pld_core.conflicts.rule_set import TrialRule
from pld_core.errors import InvalidInput
from pld_core.models import RuleText, Task
from pld_core.quality import restates_format
from pld_core.review import clean_rule_text
from pld_core.synthesis import short_id
from pld_core.wire import ConflictReply, ProposedAction, ProposedText


class ActionKind(StrEnum):
    """What can be proposed for rules; `takes` says how many rules it names and how many texts it takes."""

    KEEP = "keep"
    NARROW = "narrow"
    WIDEN = "widen"
    ADD_EXCEPTION = "add_exception"
    SPLIT = "split"
    MERGE = "merge"
    CHANGE_PRIORITY = "change_priority"
    RETIRE = "retire"
    NEW_RULE = "new_rule"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")

    @property
    def takes(self) -> tuple[int, int]:
        """(rules, texts)."""
        return _TAKES.get(self, (1, 1))

    @property
    def makes_rules(self) -> bool:
        """Whether its texts are rules of their own, not another text of the rule that is named."""
        return self in (ActionKind.SPLIT, ActionKind.MERGE, ActionKind.NEW_RULE)


_TAKES = {
    ActionKind.KEEP: (1, 0),
    ActionKind.RETIRE: (1, 0),
    ActionKind.SPLIT: (1, 2),
    ActionKind.MERGE: (2, 1),
    ActionKind.NEW_RULE: (0, 1),
}


class Refusal(StrEnum):
    """Why an action is not tried."""

    UNKNOWN_ACTION = "unknown_action"
    UNKNOWN_RULE = "unknown_rule"
    LOCKED = "locked"
    WRONG_NUMBER = "wrong_number"
    NO_RULE_TEXT = "no_rule_text"
    FORMAT = "format"
    NOT_AS_NAMED = "not_as_named"
    RESTS_ON_NOTHING = "rests_on_nothing"
    SAID_ALREADY = "said_already"


@dataclass(frozen=True)
class ProposedRule:
    """A text that an action brings, and the inputs of the call that it is for, by hash."""

    text: RuleText
    examples: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Json]:
        return {"text": self.text.as_json(), "examples": list(self.examples)}


@dataclass(frozen=True)
class Proposal:
    """One action of a reply.

    Attributes:
        group: hash of the group that the call was about.
        place: its place in the reply, from 0.
        round: of the loop, from 1; 0 until it is numbered.
        action: as the teacher named it; a value of `ActionKind` unless it is refused.
        rules: ids of the rules as the teacher named them.
        parents: hashes of the revisions of those rules, as far as they were in the call.
        texts: in the order of the reply, as given where the action is refused.
        examples: hashes of the inputs that it rests on, those of its texts included.
        ignored: ids that were in the reply and not in the call.
        makes: ids that its new rules have in trials.
        refusal: why it is not tried; None if it can be. `problem` is the same in words.
        flags: what a reviewer has to look at; see `flags.py`.
    """

    group: str
    place: int
    action: str
    rules: tuple[str, ...]
    parents: tuple[str, ...]
    texts: tuple[ProposedRule, ...]
    reason: str
    examples: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    round: int = 0
    refusal: Refusal | None = None
    problem: str = ""
    flags: tuple[str, ...] = ()

    @property
    def kind(self) -> ActionKind:
        """The action.

        Raises:
            ValueError: there is no such action; such a proposal is refused.
        """
        return ActionKind(self.action)

    @property
    def changes_rules(self) -> bool:
        """Whether there is something to try."""
        return self.refusal is None and self.action != ActionKind.KEEP

    @property
    def hash(self) -> str:
        """Content address of the proposal; what was found out about it later is no part of it."""
        return hash_json(
            {
                "round": self.round,
                "group": self.group,
                "place": self.place,
                "action": self.action,
                "rules": list(self.rules),
                "parents": list(self.parents),
                "texts": [one.as_json() for one in self.texts],
                "reason": self.reason,
                "examples": list(self.examples),
                "ignored": list(self.ignored),
                "makes": list(self.makes),
                "refusal": self.refusal.value if self.refusal else "",
            }
        )

    @property
    def words(self) -> str:
        """Such as `add exception to R3` or `new rule`."""
        return " ".join([self.action.replace("_", " "), *([" and ".join(self.rules)] if self.rules else [])])


class _Refused(Exception):
    """An action that cannot be tried; caught where it is read."""

    def __init__(self, refusal: Refusal, problem: str) -> None:
        super().__init__(problem)
        self.refusal = refusal


def proposals_of(task: Task, shown: Shown, reply: ConflictReply) -> tuple[Proposal, ...]:
    """Return every action of a reply, those that cannot be tried with the reason why."""
    return tuple(_proposal(task, shown, place, said) for place, said in enumerate(reply.actions))


def numbered(proposals: Sequence[Proposal], first: int, round_: int) -> tuple[tuple[Proposal, ...], int]:
    """Give proposals their round, and their new rules ids for trials, from `R<first>` on; return the next free number.

    A new rule has the same id in every trial, alone or together with others, so equal prompts stay equal.
    """
    found = []
    for proposal in proposals:
        made = len(proposal.texts) if proposal.changes_rules and proposal.kind.makes_rules else 0
        makes = tuple(f"R{first + part}" for part in range(made))
        found.append(replace(proposal, makes=makes, round=round_))
        first += made
    return tuple(found), first


def _proposal(task: Task, shown: Shown, place: int, said: ProposedAction) -> Proposal:
    names = {short_id(example.hash): example.hash for example in shown.examples}
    ids = [*said.examples, *(name for text in said.texts for name in text.examples)]
    there = {rule.id: rule for rule in shown.rules}
    rules = tuple(rule_id.strip("[]").upper() for rule_id in said.rules)
    raw = Proposal(
        group=shown.group.hash,
        place=place,
        action=said.action,
        rules=rules,
        parents=tuple(there[rule_id].revision.hash for rule_id in rules if rule_id in there),
        texts=tuple(ProposedRule(_as_given(text), _known(text.examples, names)) for text in said.texts),
        reason=said.reason,
        examples=_known(ids, names),
        ignored=tuple(dict.fromkeys(name for name in ids if name.strip("[]") not in names)),
    )
    try:
        _check_rules(raw, there)
        texts = tuple(replace(one, text=_cleaned(task, one.text)) for one in raw.texts)
        usable = replace(raw, texts=texts)
        _check_texts(usable, [there[rule_id] for rule_id in rules])
    except _Refused as refused:
        return replace(raw, refusal=refused.refusal, problem=str(refused))
    return usable


def _known(ids: Sequence[str], names: dict[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names[name.strip("[]")] for name in ids if name.strip("[]") in names))


def _as_given(said: ProposedText) -> RuleText:
    return RuleText(
        said.title, said.condition, (said.label,), tuple(said.exceptions), said.rationale, priority=said.priority
    )


def _check_rules(proposal: Proposal, there: dict[str, TrialRule]) -> None:
    if proposal.action not in set(ActionKind):
        raise _Refused(Refusal.UNKNOWN_ACTION, f"There is no action {proposal.action!r}.")
    if unknown := [rule_id for rule_id in proposal.rules if rule_id not in there]:
        raise _Refused(Refusal.UNKNOWN_RULE, f"The call was not about {unknown[0]}.")
    rules, texts = proposal.kind.takes
    if len(set(proposal.rules)) != rules or len(proposal.rules) != rules or len(proposal.texts) != texts:
        raise _Refused(
            Refusal.WRONG_NUMBER,
            f"{proposal.kind.words} names {rules} rules with {texts} texts, not {len(proposal.rules)} with "
            f"{len(proposal.texts)}.",
        )
    if proposal.kind is ActionKind.KEEP:
        return
    if locked := [rule_id for rule_id in proposal.rules if there[rule_id].locked]:
        raise _Refused(Refusal.LOCKED, f"{locked[0]} is locked by a reviewer. The argument is kept.")
    if not proposal.examples:
        raise _Refused(Refusal.RESTS_ON_NOTHING, "It rests on no input of the call.")


def _cleaned(task: Task, text: RuleText) -> RuleText:
    if any(restates_format(part) for part in (text.condition, *text.exceptions)):
        raise _Refused(Refusal.FORMAT, "It speaks of the answer's format, which the compiler alone decides.")
    try:
        return clean_rule_text(text, task.label_names)
    except InvalidInput as error:
        first = str(error).partition(" Nothing was saved")[0]
        raise _Refused(Refusal.NO_RULE_TEXT, f"Its text is no rule: {first}") from error


def _check_texts(proposal: Proposal, named: Sequence[TrialRule]) -> None:
    """Refuse an action whose texts do something else than its name says: a reviewer reads the name first."""
    kind, texts = proposal.kind, [one.text for one in proposal.texts]
    if kind in (ActionKind.KEEP, ActionKind.RETIRE, ActionKind.NEW_RULE):
        return
    old = named[0].text
    if kind is ActionKind.SPLIT:
        fits = texts[0] != texts[1] and {label for text in texts for label in text.labels} <= set(old.labels)
    elif kind is ActionKind.MERGE:
        fits = set(texts[0].labels) <= {label for rule in named for label in rule.text.labels}
    elif kind is ActionKind.ADD_EXCEPTION:
        same = (texts[0].condition, texts[0].labels, texts[0].priority) == (old.condition, old.labels, old.priority)
        fits = same and set(texts[0].exceptions) > set(old.exceptions)
    elif kind is ActionKind.CHANGE_PRIORITY:
        said, was = (text.as_json() | {"priority": 0, "rationale": "", "title": ""} for text in (texts[0], old))
        fits = said == was and texts[0].priority != old.priority
    else:
        fits = texts[0].labels == old.labels and texts[0].as_json() != old.as_json()
    if not fits:
        raise _Refused(Refusal.NOT_AS_NAMED, f"Its text does something else than {kind.words}, or changes nothing.")
