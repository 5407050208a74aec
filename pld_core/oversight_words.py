"""The figures on the oversight in sentences, each with what it can and cannot tell: for page, command and report."""

from __future__ import annotations

from dataclasses import dataclass

from pld_core.agreement import Agreement
from pld_core.attention import IDLE_S
from pld_core.models import Verdict
from pld_core.oversight import LENGTH_BANDS, Oversight, TimeBand
from pld_core.proportion import SMALL_SAMPLE, Proportion

VERDICTS = {
    Verdict.APPROVE: ("approval", "approvals"),
    Verdict.REJECT: ("rejection", "rejections"),
    Verdict.REQUEST_CHANGES: ("request for changes", "requests for changes"),
}
NOBODY = "Nobody has decided on a rule of this task yet, so there is nothing to tell."


@dataclass(frozen=True)
class Told:
    """One subject: sentences with the figures, and a sentence on what they can and cannot tell."""

    title: str
    says: tuple[str, ...]
    limits: str


def told(figures: Oversight) -> tuple[Told, ...]:
    """Return everything in words: decisions, changes, agreement, time, evidence, second opinions."""
    return (
        decisions_told(figures),
        changes_told(figures),
        agreement_told(figures.agreement),
        time_told(figures),
        evidence_told(figures),
        opinions_told(figures.opinions),
    )


def decisions_told(figures: Oversight) -> Told:
    verdicts = ", ".join(_count(n, *VERDICTS[verdict]) for verdict, n in figures.verdicts.items())
    people = _count(figures.reviewers, "person", "people")
    says = [f"{_count(figures.decisions, 'decision', 'decisions')} by {people}: {verdicts}."]
    if figures.withdrawn:
        says.append(f"{figures.withdrawn:,} of them {_were(figures.withdrawn)} taken back by whoever made them.")
    return Told(
        "Decisions",
        tuple(says),
        "People are counted, and never listed or compared. What was taken back counts as made, but not as an opinion "
        "in the shares below.",
    )


def changes_told(figures: Oversight) -> Told:
    return Told(
        "Overrides and edits",
        (
            f"Decisions on the teacher's own words that were no approval: {_share(figures.overridden)}.",
            f"Rules that a person rewrote, of those somebody worked on: {_share(figures.edited)}.",
        ),
        "A low share may mean good rules, or reviewers who wave them through. These figures alone cannot tell which.",
    )


def agreement_told(found: Agreement) -> Told:
    if found.n == 0:
        says: tuple[str, ...] = ("Not known yet: no revision has the decisions of two people on the same evidence.",)
    else:
        revisions = _count(found.n, "revision", "revisions")
        says = (
            f"On {revisions} two people decided beside the same evidence; they agreed on {_share(found.share)}.",
            _kappa(found),
            f"How often each verdict was given by these two: {_prevalence(found)}.",
        )
    return Told(
        "Agreement",
        says,
        "Two people can agree and both be wrong. A first rejection ends a review, so most pairs begin with an "
        "approval, and kappa is near 0 whatever the second person does: read it beside how often each verdict was "
        "given. Where the second person saw the first decision, agreement says less.",
    )


def _kappa(found: Agreement) -> str:
    if found.n < SMALL_SAMPLE or found.adjusted is None:
        return f"Cohen's kappa is not given below {SMALL_SAMPLE} such revisions."
    adjusted = f"Adjusted for prevalence (PABAK) it is {found.adjusted:.2f}."
    if found.kappa is None:
        return f"Cohen's kappa cannot be given, as only one verdict occurs. {adjusted}"
    if found.interval is None:
        why = (
            "is 1.00, as they never disagreed; no interval can be given"
            if found.agreed == found.n
            else f"is {found.kappa:.2f} and tells nothing here, as one of the two always gave the same verdict"
        )
        return f"Cohen's kappa {why}. {adjusted}"
    low, high = found.interval
    scale = "1 is full agreement, 0 what chance would give"
    return f"Cohen's kappa {found.kappa:.2f} (95 % interval {low:.2f} to {high:.2f}; {scale}). {adjusted}"


def _prevalence(found: Agreement) -> str:
    given = 2 * found.n
    counts = {Verdict(name): round(share * given) for name, share in found.prevalence.items()}
    return ", ".join(f"{_count(n, *VERDICTS[verdict])}" for verdict, n in counts.items()) + f", of {given:,}"


def time_told(figures: Oversight) -> Told:
    known = figures.decisions - figures.without_attention
    says = [f"The time at work is known of {known:,} of {_count(figures.decisions, 'decision', 'decisions')}."]
    says += [_band(band) for band in figures.active if band.n]
    return Told(
        "Time at work beside the length of the text",
        tuple(says),
        "Length is that of the rule and all its evidence. Time runs between two steps on the Review page, and each gap "
        f"counts {IDLE_S:.0f} seconds at most: a break does not count, and long reading without a step counts too "
        "low. It is not shown by person, and short is not good.",
    )


def band_name(band: TimeBand) -> str:
    """Such as `up to 3,000 characters`; the last band is `more than 10,000 characters`."""
    return (
        f"more than {LENGTH_BANDS[-1]:,} characters" if band.longest is None else f"up to {band.longest:,} characters"
    )


def seconds_words(seconds: float) -> str:
    """Such as `45 s`, from two minutes on `3 min`."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _band(band: TimeBand) -> str:
    name = band_name(band)
    begin = f"{name[0].upper()}{name[1:]}: {_count(band.n, 'decision', 'decisions')}"
    if band.median is None or band.low is None or band.high is None:
        return f"{begin} ({', '.join(map(seconds_words, band.dots))}), too few for a median."
    half = f"half of them took {seconds_words(band.low)} to {seconds_words(band.high)}"
    return f"{begin}, median {seconds_words(band.median)}; {half}."


def evidence_told(figures: Oversight) -> Told:
    found = figures.evidence
    if found.approvals == 0:
        says = ["Nothing was approved yet."]
    else:
        known = found.approvals - found.unknown
        says = [
            f"What was on the screen was noted for {known:,} of {_count(found.approvals, 'approval', 'approvals')}"
            + (f"; the rest ({found.unknown:,}) is unknown, and in no share below." if found.unknown else ".")
        ]
    if found.contradicting.n:
        says.append(
            f"Approvals with every contradicting example on the screen, where there were any: "
            f"{_share(found.contradicting)}. With the whole text of each: {_share(found.contradicting_in_full)}."
        )
    if found.all_shown.n:
        says.append(
            f"Approvals with all evidence on the screen: {_share(found.all_shown)}. With the whole text of each "
            f"example: {_share(found.all_in_full)}."
        )
    return Told(
        "Evidence before approval",
        tuple(says),
        "On the screen means drawn in the list beside the rule, which shows the closest 40 examples and folds long "
        "texts. It cannot tell that somebody read it. At the command line nothing is noted.",
    )


def opinions_told(found: Proportion) -> Told:
    says = (
        f"Asked for, and followed by somebody else's decision: {_share(found)}."
        if found.n
        else "Nobody asked for one yet."
    )
    return Told("Second opinions", (says,), "Few requests may mean clear rules, or a habit of not asking.")


def _share(share: Proportion) -> str:
    return share.words if share.n else "none yet"


def _count(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
