"""A task with so many runs that every chart of figures has something to show: rules, versions, repeats, ablations."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

from pld_app import attributions, wiring
from pld_app.wiring import App
from pld_core.ablation import Ablated, Ablation, Scope
from pld_core.compilation import Choices
from pld_core.effect import Case, StudentKey
from pld_core.models import Answer, AnswerStatus, Example, Label, Prediction, PromptVersion, Run, Split, Task
from pld_core.prompt_manifest import PromptKind
from pld_core.records import ExampleFilter, Page
from pld_core.run_setup import PLAIN_SETUP, RunSetup
from storage import SqliteStore, open_store
from tests.factories import approved_rule, fill, make_rule, make_text, no_report, url_of

TASK, STUDENT, DIGEST = "posts", "embedded", "sha256:weights"
LABELS = ("keep", "remove", "hide from minors", "pass on to the safety team")
TOPICS = {
    "insults": "insult fool idiot shout name mockery",
    "recipes": "recipe flour butter oven bake sugar",
    "violence": "violence fight blood knife attack wound",
    "self-harm": "harm alone despair pills razor goodbye",
    "spam": "offer click discount coupon buy winner",
    "travel": "travel train hotel beach ticket island",
    "gambling": "casino poker jackpot wager slots chips",
    "threats": "threat warn tonight regret find house",
    "fake cures": "cure miracle doctor hidden remedy tonic",
    "sport": "match goal team referee league stadium",
    "alcohol": "wine whisky bottle jackpot wager casino",
    "stalking": "follow address house find secret tonight",
    "slurs": "slur foreign idiot vermin shout insult",
    "gardens": "garden tulip soil spade seed rain",
    "horror": "horror ghost scream mask corpse night",
    "fraud": "bank password transfer invoice urgent account",
}
"""Words of each. The last two have no rule, so that some examples are covered by none; others share words."""
OPEN_TOPICS = 2


def chart_workspace(workspace: Path) -> App:
    """Make a workspace with the task `posts`, 14 rules in four versions, six plain runs, and three repeats.

    Run 1 is of a prompt without rules, runs 2, 3 and 4 of versions with ever more rules, run 5 of a part of run 4 over
    test, run 6 is not put down to rules. Answers are drawn with a seed.
    """
    app, draw = wiring.create_app(workspace), random.Random(7)  # noqa: S311 - made-up answers
    store = open_store(url_of(workspace / "pld.db"))
    fill(store, make_posts_task(), posts(draw))
    versions = _versions(app, store)
    for version, skill in zip(versions, (0.5, 0.6, 0.66, 0.74), strict=True):
        attributions.attribute(app, answered(app, version, skill, draw).id, no_report)
    attributions.attribute(app, answered(app, versions[3], 0.7, draw, Split.TEST).id, no_report)
    answered(app, versions[2], 0.66, draw)
    for seed in range(3):
        warm = RunSetup(temperature=0.7, seed=seed, group="g1")
        answered(app, versions[3], 0.8, random.Random(3), setup=warm, restless=random.Random(seed))  # noqa: S311
    _leave_out(app, store.runs.get(4), versions[3], draw)
    return app


def make_posts_task() -> Task:
    labels = tuple(Label(name, f"The post: {name}.") for name in LABELS)
    return Task(TASK, "Posts", ("post",), labels, "Keep what harms nobody.", teacher="told")


def posts(draw: random.Random) -> tuple[Example, ...]:
    """Return 20 examples a topic of which 12 are validation; some speak of another topic, too."""
    found = []
    for place, words in enumerate(TOPICS.values()):
        others = list(TOPICS.values())[(place + 4) % len(TOPICS)].split()
        for number in range(20):
            split = Split.TRAIN if number < 5 else Split.TEST if number < 8 else Split.VALIDATION
            told = draw.sample(words.split(), 4) + (draw.sample(others, 2) if number % 3 == 0 else [])
            filler = ["so", "it", "is"] * draw.randint(0, 12)
            text = " ".join([*told, f"{number}", *filler])
            label = LABELS[place % 4] if draw.random() < 0.9 else draw.choice(LABELS)
            source = ("forum", "chat", "mail")[number % 3]
            found.append(Example((("post", text),), label, split, source, group=f"week {number % 4 + 1}"))
    return tuple(found)


def _versions(app: App, store: SqliteStore) -> tuple[PromptVersion, ...]:
    """Compile a prompt without rules, then with 5, 10 and 14 of them."""
    train = store.tasks.examples(TASK, ExampleFilter(split=Split.TRAIN), Page(0, 1000))
    versions: list[PromptVersion] = []
    for number, (topic, words) in enumerate(list(TOPICS.items())[:-OPEN_TOPICS]):
        own = [e for e in train if len(set(words.split()) & set(e.text.split())) >= 3]
        text = make_text(f"the post is about {topic}", LABELS[number % 4], f"Posts about {topic}, whoever wrote them")
        approved_rule(store, make_rule(text, own[: 2 + number % 4], origin=topic))
        if number == 0:
            versions.append(wiring.compile_task(app, TASK, Choices(kind=PromptKind.NO_RULES)))
        if number in (4, 9, 13):
            versions.append(wiring.compile_task(app, TASK))
    return tuple(versions)


def answered(
    app: App,
    version: PromptVersion,
    skill: float,
    draw: random.Random,
    split: Split = Split.VALIDATION,
    setup: RunSetup = PLAIN_SETUP,
    restless: random.Random | None = None,
) -> Run:
    """Store a complete run in which a share of about `skill` is answered right.

    Args:
        restless: draws which answers are drawn once more; None for none.
    """
    asked = app.store.tasks.examples(TASK, ExampleFilter(split=split), Page(0, 1000))
    if split is Split.TEST:
        setup = replace(setup, reason="chosen on validation")
    sha = version.prompt.sha256
    new = Run(0, TASK, version.number, sha, STUDENT, DIGEST, split, "", "", len(asked), None, setup)
    run = app.store.runs.start(new, app.actor)
    given = []
    for example in asked:
        answer = _answer(example.label, skill, draw)
        if restless is not None and restless.random() < (0.1 if example.label == "keep" else 0.3):
            answer = _answer(example.label, skill, restless)
        given.append(Prediction(example.hash, example.label, answer))
    app.store.runs.add_predictions(run.id, given)
    app.store.runs.finish(run.id, {}, app.actor)
    return run


def _answer(gold: str, skill: float, draw: random.Random) -> Answer:
    lot, cost = draw.random(), (int(draw.lognormvariate(6, 0.5)), draw.randint(800, 1600), draw.randint(4, 12))
    if lot > 0.96:
        return Answer(None, "I cannot say.", AnswerStatus.REFUSED if lot > 0.98 else AnswerStatus.MALFORMED, *cost)
    said = gold if lot < skill else draw.choice([label for label in LABELS if label != gold])
    return Answer(said, said, AnswerStatus.OK, *cost)


def _leave_out(app: App, run: Run, version: PromptVersion, draw: random.Random) -> None:
    """Record what is found without each of the first eight rules."""
    answers = {p.example_hash: p for p in app.store.runs.predictions(run.id)}
    for place, rule in enumerate(version.prompt.rules[:8]):
        asked = sorted(app.store.ablations.affected(run.id, rule.rule_id) & answers.keys())
        cases = tuple(
            Case(h, answers[h].gold, _answer(answers[h].gold, 0.35 + 0.07 * place, draw), answers[h].answer)
            for h in asked
        )
        without = f"sha256:without {rule.rule_id}"
        of = Ablated(run.id, rule.rule_id, rule.revision_hash, run.prompt_sha256, without, Scope.AFFECTED)
        app.store.ablations.record(Ablation(TASK, of, StudentKey(STUDENT, DIGEST, ""), cases, ()), app.actor)


if __name__ == "__main__":
    chart_workspace(Path(sys.argv[1]))
