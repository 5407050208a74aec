"""A task whose policy mixes known-bad rules in, and rules that enter its review."""

from __future__ import annotations

from dataclasses import replace

from pld_core.checks import CheckKind, SeededCheck
from pld_core.models import Evidence, EvidenceRole, Example, RuleText
from pld_core.policy import Policy
from pld_core.records import NewRule
from storage import SqliteStore
from storage.checks import load_checks
from tests.factories import ANNA, fill, make_example, rule_in_review

MIXED = Policy(known_bad=20)
KEPT = tuple(make_example(f"thank you for the friendly advice number {n}") for n in range(4))
IRONY = make_example("a friendly word, and all of it is irony", "remove")


def fill_with_checks(store: SqliteStore, policy: Policy = MIXED) -> tuple[Example, ...]:
    """Make the task `posts` with four examples to keep and a friendly one to remove."""
    return fill(store, examples=[*KEPT, IRONY], policy=policy)


def plain_rule(number: int) -> NewRule:
    """Return a rule of which every kind of variant can be made."""
    text = RuleText(
        f"Friendly posts {number}",
        f"the friendly post number {number} thanks somebody, and nobody is laughed at",
        ("keep",),
        ("it is irony",),
        "Friendly posts harm nobody.",
    )
    links = [Evidence(e.hash, EvidenceRole.SUPPORTS, 0.9) for e in KEPT]
    links.append(Evidence(IRONY.hash, EvidenceRole.NEAR_MISS, 0.5))
    return NewRule(text, "told", tuple(links), f"origin {number}", 1, 0)


def all_checks(store: SqliteStore, task: str = "posts") -> tuple[SeededCheck, ...]:
    """Return the checks of a task, open ones too, which no reviewer can ask for."""
    with store.database.read() as conn:
        return load_checks(conn, task)


def open_check(store: SqliteStore, kind: CheckKind | None = None) -> SeededCheck:
    """Bring rules into review until a check of this kind is drawn, and return it."""
    before = {check.rule_id for check in all_checks(store)}
    first = store.rules.count("posts")
    for number in range(first, first + 200):
        rule_in_review(store, plain_rule(number))
        for check in all_checks(store):
            if check.rule_id not in before and kind in (None, check.kind):
                return check
    raise AssertionError(f"no {kind} was drawn among 200 rules")


def put_in_force_by_hand(store: SqliteStore, check: SeededCheck) -> None:
    """Put a check in force, as only somebody with the database in hands could."""
    with store.database.raw() as tables:
        tables.conn.execute("UPDATE rule SET in_force = head WHERE id = ?", (check.rule_id,))


def checks_in_demo(store: SqliteStore, wanted: int = 1) -> tuple[SeededCheck, ...]:
    """Let the demo task mix known-bad rules in; bring copies of its first rule into review until so many are drawn."""
    store.policies.change("nda", store.policies.of("nda"), MIXED, "to see how well we read", ANNA)
    dossier, trace = store.rules.dossier("R1", ANNA), store.lineage.trace("R1").now
    for number in range(1, 200):
        text = replace(dossier.head.text, title=f"{dossier.head.text.title} {number}")
        author = dossier.head.author
        rule = NewRule(text, author, dossier.evidence, f"copy {number}", trace.clustering_id, trace.cluster)
        rule_in_review(store, rule, "nda")
        if len(found := all_checks(store, "nda")) == wanted:
            return found
    raise AssertionError("too few checks were drawn among 200 rules")
