"""What a run will cost: how many of its questions were answered before, so that no call is made for them."""

from __future__ import annotations

from dataclasses import dataclass

from pld_core.asking import Evaluation, run_key
from pld_core.count_words import count
from pld_core.model_ports import BackendStatus
from pld_core.ports import Store
from pld_core.records import ExampleFilter
from pld_core.rule_shuffle import shuffled_prompt


@dataclass(frozen=True)
class RunEstimate:
    """How many questions runs have, how many of them have to be asked, and how long that takes.

    Attributes:
        seconds: None where it cannot be told, as the student gave no answer yet.
    """

    questions: int
    calls: int
    seconds: float | None

    def __add__(self, other: RunEstimate) -> RunEstimate:
        known = self.seconds is not None and other.seconds is not None
        seconds = (self.seconds or 0.0) + (other.seconds or 0.0) if known else None
        return RunEstimate(self.questions + other.questions, self.calls + other.calls, seconds)

    @property
    def words(self) -> str:
        """Such as `400 questions, 300 answered before: 100 calls, about 40 s`."""
        before = self.questions - self.calls
        known = f", {before:,} answered before" if before else ""
        return f"{count(self.questions, 'question')}{known}: {count(self.calls, 'call')}{self._time}"

    @property
    def _time(self) -> str:
        if not self.calls:
            return ""
        if self.seconds is None:
            return "; how long that takes is known after the student's first answers"
        if self.seconds < 90:
            return f", about {max(1, self.seconds):.0f} s"
        return f", about {self.seconds / 60:,.0f} min"


NOTHING = RunEstimate(0, 0, 0.0)


def estimate_run(store: Store, status: BackendStatus, wanted: Evaluation, in_flight: int) -> RunEstimate:
    """Return what a run of a student, as it is now, would cost; nothing is asked.

    Raises:
        NotFound: there is no such task or prompt version.
        InvalidInput: the rules are to be shuffled, and there are fewer than two.
    """
    version = store.prompts.get(wanted.task, wanted.prompt_number)
    prompt = shuffled_prompt(version.prompt, wanted.setup.seed) if wanted.setup.shuffled else version.prompt
    key = run_key(store.tasks.get(wanted.task), prompt, wanted.setup, status)
    questions = store.tasks.count_examples(wanted.task, ExampleFilter(split=wanted.split))
    calls = questions - store.runs.known(key, prompt.sha256, wanted.task, wanted.split)
    latency = store.runs.latency_ms(status.name)
    if not calls:
        return RunEstimate(questions, 0, 0.0)
    return RunEstimate(questions, calls, None if latency is None else calls * latency / 1000 / in_flight)
