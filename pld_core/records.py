"""What stores take and give besides the product's own words: pages, filters, and records of what was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pld_core.canonical import Json
from pld_core.errors import Failure
from pld_core.models import (
    AuthorKind,
    ClusterParams,
    ClusterPoint,
    Evidence,
    EvidenceRole,
    Example,
    ExampleState,
    RevisionState,
    RuleText,
    Split,
)


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
        contradicted: only those that are not settled and that examples of their evidence contradict.
    """

    states: tuple[RevisionState, ...] = ()
    label: str = ""
    search: str = ""
    overlapping: bool = False
    contradicted: bool = False


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


KEEP = "keep"
"""Where the params of a data set name the columns that it keeps."""


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

    @property
    def kept_columns(self) -> tuple[str, ...]:
        """The columns whose values are kept beside the rows, in the order of `ImportRow.kept`."""
        keep = self.params.get(KEEP)
        return tuple(map(str, keep)) if isinstance(keep, list) else ()


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
    """An example and the number of the row that holds it; equal examples of several rows become one with a count.

    Attributes:
        kept: what the row holds in the columns that its data set keeps, in their order.
    """

    number: int
    example: Example
    kept: tuple[str, ...] = ()


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
