"""What the pipeline needs from the outside: a model to talk to, an embedder, a store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pld_core.canonical import Json
from pld_core.errors import Failure
from pld_core.lineage import EvidenceUpdate, RuleTrace, StandingRule, UpdateCount
from pld_core.models import (
    Actor,
    Answer,
    AuthorKind,
    ClusterParams,
    ClusterPoint,
    CompiledPrompt,
    CompiledRule,
    Decision,
    Event,
    Evidence,
    EvidenceRole,
    Example,
    ExampleState,
    Job,
    Judgement,
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

Progress = Callable[[int, int, str], None]
"""Long work reports (done, total, message); the call raises `JobCancelled` or `JobLost` when it must stop."""

# --- models -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ChatRequest:
    """One call to a model.

    Attributes:
        system: the static part; comes first so that servers can keep its prefix.
        user: the changing part; comes last.
        purpose: `extraction`, `synthesis` or `student`; recorded with the call.
        subjects: content hashes of the examples that the call is about.
        nearby: content hashes of examples that are only shown for contrast.
        schema: JSON schema that the reply must follow, or None for free text.
        max_tokens: most tokens of the reply, at least 1.
        seed, temperature: 0.0 and a fixed seed make a call repeatable where the server allows it.
    """

    system: str
    user: str
    purpose: str
    subjects: tuple[str, ...] = ()
    nearby: tuple[str, ...] = ()
    schema: Mapping[str, Json] | None = None
    max_tokens: int = 512
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class ChatReply:
    """A whole reply and what the server said about it; None where it did not say.

    Attributes:
        finish: `stop`, or `length` when the reply was cut at `max_tokens`.
        latency_ms: wall time from sending to the last token.
        cached_tokens: tokens of the prompt that came from the server's prefix cache.
        context_size: tokens that the context window holds.
        load_ms, prompt_ms, output_ms: the server's own split of the time.
    """

    text: str
    model: str
    finish: str
    latency_ms: int
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    context_size: int | None = None
    load_ms: int | None = None
    prompt_ms: int | None = None
    output_ms: int | None = None


@dataclass(frozen=True)
class BackendStatus:
    """Whether a backend can answer right now, and what to do if it cannot.

    Attributes:
        name: as commands and settings spell it, such as `ollama:gemma3:4b`.
        title: for people.
        ready: a call can be made now.
        problem: one sentence, empty when ready.
        fix: the exact command that helps, empty if none does.
        model: the model's name on the server.
        digest: what identifies its weights, as exact as the server tells; empty if it does not.
        caution: a plain word on what to expect of it; empty if there is nothing to say.
        context_size: tokens that prompt, input and answer share; None if unknown.
    """

    name: str
    title: str
    ready: bool
    model: str
    problem: str = ""
    fix: str = ""
    digest: str = ""
    caution: str = ""
    context_size: int | None = None


class Chat(Protocol):
    """A model that answers. Built once, used for many calls, closed at the end.

    `complete` and `stream` raise `BackendUnreachable`, `ModelMissing`, `BackendBusy`, `BackendRefused`,
    `PromptTooLong` or `ReplyUnusable`, never the client library's own errors. A reply cut at `max_tokens` comes back
    with finish `length`.
    """

    @property
    def name(self) -> str: ...

    async def status(self) -> BackendStatus:
        """Look whether a call would work. Never raises for a server that is down; that is the answer."""
        ...

    async def complete(self, request: ChatRequest) -> ChatReply: ...

    def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        """Yield pieces of text as they come, and the whole `ChatReply` last. Close it early to stop the server."""
        ...

    async def aclose(self) -> None: ...


Vectors = npt.NDArray[np.float32]
"""(rows, dimensions), each row of length 1, or zeros where there is nothing to compare by."""


class Embedder(Protocol):
    """Turns texts into vectors, one row a text in the order of the texts, L2-normalised.

    A text without any known word gives zeros. `embed` raises what `Chat.complete` raises, and keeps what it got.
    """

    @property
    def name(self) -> str: ...

    async def status(self) -> BackendStatus:
        """Look whether texts could be embedded now. Never raises for a server that is down; that is the answer."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vectors: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True)
class EmbedRequest:
    """One call to an embedding model: at least one text, none of them blank."""

    texts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class EmbedReply:
    """The vectors of one call in the order of its texts, checked, and what the server said about it.

    Attributes:
        vectors: (texts, dimensions), rows of length 1.
        model: as the server named it.
        latency_ms: wall time from sending to the last byte.
        prompt_tokens: None if the server did not say.
        output_tokens: always 0; an embedding has none.
    """

    vectors: Vectors
    model: str
    latency_ms: int
    prompt_tokens: int | None = None
    output_tokens: int = 0


class EmbeddingModel(Protocol):
    """A model on a server that turns texts into vectors, one call at a time; `pld_core.embedding` makes an `Embedder`
    of it. Errors as those of `Chat`; an answer whose vectors cannot be used raises `VectorsUnusable`.
    """

    @property
    def name(self) -> str: ...
    async def status(self) -> BackendStatus: ...
    async def complete(self, request: EmbedRequest) -> EmbedReply: ...
    async def aclose(self) -> None: ...


# --- store ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """Which rows of a long list: `limit` rows from row `offset`, counted from 0."""

    offset: int = 0
    limit: int = 50


@dataclass(frozen=True)
class ExampleFilter:
    """Which examples. Empty strings and None mean any.

    Attributes:
        search: words that all have to stand in the text, in any order, case-insensitive; the last may be only begun.
        dataset: id of the data set that holds it, in any of its rows.
        personal: only those in which personal data were found.
        states: only those that take part, unless others are named; empty means any.
    """

    split: Split | None = None
    label: str = ""
    search: str = ""
    dataset: int | None = None
    personal: bool = False
    states: tuple[ExampleState, ...] = (ExampleState.ACTIVE,)


@dataclass(frozen=True)
class RuleFilter:
    """Which rules. An empty tuple of states means any; `search` looks into id, title, condition and exceptions.

    Attributes:
        overlapping: only those that another rule overlaps.
    """

    states: tuple[RevisionState, ...] = ()
    label: str = ""
    search: str = ""
    overlapping: bool = False


@dataclass(frozen=True)
class EventFilter:
    """Which events. Empty means any; `search` looks into subject and payload.

    Attributes:
        rule: id of a rule that the event is about, such as `R12`; in either case.
        since, until: UTC times as events hold them, the first included, the second not; see `moments`.
    """

    actor: str = ""
    kind: str = ""
    search: str = ""
    rule: str = ""
    since: str = ""
    until: str = ""


EVERY_EXAMPLE = ExampleFilter()
EVERY_RULE = RuleFilter()
EVERY_EVENT = EventFilter()


@dataclass(frozen=True)
class TeacherCall:
    """The record of one paid call, written when the reply arrives. A failure is a record too: `problem` is set.

    A call to an embedding model is one too, with purpose `embedding`, the embedder as teacher, and no reply text.

    Attributes:
        subjects: content hashes of the examples that the call is about.
        reply: the raw text, as far as it came.
        latency_ms: of the last attempt.
        model: as the server named it; empty if no answer came.
        finish: `stop` or `length`; empty if no answer came.
        failure: what kind of failure, None for a usable reply.
        attempts: how often it was sent.
        cost: of all attempts, in micro-units (millionths) of the currency in force at the time.
        run: the run that it was made for, such as `job 7`; empty for none.
    """

    request_hash: str
    purpose: str
    subjects: tuple[str, ...]
    teacher: str
    template_hash: str
    reply: str
    problem: str
    prompt_tokens: int | None
    output_tokens: int | None
    latency_ms: int
    model: str = ""
    finish: str = ""
    failure: Failure | None = None
    attempts: int = 1
    cost: int = 0
    run: str = ""


@dataclass(frozen=True)
class Spend:
    """What calls took: how often something was sent, the cost in micro-units, and tokens where they are known."""

    calls: int = 0
    cost: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True)
class StoredClustering:
    """A clustering with its id, parameters and points (empty in lists, filled by `clustering(id)`)."""

    id: int
    task: str
    params: ClusterParams
    clusters: int
    noise: int
    created_at: str
    created_by: str
    points: tuple[ClusterPoint, ...] = ()


@dataclass(frozen=True)
class NewRule:
    """A rule that synthesis proposes, or a person makes of a noise point.

    Attributes:
        origin: hash of the set of examples it was merged from; a second rule of the same origin is not made.
        cluster: number of the cluster in `clustering_id`, `NOISE` for a noise point.
        uncovered: labels that the cluster holds and no rule of it concludes.
        shown: the members that the teacher was shown; all of them unless they did not fit.
        ignored: ids in the teacher's reply that were not in the request.
    """

    text: RuleText
    author: str
    evidence: tuple[Evidence, ...]
    origin: str
    clustering_id: int
    cluster: int
    author_kind: AuthorKind = AuthorKind.TEACHER
    uncovered: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def members(self) -> tuple[str, ...]:
        """The examples that it was merged from: what supports it when it is proposed."""
        return tuple(sorted(e.example_hash for e in self.evidence if e.role is EvidenceRole.SUPPORTS))


@dataclass(frozen=True)
class TaskCounts:
    """Figures of one task for the home page.

    Attributes:
        examples, labels: active examples by split and by label.
        rules: rules by the state of their newest revision.
        conflicts: texts that stand there with two labels, unsettled.
    """

    examples: dict[Split, int]
    labels: dict[str, int]
    rules: dict[RevisionState, int]
    prompts: int
    conflicts: int = 0


@dataclass(frozen=True)
class ImportOutcome:
    """What became of the examples of an import."""

    added: int
    already_there: int


@dataclass(frozen=True)
class NewDataset:
    """What is to be known of an import besides its examples.

    Attributes:
        file: name of the file, without folders.
        sha256: hash of the file's bytes, `sha256:` and hex digits.
        unit: what its rows are counted in: `row`, `line` or `item`.
        importer: name and version of the importer, such as `csv 1`.
        params: columns, merges, seed and what else decided the outcome; equal file and params are the same import.
        report: the validation report, as `--json` prints it.
    """

    file: str
    sha256: str
    unit: str
    importer: str
    params: Mapping[str, Json]
    report: Mapping[str, Json]


class DatasetState(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"


@dataclass(frozen=True)
class Dataset:
    """One import as the store holds it; `rows` counts the rows that became or joined an example."""

    id: int
    task: str
    about: NewDataset
    rows: int
    state: DatasetState
    created_at: str
    created_by: str


@dataclass(frozen=True)
class ImportRow:
    """An example and the number of the row that holds it; equal examples of several rows become one with a count."""

    number: int
    example: Example


@dataclass(frozen=True)
class LabelConflict:
    """One text with more than one label: the examples, which differ in nothing but the label."""

    text_hash: str
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class ColumnChoice:
    """What somebody chose for files of one shape, as `importers` reads and writes it."""

    choice: Mapping[str, Json]
    by: str
    at: str


@dataclass(frozen=True)
class ChainReport:
    """The result of verifying the audit chain.

    Attributes:
        events: how many events were read.
        problems: in the order found; the first names the first broken event. Empty means intact.
        first_broken: sequence number of the first broken event, or None.
        head: hash of the last event, empty for an empty log.
    """

    events: int
    problems: tuple[str, ...] = ()
    first_broken: int | None = None
    head: str = ""

    @property
    def intact(self) -> bool:
        return not self.problems


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

    def describe_labels(self, task: str, descriptions: Mapping[str, str], actor: Actor) -> None:
        """Set descriptions of declared labels; the label set itself stays."""
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
    def queue(self, task: str, where: RuleFilter = EVERY_RULE, page: Page | None = None) -> tuple[RuleSummary, ...]: ...
    def count(self, task: str, where: RuleFilter = EVERY_RULE) -> int: ...
    def summary(self, rule_id: str) -> RuleSummary: ...
    def neighbours(self, rule_id: str, where: RuleFilter = EVERY_RULE) -> tuple[str | None, str | None]:
        """Return the ids before and after the rule in the filtered queue, None at the ends."""
        ...

    def dossier(self, rule_id: str) -> RuleDossier: ...
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

    def trace(self, rule_id: str) -> RuleTrace: ...
    def note_overlaps(self, task: str, compared: Sequence[str], overlaps: Sequence[Overlap]) -> None:
        """Replace the overlaps of a task; `compared` are the hashes of the revisions that were looked at."""
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


class EventStore(Protocol):
    def page(self, where: EventFilter = EVERY_EVENT, page: Page | None = None) -> tuple[Event, ...]: ...
    def count(self, where: EventFilter = EVERY_EVENT) -> int: ...
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
    def jobs(self) -> JobStore: ...
    @property
    def roles(self) -> RoleStore: ...
    @property
    def events(self) -> EventStore: ...
