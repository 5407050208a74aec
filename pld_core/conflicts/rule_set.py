"""The rules of a trial: the approved ones, with proposed revisions in their place. Never stored as a prompt version."""

from __future__ import annotations

from dataclasses import dataclass

from pld_core.compilation import compile_trial
from pld_core.models import CompiledPrompt, CompiledRule, Evidence, EvidenceRole, Revision, RuleText, Task
from pld_core.prompt_order import Candidate


@dataclass(frozen=True)
class TrialRule:
    """A revision in a trial and what it rests on.

    Attributes:
        decision_id: of the approval; 0 for a revision that nobody approved.
        locked: a reviewer said that it is not to be changed.
        in_force: False for one that went out of force as somebody ticked an example against it: it can be repaired, and
            stands in no prompt until it is.
    """

    revision: Revision
    evidence: tuple[Evidence, ...]
    decision_id: int = 0
    locked: bool = False
    in_force: bool = True

    @property
    def id(self) -> str:
        return self.revision.rule_id

    @property
    def text(self) -> RuleText:
        return self.revision.text

    @property
    def supports(self) -> tuple[str, ...]:
        """Hashes of the supporting examples, in the order of the evidence."""
        return tuple(e.example_hash for e in self.evidence if e.role is EvidenceRole.SUPPORTS)

    @property
    def is_ticked_against(self) -> bool:
        """Whether somebody ticked an example as contradicting it."""
        return any(e.role is EvidenceRole.CONTRADICTS and e.ticked_by for e in self.evidence)

    @property
    def candidate(self) -> Candidate:
        revision = self.revision
        return revision, CompiledRule(0, revision.rule_id, revision.hash, self.decision_id), len(self.supports)


@dataclass(frozen=True)
class RuleSet:
    """The rules of one trial prompt, in any order: the compiler orders them by rank."""

    rules: tuple[TrialRule, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(rule.id for rule in self.rules)

    @property
    def in_force(self) -> tuple[TrialRule, ...]:
        """The rules that stand in the prompt."""
        return tuple(rule for rule in self.rules if rule.in_force)

    def rule(self, rule_id: str) -> TrialRule:
        """Return the rule of this id.

        Raises:
            KeyError: it is not in the set.
        """
        return {rule.id: rule for rule in self.rules}[rule_id]

    def concluding(self, label: str) -> tuple[TrialRule, ...]:
        """Return the rules in force that conclude a label, those with most support first."""
        found = [rule for rule in self.in_force if label in rule.text.labels]
        return tuple(sorted(found, key=lambda rule: (-len(rule.supports), len(rule.id), rule.id)))

    def prompt(self, task: Task) -> CompiledPrompt:
        """Compile the trial prompt; sets of equal words have equal prompts, whoever wrote them."""
        return compile_trial(task, [rule.candidate for rule in self.in_force])
