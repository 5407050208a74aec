"""What the rest needs from a store, as protocols, one a subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from pld_core.canonical import Json
from pld_core.effect_ports import EffectStore
from pld_core.guideline import GuidelineVersion
from pld_core.lineage import EvidenceUpdate, RuleTrace, StandingRule, UpdateCount
from pld_core.model_ports import Vectors
from pld_core.models import (
    ANYBODY,
    Actor,
    Answer,
    ClusterParams,
    ClusterPoint,
    CompiledPrompt,
    CompiledRule,
    Decision,
    Event,
    Example,
    Job,
    Judgement,
    Label,
    MicroInstruction,
    Prediction,
    PromptVersion,
    Revision,
    RevisionState,
    Role,
    RoleChange,
    RuleDossier,
    RuleSummary,
    RuleText,
    Run,
    Split,
    Task,
)
from pld_core.overlaps import Overlap, OverlapPair
from pld_core.policy import Policy, PolicyChange
from pld_core.publishing import PublishedModel
from pld_core.records import (
    EVERY_EVENT,
    EVERY_EXAMPLE,
    EVERY_RULE,
    ChainReport,
    ColumnChoice,
    Dataset,
    EventFilter,
    ExampleFilter,
    ImportOutcome,
    ImportRow,
    LabelConflict,
    NewDataset,
    NewRule,
    Page,
    RuleFilter,
    Spend,
    StoredClustering,
    TaskCounts,
    TeacherCall,
)
from pld_core.review import Standing
from pld_core.signing import Signature
from pld_core.staleness import Effects

Progress = Callable[[int, int, str], None]
"""Long work reports (done, total, message); the call raises `JobCancelled` or `JobLost` when it must stop."""


class TaskStore(Protocol):
    def add(self, task: Task, actor: Actor) -> None: ...
    def get(self, name: str) -> Task: ...
    def all(self) -> tuple[Task, ...]: ...
    def counts(self, name: str) -> TaskCounts: ...
    def import_examples(self, task: str, examples: Sequence[Example], source: str, actor: Actor) -> ImportOutcome: ...
    def create_with_examples(
        self, task: Task, examples: Sequence[Example], source: str, actor: Actor
    ) -> ImportOutcome: ...
    def example(self, task: str, example_hash: str) -> Example: ...
    def examples(
        self, task: str, where: ExampleFilter = EVERY_EXAMPLE, page: Page | None = None
    ) -> tuple[Example, ...]: ...
    def count_examples(self, task: str, where: ExampleFilter = EVERY_EXAMPLE) -> int: ...
    def longest_input(self, task: str) -> int:
        """Return the size of the largest active example in bytes of UTF-8, 0 without any."""
        ...

    def split_table(self, task: str) -> dict[tuple[Split, str], int]: ...


class DataStore(Protocol):
    """Data sets: what was imported from which file, and what became of it."""

    def add(self, task: Task, dataset: NewDataset, rows: Iterable[ImportRow], actor: Actor) -> tuple[Dataset, int]:
        """Import a data set in one transaction and return it with the number of examples that were new.

        The task is made if there is none of its name. The same file with the same params whose data set is still active
        is returned as it is, with 0. An example that is there already keeps its split. Examples whose text now stands
        there with two labels become `conflict`.

        Raises:
            InvalidInput: a label that the task does not declare, or a field that it needs and the example lacks.
        """
        ...

    def get(self, dataset_id: int) -> Dataset: ...
    def all(self, task: str) -> tuple[Dataset, ...]:
        """Return the data sets of a task that are not deleted, newest first."""
        ...

    def resting(self, dataset_id: int) -> tuple[str, ...]:
        """Return the ids of rules whose evidence would be lost with the data set, in the order of their numbers."""
        ...

    def archive(self, dataset_id: int, reason: str, actor: Actor) -> None:
        """Take its examples out of use, except those that another active data set holds too; they stay readable."""
        ...

    def restore(self, dataset_id: int, actor: Actor) -> None: ...
    def delete(self, dataset_id: int, reason: str, actor: Actor) -> None:
        """Delete its examples, except those that another data set holds too; its record and report stay.

        Raises:
            DataInUse: rules, instructions or predictions rest on its examples; archiving is the way out.
        """
        ...

    def conflicts(self, task: str, page: Page | None = None) -> tuple[LabelConflict, ...]:
        """Return the unsettled label conflicts, oldest first."""
        ...

    def count_conflicts(self, task: str) -> int: ...
    def settle(self, task: str, text_hash: str, keep: str, reason: str, actor: Actor) -> None:
        """Settle a conflict: the example with hash `keep` becomes active (empty: none), the others are withdrawn.

        Raises:
            NotFound: no such unsettled conflict, or `keep` is none of its examples.
            MissingReason: the reason is empty.
        """
        ...

    def resplit(self, task: str, splits: Mapping[str, Split], seed: int, actor: Actor) -> int:
        """Give examples (by hash) new splits; return how many changed. Those not named keep theirs.

        Raises:
            DataInUse: an example with an instruction would leave train.
        """
        ...

    def instructed(self, task: str) -> frozenset[str]:
        """Return the hashes of the examples that an instruction was made from; they have to stay in train."""
        ...

    def remember_columns(self, shape: str, choice: Mapping[str, Json], actor: Actor) -> None: ...
    def remembered_columns(self, shape: str) -> ColumnChoice | None: ...
    def rules_of(self, task: str, example_hash: str) -> tuple[str, ...]:
        """Return the ids of rules with the example in the evidence of their newest revision."""
        ...


class LogicStore(Protocol):
    """Teacher calls, micro-instructions and clusterings: the way from examples to rules."""

    def record_calls(self, task: str, calls: Sequence[tuple[TeacherCall, MicroInstruction | None]]) -> None:
        """Record calls, each with the instruction that was read from it, in one transaction.

        An example that has an instruction keeps it.
        """
        ...

    def stored_replies(self, request_hashes: Sequence[str]) -> dict[str, str]:
        """Return the usable replies to those of the requests that have one, by request hash."""
        ...

    def in_batches(self, task: str) -> frozenset[str]:
        """Return the hashes of requests in open batches of a task that have no record yet; they are not to be sent."""
        ...

    def last_run(self, task: str, purpose: str) -> str | None:
        """Return the run of the newest call for a purpose, empty if it was made for none; None without any call."""
        ...

    def failed_calls(self, task: str) -> tuple[TeacherCall, ...]: ...
    def measured_calls(self, task: str, teacher: str, template_hash: str, limit: int = 50) -> tuple[TeacherCall, ...]:
        """Return the newest usable calls of a teacher with a template, newest first."""
        ...

    def spend(self, task: str, run: str = "") -> Spend:
        """Return what the calls of a task took, or those of one run."""
        ...

    def add_instruction(self, task: str, instruction: MicroInstruction) -> None: ...
    def instructions(self, task: str) -> tuple[MicroInstruction, ...]: ...
    def active_instructions(self, task: str) -> tuple[MicroInstruction, ...]:
        """Return the instructions of the examples that take part, the ones to cluster, in the order of the examples."""
        ...

    def add_clustering(
        self, task: str, params: ClusterParams, points: Sequence[ClusterPoint], actor: Actor
    ) -> StoredClustering: ...
    def clusterings(self, task: str) -> tuple[StoredClustering, ...]: ...
    def clustering(self, clustering_id: int) -> StoredClustering: ...


class EmbeddingStore(Protocol):
    """Vectors of texts by model: a cache, so that no text is sent to the same model twice."""

    def known(self, model: str, text_hashes: Sequence[str]) -> frozenset[str]:
        """Return which of the texts have a vector."""
        ...

    def vectors(self, model: str, text_hashes: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors (dimensions,) of those of the texts that have one, by hash."""
        ...

    def since(self, model: str, text_hash: str) -> str:
        """Return when the text was embedded, empty if it is not: it tells vectors from those before `forget`."""
        ...

    def record(self, task: str, calls: Sequence[tuple[TeacherCall, Mapping[str, Vectors]]]) -> None:
        """Record calls, each with the vectors that it brought by text hash, in one transaction.

        A text that has a vector of the model keeps it.
        """
        ...

    def forget(self, model: str, actor: Actor) -> int:
        """Drop every vector of a model and return how many there were; the records of its calls stay."""
        ...


class RuleStore(Protocol):
    def propose(self, task: str, rule: NewRule, actor: Actor) -> str | None:
        """Store a proposed rule and return its id, or None if its origin already has one."""
        ...

    def submit(self, rule_id: str, actor: Actor) -> None: ...
    def promote(self, task: str, rule: NewRule, actor: Actor) -> str:
        """Store a rule that a person made of one noise point, bring it into review, and return its id.

        Raises:
            InvalidInput: the example is no noise of that clustering or takes no part any more, a rule rests on it alone
                already, or its author is not the actor.
            MissingRole: the actor may not bring rules into review.
        """
        ...

    def judge(self, judgement: Judgement, actor: Actor) -> Decision: ...
    def edit(
        self, rule_id: str, seen_revision: str, seen_state: RevisionState, text: RuleText, note: str, actor: Actor
    ) -> Revision: ...
    def queue(
        self, task: str, where: RuleFilter = EVERY_RULE, page: Page | None = None, actor: Actor = ANYBODY
    ) -> tuple[RuleSummary, ...]:
        """Return rules in the order of the queue, each as the actor may see it now."""
        ...

    def count(self, task: str, where: RuleFilter = EVERY_RULE) -> int: ...
    def summary(self, rule_id: str, actor: Actor = ANYBODY) -> RuleSummary: ...
    def neighbours(self, rule_id: str, where: RuleFilter = EVERY_RULE) -> tuple[str | None, str | None]:
        """Return the ids before and after the rule in the filtered queue, None at the ends."""
        ...

    def dossier(self, rule_id: str, actor: Actor) -> RuleDossier:
        """Return everything about a rule that the actor may see of it now."""
        ...

    def signatures(self, decisions: Sequence[Decision]) -> dict[int, Signature]:
        """Return what was recorded with the signature of each of these decisions, by its number."""
        ...

    def standing(self, rule_id: str) -> Standing:
        """Return what the guard knows of the newest revision."""
        ...

    def origins(self, task: str) -> frozenset[str]: ...
    def in_force(self, task: str) -> tuple[tuple[Revision, CompiledRule, int], ...]:
        """Return (approved revision, its manifest line numbered 0, number of supporting examples) for each rule."""
        ...


class LineageStore(Protocol):
    """What rules rest on, how that changes, and which rules overlap."""

    def enter(self, task: str, rules: Sequence[NewRule], actor: Actor) -> tuple[str, ...]:
        """Store the rules of one reply and bring them into review, all or none; return their ids.

        A rule whose origin has one already is left out.
        """
        ...

    def standing(self, task: str) -> tuple[StandingRule, ...]:
        """Return all rules of a task as they stand, in the order of their numbers."""
        ...

    def update(self, task: str, updates: Sequence[EvidenceUpdate], active: frozenset[str], actor: Actor) -> UpdateCount:
        """Give rules their new evidence where `lineage.takes_over` says so, and note what they go on as.

        An approved revision goes stale by it, half a decision (a first approval, a dispute) is begun again. A rule
        whose labels changed meanwhile is left alone. Evidence and decisions so far are kept.
        """
        ...

    def trace(self, rule_id: str, actor: Actor = ANYBODY) -> RuleTrace:
        """Return where a rule comes from, and the changes of its evidence that the actor may see now."""
        ...

    def note_overlaps(self, task: str, compared: Sequence[str], overlaps: Sequence[Overlap]) -> None:
        """Replace the overlaps of a task; `compared` are the hashes of the revisions that were looked at.

        What was approved without knowing a rule that is found now to overlap it goes stale.
        """
        ...

    def overlaps(self, task: str, rule_id: str = "") -> tuple[OverlapPair, ...]:
        """Return the overlaps of live rules whose newest revisions were compared, closest first."""
        ...

    def uncompared(self, task: str) -> tuple[str, ...]:
        """Return the ids of live rules whose newest revision was not compared with the others yet."""
        ...


class PromptStore(Protocol):
    def save(self, prompt: CompiledPrompt, actor: Actor) -> PromptVersion: ...
    def get(self, task: str, number: int) -> PromptVersion: ...
    def all(self, task: str) -> tuple[PromptVersion, ...]: ...
    def record_publication(self, task: str, number: int, made: PublishedModel, reason: str, actor: Actor) -> None: ...
    def publications(self, task: str, number: int) -> tuple[PublishedModel, ...]:
        """Return what a version was published as, newest first."""
        ...


class RunStore(Protocol):
    def start(self, run: Run, actor: Actor) -> Run: ...
    def get(self, run_id: int) -> Run: ...
    def all(self, task: str) -> tuple[Run, ...]: ...
    def add_predictions(self, run_id: int, predictions: Sequence[Prediction]) -> None:
        """Store answers in one transaction; the first to an example stays."""
        ...

    def predictions(self, run_id: int) -> tuple[Prediction, ...]: ...
    def finish(self, run_id: int, summary: Mapping[str, Json], actor: Actor) -> None:
        """Append the figures of a complete run to the audit chain, once."""
        ...

    def record_live_test(
        self, task: str, prompt_sha256: str, student: str, sent: Mapping[str, Json], answer: Answer, actor: Actor
    ) -> None: ...


class JobStore(Protocol):
    def enqueue(self, kind: str, task: str, params: Mapping[str, Json], actor: Actor) -> Job: ...
    def get(self, job_id: int) -> Job: ...
    def recent(self, task: str = "", limit: int = 20) -> tuple[Job, ...]: ...
    def claim(self, owner: str, lease_s: float) -> Job | None: ...
    def beat(self, job_id: int, owner: str) -> Job: ...
    def progress(self, job_id: int, owner: str, done: int, total: int, message: str) -> None: ...
    def defer(self, job_id: int, owner: str, seconds: float, message: str) -> None: ...
    def finish(self, job_id: int, owner: str, state: str, message: str) -> None: ...
    def request_cancel(self, job_id: int, actor: Actor) -> None: ...
    def resume(self, job_id: int, actor: Actor) -> None: ...


class RoleStore(Protocol):
    """Who holds which role: granted and revoked, never overwritten."""

    def held(self, person: str) -> frozenset[Role]:
        """Return the roles that a person holds now."""
        ...

    def holders(self) -> tuple[RoleChange, ...]:
        """Return the grants in force, by person and role."""
        ...

    def history(self) -> tuple[RoleChange, ...]:
        """Return every grant and revocation, newest first."""
        ...

    def grant(self, person: str, role: Role, reason: str, actor: Actor) -> RoleChange:
        """Grant a role. While there is no admin, the local user may grant the first; it is recorded as such.

        Raises:
            MissingRole: the actor is no admin.
            InvalidInput: not a name, or the person holds the role already.
        """
        ...

    def revoke(self, person: str, role: Role, reason: str, actor: Actor) -> RoleChange:
        """Revoke a role.

        Raises:
            MissingRole: the actor is no admin.
            MissingReason: the reason is empty.
            LastAdmin: nobody could grant roles any more.
            NotFound: the person does not hold the role by a grant.
        """
        ...


class PolicyStore(Protocol):
    """What each task's reviews have to follow; every change is kept."""

    def of(self, task: str) -> Policy:
        """Return the policy in force."""
        ...

    def history(self, task: str) -> tuple[PolicyChange, ...]:
        """Return every change, newest first."""
        ...

    def change(self, task: str, seen: Policy, policy: Policy, reason: str, actor: Actor) -> PolicyChange:
        """Set another policy; `seen` is the one that the person looked at.

        Raises:
            MissingRole: the actor is no admin.
            PolicyMovedOn: somebody changed it meanwhile.
            InvalidInput: a policy that cannot be, or the one in force.
            MissingReason: no reason.
        """
        ...


class GuidelineStore(Protocol):
    """The guideline of each task; every version is kept."""

    def current(self, task: str) -> GuidelineVersion: ...
    def history(self, task: str) -> tuple[GuidelineVersion, ...]:
        """Return every version, newest first."""
        ...

    def effects(self, task: str, text: str) -> Effects:
        """Return what another text would make of the decisions of the task; nothing is changed."""
        ...

    def change(
        self, task: str, seen_version: int, text: str, reason: str, actor: Actor
    ) -> tuple[GuidelineVersion, Effects]:
        """Set another guideline and mark stale what was decided under the old one, in one transaction.

        Raises:
            GuidelineMovedOn: `seen_version` is not in force any more.
            InvalidInput: no text, one that is too long, or the one in force.
            MissingReason: no reason.
        """
        ...


class LabelStore(Protocol):
    """The label set of each task."""

    def effects(self, task: str, labels: tuple[Label, ...]) -> Effects:
        """Return what another label set would make of the decisions of the task; nothing is changed.

        Raises:
            InvalidInput: the label set cannot be.
            DataInUse: rules or examples use a label that is not in it.
        """
        ...

    def change(
        self, task: str, seen: tuple[Label, ...], labels: tuple[Label, ...], reason: str, actor: Actor
    ) -> Effects:
        """Set another label set and mark stale what was decided with the old one, in one transaction.

        Raises:
            LabelsMovedOn: `seen` is not in force any more.
            InvalidInput: a label set that cannot be, or the one in force.
            DataInUse: rules or examples use a label that would be removed.
            MissingReason: no reason.
        """
        ...


class EventStore(Protocol):
    def page(
        self, where: EventFilter = EVERY_EVENT, page: Page | None = None, actor: Actor = ANYBODY
    ) -> tuple[Event, ...]:
        """Return events, newest first; of what is kept from the actor only that there is something.

        Such an event is found by its rule alone: a filter on anything else would tell of its content.
        """
        ...

    def count(self, where: EventFilter = EVERY_EVENT, actor: Actor = ANYBODY) -> int: ...
    def kinds(self) -> tuple[str, ...]: ...
    def actors(self) -> tuple[str, ...]: ...
    def record_with(
        self, kind: str, actor: Actor, change: Callable[[], Mapping[str, dict[str, Json]]], undo: Callable[[], None]
    ) -> None: ...
    def verify(self) -> ChainReport: ...


class Store(Protocol):
    """The workspace's database. Every method is one transaction; writes append their event in the same one."""

    @property
    def tasks(self) -> TaskStore: ...
    @property
    def data(self) -> DataStore: ...
    @property
    def logic(self) -> LogicStore: ...
    @property
    def embeddings(self) -> EmbeddingStore: ...
    @property
    def rules(self) -> RuleStore: ...
    @property
    def lineage(self) -> LineageStore: ...
    @property
    def prompts(self) -> PromptStore: ...
    @property
    def runs(self) -> RunStore: ...
    @property
    def effects(self) -> EffectStore: ...
    @property
    def jobs(self) -> JobStore: ...
    @property
    def policies(self) -> PolicyStore: ...
    @property
    def guidelines(self) -> GuidelineStore: ...
    @property
    def labels(self) -> LabelStore: ...
    @property
    def roles(self) -> RoleStore: ...
    @property
    def events(self) -> EventStore: ...
