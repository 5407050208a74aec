"""The verifier repeats the few lines that make hashes; here both are kept in step."""

from __future__ import annotations

import ast
import io
import json
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.audit import GENESIS, seal
from pld_core.canonical import Json, canonical_json, hash_json
from pld_core.models import (
    ORDINARY,
    PRIORITIES,
    AuthorKind,
    Evidence,
    EvidenceRole,
    Example,
    Revision,
    RuleText,
    Split,
    Verdict,
    evidence_set_hash,
)
from pld_core.pack import verify
from storage.judging import PAST

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
HASHES = st.sampled_from([f"sha256:{c * 64}" for c in "abcd"])
LINKS = st.lists(st.tuples(HASHES, st.sampled_from(EvidenceRole)), max_size=8)


def test_the_verifier_needs_the_standard_library_only() -> None:
    source = Path(str(verify.__file__)).read_text(encoding="utf-8")
    wanted = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            wanted |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            wanted.add(str(node.module).split(".")[0])
    assert wanted <= sys.stdlib_module_names
    # Python 3.8 reads it: no syntax that came later.
    ast.parse(source, feature_version=(3, 8))


@given(JSON)
def test_the_same_value_has_the_same_hash(value: Json) -> None:
    assert verify.canonical(value) == canonical_json(value)
    assert verify.digest(value) == hash_json(value)
    assert verify.digest(verify.parse(canonical_json(value).encode())) == hash_json(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_json_has_no_hash(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        verify.digest({"x": value})


def test_a_key_that_is_written_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        verify.parse(b'{"a": 1, "b": {"c": 1, "c": 2}}')


@given(
    TEXT,
    TEXT,
    st.lists(TEXT, max_size=3),
    TEXT,
    st.sampled_from(AuthorKind),
    st.integers(1, 9),
    st.sampled_from(sorted(PRIORITIES)),
)
def test_the_same_revision_has_the_same_hash(
    title: str, condition: str, exceptions: list[str], author: str, kind: AuthorKind, number: int, priority: int
) -> None:
    text = RuleText(title, condition, ("keep",), tuple(exceptions), priority=priority)
    revision = Revision("R1", number, text, author, kind, "sha256:p", "not part of the hash")
    given_to_it = {
        "number": number,
        "text": json.loads(canonical_json(text.as_json())),
        "author": author,
        "author_kind": kind.value,
        "parent": "sha256:p",
        "reason": "another",
    }
    assert verify.revision_hash("R1", given_to_it) == revision.hash


@given(st.lists(st.tuples(TEXT, TEXT), max_size=3), TEXT)
def test_the_same_example_has_the_same_hash(fields: list[tuple[str, str]], label: str) -> None:
    example = Example(tuple(fields), label, Split.TRAIN)
    assert verify.example_hash({"fields": [list(pair) for pair in fields], "label": label}) == example.hash


@given(st.lists(LINKS, min_size=1, max_size=4))
def test_each_version_of_the_evidence_has_its_hash(versions: list[list[tuple[str, EvidenceRole]]]) -> None:
    links = [
        {"version": number, "example": example, "role": role.value}
        for number, version in enumerate(versions, 1)
        for example, role in version
    ]
    revision = {"evidence": links, "evidence_versions": [{"number": n} for n in range(2, len(versions) + 1)]}
    assert verify.evidence_sets(revision) == [
        evidence_set_hash(tuple(Evidence(e, role) for e, role in dict(version).items())) for version in versions
    ]


def test_a_version_that_is_not_told_of_cannot_be_read() -> None:
    for version in (0, 2, -1):
        with pytest.raises(KeyError):
            verify.evidence_sets({"evidence": [{"version": version}], "evidence_versions": []})


def test_an_ordinary_priority_is_the_same_one() -> None:
    assert verify.ORDINARY == ORDINARY


def test_the_chain_begins_where_ours_does_and_events_hash_alike() -> None:
    event = seal(1, "2026-01-02T03:04:05Z", "änna", "rule.x", "R1", {"n": 1.5, "t": "\u2028"}, GENESIS)
    body = {
        "seq": 1,
        "at": event.at,
        "actor": event.actor,
        "kind": event.kind,
        "subject": event.subject,
        "payload": event.payload,
        "prev": verify.GENESIS,
    }
    assert verify.digest(body) == event.hash


def test_verdicts_are_told_by_the_same_kinds() -> None:
    assert {f"rule.{past}": verdict.value for verdict, past in PAST.items()} == verify.VERDICTS
    assert set(verify.VERDICTS.values()) == {verdict.value for verdict in Verdict}


def test_a_damaged_zip_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("manifest.json", "{}" * 1000)
    whole = content.getvalue()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    assert verify.main([str(tmp_path / "cut.zip")]) == 1
    assert capsys.readouterr().out.startswith("BROKEN. There is no readable audit pack at")
