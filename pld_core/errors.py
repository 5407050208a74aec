"""Every error a person can meet, in one tree.

PldError
├── InvalidInput            what was given cannot be used (a file, an option, an empty text)
│   ├── ImportStopped       a data set whose problems a person has to settle first; carries the report
│   ├── OverBudget          a prompt longer than its budget; carries what to leave out
│   └── SettingRefused      a setting cannot have that value; names each
│       └── SecretRefused   a key or a password where none belongs; never quotes it
├── NotFound                a task, rule, prompt version, example or job that is not there
│   └── VectorsMissing      texts that have to be embedded first
├── NotAllowed              the guard refused an action
│   ├── IllegalTransition   the state does not allow it
│   ├── MissingEvidence     nothing to judge the rule by
│   ├── MissingReason       a decision without its reason or category
│   ├── MissingRole         the person does not hold the role
│   ├── LastAdmin           nobody could grant roles any more
│   ├── NotSignedIn         sign-in is configured, and nobody signed in
│   ├── SignInUnusable      the identity provider does not say who somebody is
│   ├── KnownBad            a seeded check is no rule: no prompt may hold it, and nothing is made of it
│   ├── RuleLocked          a reviewer locked the rule against repairs
│   ├── StillBlind          it would show a decision before the own one
│   ├── DataInUse           rules rest on the data that would go
│   ├── SettingFixed        the environment sets it, so the file cannot
│   ├── SettingsMovedOn     somebody changed the settings meanwhile
│   ├── GuidelineMovedOn    somebody changed the guideline meanwhile
│   ├── LabelsMovedOn       somebody changed the labels of a task meanwhile
│   ├── ReleaseMovedOn      somebody moved the release label meanwhile
│   ├── GatesRed            a prompt version is not ready for release
│   ├── RunIsWorse          an evaluation is worse than the one it is held against
│   ├── RuleHarms           a rule is shown to do more harm than whoever asked allows
│   └── RevisionMovedOn     somebody changed or decided the revision meanwhile
│       └── EvidenceMovedOn its evidence changed meanwhile
├── WorkspaceError          the store cannot be used
│   ├── WorkspaceMissing    there is no workspace at that place
│   ├── WorkspaceUnreadable not a database, or no permission
│   ├── SchemaMismatch      made by a newer pld-review
│   ├── GuardsMissing       the append-only triggers are not as they should be
│   └── StorageFull         no room left
├── BackendError            a model could not answer
│   ├── BackendUnreachable  nothing listens there, or it did not answer in time
│   ├── ModelMissing        the server is there, the model is not
│   ├── BackendBusy         the server cannot take the request now; it may say when it can
│   ├── BackendRefused      the server said no to this request
│   │   ├── AccessRefused   key, account or quota: every further request would be refused too
│   │   ├── BatchesMissing  the server takes no batches
│   │   └── BatchUnknown    the server does not know this batch or file
│   ├── PromptTooLong       the request does not fit the context window
│   ├── ReplyUnusable       an answer came, but not one that can be used
│   │   └── VectorsUnusable rows are missing, of unequal length, not numbers, or say nothing
│   └── CallsStopped        too many calls in a row got no answer
├── BudgetReached           the next call could exceed the cap
│   └── BatchOverCap        a batch would take more than the cap, as far as can be told
├── BatchTaken              the requests are in a batch already, or another process is submitting
├── JobDeferred             the job waits for somebody else and goes on later
├── JobLost                 another worker took the job over
├── JobCancelled            somebody cancelled the job
└── AddressInUse            another program listens on the port

Each message says what happened, what was kept, and what to do next.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pld_core.canonical import Json
    from pld_core.models import Revision, RevisionState
    from pld_core.prompt_plan import BudgetPlan


class Failure(StrEnum):
    """Why a call to a model ended without a usable reply."""

    REFUSED = "refused"
    LENGTH = "length"
    BAD_JSON = "bad_json"
    WRONG_LABEL = "wrong_label"
    FORMAT_ONLY = "format_only"
    EMPTY = "empty"
    UNUSABLE = "unusable"
    TOO_LONG = "too_long"
    UNVERIFIED = "unverified"
    REJECTED = "rejected"
    BROKEN = "broken"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"

    @property
    def is_passing(self) -> bool:
        """Whether the same call may well succeed later; such calls are made again without being told to."""
        return self in (Failure.BROKEN, Failure.BUSY, Failure.UNREACHABLE, Failure.TIMEOUT)


class PldError(Exception):
    """Base of all errors that are shown to people as one clear sentence."""


class InvalidInput(PldError):
    """What was given cannot be used; nothing was changed."""


class ImportStopped(InvalidInput):
    """The data set was read, but a person has to settle something first; nothing was imported.

    Attributes:
        report: the validation report, as `--json` prints it.
    """

    def __init__(self, message: str, report: Mapping[str, Json]) -> None:
        super().__init__(message)
        self.report = report


class OverBudget(InvalidInput):
    """A prompt is longer than its budget of tokens; nothing was stored.

    Attributes:
        plan: what a person could leave out.
    """

    def __init__(self, plan: BudgetPlan) -> None:
        super().__init__(f"{plan.words} Nothing was compiled. Leave rules out with a reason, or raise the budget.")
        self.plan = plan


class SettingRefused(InvalidInput):
    """Settings cannot have the values that were given; nothing was changed.

    Attributes:
        problems: by the setting's name, such as `teacher.in_flight`, one sentence on what is wrong with it.
    """

    def __init__(self, message: str, problems: Mapping[str, str]) -> None:
        super().__init__(message)
        self.problems = problems


class SecretRefused(SettingRefused):
    """A key or a password was given for a setting; it was neither stored nor shown."""


class NotFound(PldError):
    """What was asked for is not in this workspace."""


class VectorsMissing(NotFound):
    """Texts have no vector of the chosen embedder yet; embedding them may cost money, so somebody has to order it.

    Attributes:
        texts: the texts without one, each once.
    """

    def __init__(self, message: str, texts: tuple[str, ...]) -> None:
        super().__init__(message)
        self.texts = texts


class NotAllowed(PldError):
    """The guard refused an action; nothing was changed."""


class IllegalTransition(NotAllowed):
    """The state of the revision does not allow the action."""


class MissingEvidence(NotAllowed):
    """A rule without evidence cannot be approved."""


class MissingReason(NotAllowed):
    """The decision lacks a reason, or a rejection its category."""


class MissingRole(NotAllowed):
    """The person does not hold the role that the action needs."""


class LastAdmin(NotAllowed):
    """The last admin cannot be revoked."""


class NotSignedIn(NotAllowed):
    """Sign-in is configured, and this session has no person, or one whose sign-in is too old."""


class StaleSignIn(NotAllowed):
    """The policy asks for a fresher sign-in before something is signed; nothing was."""


class SignInUnusable(NotAllowed):
    """What the identity provider sent does not tell one person from another."""


class KnownBad(NotAllowed):
    """A seeded check is no rule: no prompt may hold it, and nothing is made of it."""


class RuleLocked(NotAllowed):
    """A reviewer locked the rule: no proposal of a loop may change it."""


class StillBlind(NotAllowed):
    """It would show somebody a first decision before the own one is made."""


class DataInUse(NotAllowed):
    """Rules, instructions or predictions rest on the data that would be deleted or moved."""


class SettingFixed(NotAllowed):
    """The environment sets this, so a change of the file would have no effect."""


class SettingsMovedOn(NotAllowed):
    """The settings file is no longer the one that was read; nothing was changed."""


class PolicyMovedOn(NotAllowed):
    """The policy of a task is no longer the one that was looked at; nothing was changed."""


class GuidelineMovedOn(NotAllowed):
    """The guideline in force is no longer the one that was looked at; nothing was changed."""


class LabelsMovedOn(NotAllowed):
    """The label set of a task is no longer the one that was looked at; nothing was changed."""


class ReleaseMovedOn(NotAllowed):
    """The release label is no longer where it was when it was looked at; nothing was changed."""


class GatesRed(NotAllowed):
    """A gate of the prompt version is red; no label was moved."""


class RunIsWorse(NotAllowed):
    """The second of two compared runs is worse than the first; nothing was changed."""


class RuleHarms(NotAllowed):
    """A rule is shown to do more harm than whoever asked allows; nothing was changed."""


class RevisionMovedOn(NotAllowed):
    """The revision that was judged is no longer the one in the queue.

    Attributes:
        seen: the revision on the reviewer's screen.
        current: the newest revision of the rule, which may be the same one, decided meanwhile.
        state: the state of `current`.
        by: who brought it there.
    """

    def __init__(self, seen: Revision, current: Revision, state: RevisionState, by: str) -> None:
        self.seen, self.current, self.state, self.by = seen, current, state, by
        what = (
            f"is now {state.label} (by {by})"
            if seen.hash == current.hash
            else f"has a newer revision {current.number} by {by}, {state.label}"
        )
        super().__init__(
            f"{seen.rule_id} revision {seen.number} was on your screen, but the rule {what}. "
            "Your decision was not recorded and your text is kept. Compare both versions, then decide again."
        )


class EvidenceMovedOn(RevisionMovedOn):
    """The revision is the one that was judged, but its evidence is no longer the one on the reviewer's screen."""

    def __init__(self, seen: Revision, state: RevisionState, by: str) -> None:
        super().__init__(seen, seen, state, by)
        words = (
            f"The evidence of {seen.rule_id} revision {seen.number} has changed since you opened it. What you did "
            "was not recorded and your text is kept. Read the evidence as it is now, then do it again."
        )
        self.args = (words,)


class WorkspaceError(PldError):
    """The workspace cannot be used."""


class WorkspaceMissing(WorkspaceError):
    """There is no workspace at that place."""


class WorkspaceUnreadable(WorkspaceError):
    """The file is not a workspace, is damaged, or may not be read or written."""


class SchemaMismatch(WorkspaceError):
    """The workspace was made by a newer version of pld-review."""


class GuardsMissing(WorkspaceError):
    """The append-only triggers of the database are not as they should be."""


class StorageFull(WorkspaceError):
    """The disk is full; the change was rolled back."""


class BackendError(PldError):
    """A model could not answer."""


class BackendUnreachable(BackendError):
    """Nothing listens at the address, or it did not answer in time.

    Attributes:
        sent: the request went out and only the answer is missing, so it may have been billed.
    """

    def __init__(self, message: str, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


class ModelMissing(BackendError):
    """The server is there, the model is not."""


class BackendBusy(BackendError):
    """The server cannot take the request now: overloaded, restarting, or too many requests.

    Attributes:
        retry_after_s: seconds after which the server says it can, or None if it does not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BackendRefused(BackendError):
    """The server refused the request."""


class AccessRefused(BackendRefused):
    """The server refused whoever asks (key, account, quota): no further request can succeed until that is settled."""


class BatchesMissing(BackendRefused):
    """The server answers, but it takes no batches."""


class BatchUnknown(BackendRefused):
    """The server takes batches, but it does not know this one, or a file of it."""


class PromptTooLong(BackendError):
    """Prompt and input together do not fit the student's context window."""


class ReplyUnusable(BackendError):
    """An answer came, but it cannot be used (cut, refused, not the declared shape).

    Attributes:
        raw: the answer, word for word.
        kind: what is wrong with it.
        reply: the `ChatReply` with what the server said of tokens and time, where it came that far.
    """

    def __init__(self, message: str, raw: str = "", kind: Failure = Failure.UNUSABLE) -> None:
        super().__init__(message)
        self.raw = raw
        self.kind = kind
        self.reply: object | None = None


class VectorsUnusable(ReplyUnusable):
    """An embedding model answered, but its vectors cannot be compared with each other."""


class CallsStopped(BackendError):
    """Too many calls in a row got no answer; what was answered is kept."""


RAISE_THE_CAP = "Raise the cap and start again to go on."
"""How a message ends where only another cap helps: what is kept of a stop is its message."""


class BudgetReached(PldError):
    """The next call could exceed the cap in calls or money; what was answered is kept."""


class BatchOverCap(BudgetReached):
    """A batch is estimated to take more than the cap; as it cannot be stopped half-way, nothing was sent."""


class BatchTaken(PldError):
    """The requests are in a batch already, or another process is submitting batches; nothing was sent."""


class JobDeferred(PldError):
    """The job waits for somebody else; what was done is kept.

    Attributes:
        seconds: how long until it is worth looking again.
    """

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class JobLost(PldError):
    """Another worker took the job over; this one must stop writing."""


class JobCancelled(PldError):
    """Somebody cancelled the job; what was done is kept."""


class AddressInUse(PldError):
    """Another program already listens on the port."""
