"""The words of the product as frozen values. Ids, times and parents that a store gives are on the `Stored*` side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from pld_core.attention import Attention
from pld_core.canonical import Json, hash_json
from pld_core.prompt_manifest import Build, PromptKind, TokenCount
from pld_core.prompt_style import AnswerForm, Style
from pld_core.run_setup import PLAIN_SETUP, RunSetup

SIGNATURE, ATTESTATION = "signature of a signed-in person", "attestation"
"""What a decision is: vouched for by an identity provider, or by the person's word alone."""


class Role(StrEnum):
    """What a person may do. Without sign-in the one local user holds them all."""

    REVIEWER = "reviewer"
    LEAD = "lead"
    RELEASE_MANAGER = "release_manager"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    ADMIN = "admin"

    @property
    def label(self) -> str:
        """The role in words."""
        return self.value.replace("_", " ")


@dataclass(frozen=True)
class Identity:
    """Who an identity provider says that somebody is.

    Attributes:
        issuer, subject: together they stand for one person, whatever name or address is shown.
        name: for people to read; others may have the same. Empty if the provider sends none.
        email: the address in lower case if the provider has verified it, else empty.
        auth_time: when the person last proved who they are, in seconds since 1970 UTC; None if that is not told.
        issued_at: when the provider vouched for it, likewise.
    """

    issuer: str
    subject: str
    name: str = ""
    email: str = ""
    auth_time: int | None = None
    issued_at: int | None = None


@dataclass(frozen=True)
class Actor:
    """Who acts: a name that stands for one person or `system`, the roles held, and who signed in, if somebody did."""

    name: str
    roles: frozenset[Role]
    identity: Identity | None = None

    @property
    def signed_as(self) -> dict[str, Json]:
        """What a decision by this actor is, as its event records it.

        It is a signature if the identity provider says when the person proved who they are, else an attestation.
        """
        if self.identity is None:
            return {"kind": ATTESTATION}
        return {
            "kind": ATTESTATION if self.identity.auth_time is None else SIGNATURE,
            "issuer": self.identity.issuer,
            "subject": self.identity.subject,
            "name": self.identity.name,
            "auth_time": self.identity.auth_time,
        }


SYSTEM = Actor("system", frozenset(Role))
ANYBODY = Actor("", frozenset({Role.REVIEWER}))
"""A reader of whom nothing is known: what is kept from anybody who may still decide is kept from this one too."""


@dataclass(frozen=True)
class RoleChange:
    """One grant or revocation of a role, as it was recorded.

    Attributes:
        granted: True for a grant, False for a revocation.
        first_admin: whether the local user granted it because there was no admin yet.
        at: UTC, ISO 8601.
    """

    person: str
    role: Role
    granted: bool
    reason: str
    first_admin: bool
    by: str
    at: str


class Split(StrEnum):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class ExampleState(StrEnum):
    """Whether an example takes part; only `active` ones are extracted from, clustered and evaluated on.

    `conflict`: the same text stands there with another label, and nobody has settled which is right. `withdrawn`: a
    person settled that conflict against it. `archived`: its data set was archived.
    """

    ACTIVE = "active"
    CONFLICT = "conflict"
    WITHDRAWN = "withdrawn"
    ARCHIVED = "archived"


class RevisionState(StrEnum):
    """Where a revision stands; `review.py` holds the allowed transitions."""

    PROPOSED = "proposed"
    IN_REVIEW = "in_review"
    FIRST_APPROVED = "first_approved"
    DISPUTED = "disputed"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    STALE = "stale"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    RETIRED = "retired"

    @property
    def label(self) -> str:
        """The state in words, as screens and messages show it."""
        return self.value.replace("_", " ")


class Verdict(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"


class RejectCategory(StrEnum):
    """Why a rule was rejected; every rejection names one."""

    OVER_BROAD = "over_broad"
    MISSING_EXCEPTION = "missing_exception"
    WRONG_LABEL = "wrong_label"
    CONTRADICTS_RULE = "contradicts_rule"
    NOT_SUPPORTED = "not_supported"
    DUPLICATE = "duplicate"
    UNCLEAR = "unclear"
    OTHER = "other"


class EvidenceRole(StrEnum):
    CONTRADICTS = "contradicts"
    NEAR_MISS = "near_miss"
    SUPPORTS = "supports"
    IRRELEVANT = "irrelevant"


class AuthorKind(StrEnum):
    TEACHER = "teacher"
    PERSON = "person"
    CONFLICT_LOOP = "conflict_loop"


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class AnswerStatus(StrEnum):
    """What became of one question to the student; everything but `ok` counts as wrong.

    Only a live test is `stopped`: somebody ended it before the answer was complete.
    """

    OK = "ok"
    MALFORMED = "malformed"
    CUT = "cut"
    UNVERIFIED = "unverified"
    REFUSED = "refused"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Label:
    """A declared label and what it means; the description goes into prompts."""

    name: str
    description: str


@dataclass(frozen=True)
class Task:
    """A classification job.

    Attributes:
        name: short, lower case, letters, digits and hyphens; used in commands and addresses.
        input_fields: names of the text fields of an example, in the order in which they are shown.
        labels: the declared label set; macro F1 is computed over exactly these.
        guideline: what people would follow; part of every prompt.
        teacher: which teacher writes for this task, as `backends` names it; empty if none is set.
    """

    name: str
    title: str
    input_fields: tuple[str, ...]
    labels: tuple[Label, ...]
    guideline: str
    guideline_version: int = 1
    teacher: str = ""

    @property
    def label_names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)


@dataclass(frozen=True)
class Span:
    """A marked range of a field: characters `start` up to, not including, `end`, counted from 0."""

    field: str
    start: int
    end: int


@dataclass(frozen=True)
class Origin:
    """Where in which file an example stands.

    Attributes:
        file: the file's name, without folders.
        sha256: hash of the file's bytes, `sha256:` and hex digits.
        unit: what the file is counted in: `row` (as a spreadsheet counts, the header is row 1), `line` or `item`.
        number: its number, from 1.
        importer: name and version of what read it, such as `csv 1`.
    """

    file: str
    sha256: str
    unit: str
    number: int
    importer: str

    @property
    def words(self) -> str:
        """Such as `row 214 of complaints.csv`."""
        return f"{self.unit} {self.number:,} of {self.file}"


@dataclass(frozen=True)
class Example:
    """One labelled input, identified by its content.

    Where and how often it stands in files is told by the store and makes no other example: `origin` and `copies` are no
    part of equality.

    Attributes:
        fields: (field name, text) pairs in the task's order.
        split: train, validation or test.
        source: what the data itself says of where it came from, such as a system or an address; empty if nothing.
        group: examples of one group (one contract, one author) stay in one split; empty if none.
        ref: the id that the data gives it; empty if none.
        personal: kinds of personal data that were found in it, such as `e-mail`; found by a heuristic.
        masked: a teacher is shown placeholders in place of the personal data.
        spans: ranges that the data marks as evidence.
        origin: where it stands in the file that it was first imported from; None for an example made otherwise.
        copies: how many rows of all imports hold it.
        state: whether it takes part.
    """

    fields: tuple[tuple[str, str], ...]
    label: str
    split: Split
    source: str = ""
    group: str = ""
    ref: str = ""
    personal: tuple[str, ...] = ()
    masked: bool = False
    spans: tuple[Span, ...] = ()
    origin: Origin | None = field(default=None, compare=False)
    copies: int = field(default=1, compare=False)
    state: ExampleState = ExampleState.ACTIVE

    @cached_property
    def hash(self) -> str:
        """Content address: canonical text and label, not split or source."""
        return hash_json({"fields": [list(pair) for pair in self.fields], "label": self.label})

    @property
    def text_hash(self) -> str:
        """Content address of the text alone: two labels for one text are a label conflict."""
        return hash_json([list(pair) for pair in self.fields])

    @property
    def text(self) -> str:
        """All fields as one plain text, for search and embedding."""
        return "\n".join(value for _, value in self.fields)

    @property
    def place(self) -> str:
        """Where it came from, for people: `row 214 of complaints.csv`, else what the data says of its source."""
        return self.origin.words if self.origin else self.source


@dataclass(frozen=True)
class MicroInstruction:
    """What the teacher abstracted from one example."""

    example_hash: str
    condition: str
    label: str
    reasoning: str
    exceptions: tuple[str, ...]
    cues: tuple[str, ...]
    teacher: str
    template_hash: str


class Algorithm(StrEnum):
    """How clusters are found: at one distance (DBSCAN), or at all distances at once (HDBSCAN)."""

    DBSCAN = "dbscan"
    HDBSCAN = "hdbscan"


@dataclass(frozen=True)
class ClusterParams:
    """How a clustering was made; the same data and parameters give the same clusters.

    Attributes:
        eps: largest cosine distance between neighbours, 0 to 2; HDBSCAN does without.
        min_samples: neighbours (itself included) that make a point a core point, at least 2; HDBSCAN's smallest
            cluster too.
        within_label: cluster inside each gold label rather than over all examples.
        embedder: name of the embedder and its settings.
        seed: for the parts that draw lots (the map, the reduced dimensions).
    """

    eps: float = 0.4
    min_samples: int = 6
    within_label: bool = True
    embedder: str = "tfidf-svd-64"
    seed: int = 0
    algorithm: Algorithm = Algorithm.DBSCAN

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ClusterParams:
        """Read stored parameters; those stored before there was a choice of algorithm mean DBSCAN."""
        return cls(**{**value, "algorithm": Algorithm(value.get("algorithm", Algorithm.DBSCAN))})

    def as_json(self) -> dict[str, Json]:
        return {
            "algorithm": self.algorithm.value,
            "eps": self.eps,
            "min_samples": self.min_samples,
            "within_label": self.within_label,
            "embedder": self.embedder,
            "seed": self.seed,
        }


NOISE = -1


@dataclass(frozen=True)
class ClusterPoint:
    """One micro-instruction in a clustering: its cluster number (`NOISE` for none) and its place on the map."""

    example_hash: str
    label: str
    cluster: int
    x: float
    y: float


PRIORITIES = {1: "first", 2: "ordinary", 3: "fallback"}
"""What a rule's priority means: a first one overrides others, a fallback holds where no other rule fits."""
ORDINARY = 2


@dataclass(frozen=True)
class RuleText:
    """What a rule says: IF condition THEN label(s) EXCEPT exceptions.

    Attributes:
        title: a few words for lists.
        condition: reads after IF.
        labels: the label(s) that THEN concludes.
        exceptions: each reads after EXCEPT.
        rationale: why; shown to reviewers, never compiled into a prompt.
        priority: one of `PRIORITIES`; rules of the lower number stand earlier in the prompt.
    """

    title: str
    condition: str
    labels: tuple[str, ...]
    exceptions: tuple[str, ...] = ()
    rationale: str = ""
    priority: int = ORDINARY

    def as_json(self) -> dict[str, Json]:
        return {
            "title": self.title,
            "condition": self.condition,
            "labels": list(self.labels),
            "exceptions": list(self.exceptions),
            "rationale": self.rationale,
            "priority": self.priority,
        }


@dataclass(frozen=True)
class Revision:
    """One immutable version of a rule.

    Attributes:
        rule_id: such as `R12`.
        number: 1 for the first revision of the rule.
        parent: hash of the revision it was made from; empty for the first.
        note: why it was made (an edit's reason); empty for the first.
    """

    rule_id: str
    number: int
    text: RuleText
    author: str
    author_kind: AuthorKind
    parent: str = ""
    note: str = ""

    @property
    def hash(self) -> str:
        """Content address of everything a reviewer signs for; an ordinary priority is the one that is not told."""
        text = self.text.as_json()
        if self.text.priority == ORDINARY:
            del text["priority"]
        return hash_json(
            {
                "rule": self.rule_id,
                "number": self.number,
                "text": text,
                "author": self.author,
                "author_kind": self.author_kind.value,
                "parent": self.parent,
            }
        )


@dataclass(frozen=True)
class Evidence:
    """A link from a revision to an example.

    Attributes:
        closeness: how near the example lies to the centre of the rule's cluster, -1 to 1; see `nearness.Terrain`.
        note: what the teacher said of it; it never decides the role.
        ticked_by: the person who gave it this role; empty where code did.
    """

    example_hash: str
    role: EvidenceRole
    closeness: float = 0.0
    note: str = ""
    ticked_by: str = ""


def evidence_set_hash(evidence: tuple[Evidence, ...]) -> str:
    """Hash of which examples stand in which role, in no particular order."""
    return hash_json(sorted([e.example_hash, e.role.value] for e in evidence))


@dataclass(frozen=True)
class Judgement:
    """What a reviewer sends: a verdict on the revision that was on the screen.

    Attributes:
        rule_id: the rule.
        seen_revision: hash of the revision that was on the screen.
        seen_state: its state on the screen; a decision made meanwhile is noticed by it.
        category: required for a rejection.
        reason: in the reviewer's words; required for a rejection and a request for changes.
        opened_at: UTC time at which the reviewer opened the rule, ISO 8601; empty if unknown.
        seen_evidence: hash of the evidence set that was on the screen; empty if the evidence was not looked at.
        attention: what the page noted while it was made; None where nothing was, as at the command line.
        seen_guideline: version of the guideline that was on the screen; 0 if it was not looked at.
    """

    rule_id: str
    seen_revision: str
    seen_state: RevisionState
    verdict: Verdict
    reason: str = ""
    category: RejectCategory | None = None
    opened_at: str = ""
    seen_evidence: str = ""
    attention: Attention | None = None
    seen_guideline: int = 0


@dataclass(frozen=True)
class Decision:
    """A recorded judgement, bound to the revision and to what it was made beside.

    Attributes:
        guideline_version: of the guideline in force; 0 for decisions of a time in which that was not recorded.
        overlaps: hashes of the newest revisions of other rules that were known to overlap it, sorted.
    """

    id: int
    rule_id: str
    revision_hash: str
    evidence_hash: str
    verdict: Verdict
    category: RejectCategory | None
    reason: str
    reviewer: str
    opened_at: str
    decided_at: str
    guideline_version: int = 0
    overlaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleSummary:
    """A row of the queue.

    Attributes:
        uncovered: labels that the rule's cluster holds beside its own, and no rule of that cluster concludes.
    """

    id: str
    task: str
    title: str
    labels: tuple[str, ...]
    state: RevisionState
    revision: int
    head: str
    in_force: str
    support: int
    contradictions: int
    changed_at: str
    changed_by: str
    priority: int = ORDINARY
    uncovered: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleDossier:
    """Everything about one rule, for the review page and the command line.

    Attributes:
        guideline_version: of the task's guideline in force now.
        withheld: a first decision on the newest revision is kept from the reader; see `blind`.
    """

    summary: RuleSummary
    revisions: tuple[Revision, ...]
    states: dict[str, RevisionState]
    created: dict[str, str]
    evidence: tuple[Evidence, ...]
    examples: dict[str, Example]
    decisions: tuple[Decision, ...]
    guideline_version: int = 0
    withheld: bool = False

    @property
    def head(self) -> Revision:
        return self.revisions[-1]


@dataclass(frozen=True)
class CompiledRule:
    """A line of the manifest: where a numbered rule of the prompt comes from."""

    number: int
    rule_id: str
    revision_hash: str
    decision_id: int


@dataclass(frozen=True)
class CompiledPrompt:
    """What the compiler returns: the student's system prompt and how it came about.

    Attributes:
        rules: in the order of the prompt; empty for a baseline.
        labels: the declared label set at that time.
    """

    task: str
    text: str
    sha256: str
    rules: tuple[CompiledRule, ...]
    template_hash: str
    guideline_version: int
    labels: tuple[str, ...]
    style: Style = Style.LABEL
    build: Build = field(default_factory=Build)

    @property
    def answer_form(self) -> AnswerForm:
        """How answers to this prompt are asked for and read."""
        return AnswerForm(self.style, self.labels, tuple(rule.rule_id for rule in self.rules))

    @property
    def manifest_hash(self) -> str:
        return hash_json(self.manifest())

    def manifest(self) -> dict[str, Json]:
        """Return what tells this version from others; who built it, when, and its token count are no part of it."""
        built: dict[str, Json] = {"style": self.style.value, "letters": self.answer_form.letters}
        return {
            **({} if self.build.format == 1 else built | self.build.as_json()),
            "task": self.task,
            "sha256": self.sha256,
            "template": self.template_hash,
            "guideline_version": self.guideline_version,
            "labels": list(self.labels),
            "rules": [
                {"number": r.number, "rule": r.rule_id, "revision": r.revision_hash, "decision": r.decision_id}
                for r in self.rules
            ],
        }


@dataclass(frozen=True)
class PromptVersion:
    """A stored prompt: `number` counts up per task.

    Attributes:
        tokens: the newest count of its length; None if it was made before lengths were kept.
    """

    number: int
    prompt: CompiledPrompt
    created_at: str
    created_by: str
    tokens: TokenCount | None = None


@dataclass(frozen=True)
class ListedPrompt:
    """A prompt version as lists show it, without its text and the ids of its rules.

    Attributes:
        rules: how many it holds.
        size: of its text, in bytes of UTF-8.
    """

    number: int
    kind: PromptKind
    style: Style
    rules: int
    size: int
    sha256: str
    created_at: str
    created_by: str


@dataclass(frozen=True)
class Answer:
    """What the student said to one input, and what it cost.

    Attributes:
        label: a declared label, or None when the status is not `ok`.
        raw: the student's text, word for word.
        latency_ms: wall time of the call.
        prompt_tokens, output_tokens: as the server counts them; None if it does not say.
        context_size: the context window in force, in tokens; None if the server does not say.
        problem: what went wrong, in words; empty when the status is `ok`.
        cited: the rules that it says it rests on, where the prompt asks for them; `unknown` for one that the prompt
            does not hold.
    """

    label: str | None
    raw: str
    status: AnswerStatus
    latency_ms: int
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    context_size: int | None = None
    problem: str = ""
    cited: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """One evaluation: prompt version x student x split, asked as its setup says.

    Attributes:
        prompt_sha256: of the text that was asked; that of the version, unless its rules were shuffled.
    """

    id: int
    task: str
    prompt_number: int
    prompt_sha256: str
    student: str
    digest: str
    split: Split
    created_at: str
    created_by: str
    total: int
    job_id: int | None
    setup: RunSetup = PLAIN_SETUP


@dataclass(frozen=True)
class Prediction:
    """One answer of a run beside the gold label."""

    example_hash: str
    gold: str
    answer: Answer


@dataclass(frozen=True)
class Event:
    """A link of the audit chain; see `audit.py`."""

    seq: int
    at: str
    actor: str
    kind: str
    subject: str
    payload: dict[str, Json]
    prev: str
    hash: str


@dataclass(frozen=True)
class Job:
    """Long work, as the jobs table holds it; `not_before` is set while it waits for somebody else."""

    id: int
    kind: str
    task: str
    params: dict[str, Json]
    state: JobState
    done: int
    total: int
    message: str
    owner: str
    heartbeat_at: str
    created_at: str
    created_by: str
    started_at: str
    finished_at: str
    attempts: int
    cancel_requested: bool
    not_before: str = ""
