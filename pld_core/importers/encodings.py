"""How the bytes of a text file become characters: told by marks, by validity, and for old files by their letters.

The whole file is decoded once when it is opened, so that no import fails at a bad byte half way.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TextIO

from charset_normalizer import from_bytes

from pld_core.errors import InvalidInput
from pld_core.importers.files import InputFile

CHUNK = 2**20
# The longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Text codecs for Python, but escapes and host names rather than files of text.
_NO_FILES = ("unicode-escape", "raw-unicode-escape", "idna", "punycode", "undefined", "utf-7")
_SAMPLE = 32 * 1024


@dataclass(frozen=True)
class Encoding:
    """How to read a text file.

    Attributes:
        name: as people name it and as `--encoding` takes it, such as `utf-8` or `cp1252`.
        note: a sentence for people; empty for UTF-8 and for what they named themselves.
    """

    name: str
    note: str = ""

    @property
    def codec(self) -> str:
        """The name for Python: a byte order mark is no part of the text."""
        return "utf-8-sig" if self.name == "utf-8" else self.name


def open_text(file: InputFile, encoding: Encoding, newline: str = "") -> TextIO:
    """Open the file as text; line ends stay as they are. `newline` says what ends a line, as for `open`."""
    return file.path.open(encoding=encoding.codec, newline=newline)


def head_text(file: InputFile, encoding: Encoding) -> str:
    """Return the first characters; one that the end of the head cuts is left out."""
    return codecs.getincrementaldecoder(encoding.codec)().decode(file.head, final=file.is_whole)


# The format and its opener both ask; once a file is enough.
@lru_cache(maxsize=4)
def find_encoding(file: InputFile, named: str = "") -> Encoding:
    """Return how to read the file, after all of it was decoded once.

    Raises:
        InvalidInput: not text, only blanks, an encoding that cannot be told, or one that does not fit.
    """
    mark = next((name for bom, name in _MARKS if file.head.startswith(bom)), "")
    if named:
        return _checked(file, Encoding(_known(named, mark, file)))
    if mark:
        return _checked(file, Encoding(mark, "" if mark == "utf-8" else f"Read as {mark.upper()}."))
    wide = _wide(file.head)
    if wide:
        return _checked(file, Encoding(wide, f"Read as {wide.upper()}; name another with --encoding if wrong."))
    bad = _first_bad_byte(file, Encoding("utf-8"))
    return Encoding("utf-8") if bad is None else _old_encoding(file, bad)


def _known(named: str, mark: str, file: InputFile) -> str:
    """Return Python's name of an encoding that somebody named."""
    try:
        info = codecs.lookup(named)
        "".encode(info.name)
    except (LookupError, ValueError, UnicodeError) as error:
        raise _unknown(named) from error
    name = info.name.removesuffix("-sig")
    if name.replace("_", "-") in _NO_FILES:
        raise _unknown(named)
    if mark and not name.startswith(mark):
        raise InvalidInput(
            f"{file.name} begins with the mark of {mark.upper()}, so it is not {named}. Nothing was imported. "
            "Leave the encoding out."
        )
    # With its mark, `utf-16-le` would keep the mark as a first character.
    return mark or (name == "utf-16" and _wide(file.head)) or name


def _unknown(named: str) -> InvalidInput:
    return InvalidInput(
        f"There is no text encoding {named!r}. Nothing was imported. "
        "Usual ones are utf-8, utf-16, cp1252 (Windows Latin), cp1251, shift_jis and gb18030."
    )


def _checked(file: InputFile, encoding: Encoding) -> Encoding:
    bad = _first_bad_byte(file, encoding)
    if bad is not None:
        raise InvalidInput(
            f"{file.name} is not {encoding.name}: byte {bad + 1:,} does not fit. Nothing was imported. "
            "Name the right encoding with --encoding, or save the file as UTF-8."
        )
    return encoding


def _first_bad_byte(file: InputFile, encoding: Encoding) -> int | None:
    """Return the offset of the first byte that does not fit, or None; refuse a file of nothing but blanks."""
    # Not `codec`: without its mark, the bytes would be counted from after the mark.
    decoder = codecs.getincrementaldecoder(encoding.name)()
    has_text, offset, held = False, 0, 0
    try:
        for chunk in _chunks(file):
            # Bytes held back from the chunk before come first in what the error counts.
            held = len(decoder.getstate()[0])
            text = decoder.decode(chunk)
            has_text = has_text or bool(text.strip("\ufeff \t\r\n\x00"))
            offset += len(chunk)
        held = len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return max(0, offset - held + error.start)
    except UnicodeError:
        # UTF-16 and UTF-32 without their mark.
        return 0
    if not has_text:
        raise InvalidInput(
            f"{file.name} holds nothing but blanks. Nothing was imported. Choose a file with at least one example."
        )
    return None


def _chunks(file: InputFile) -> Iterator[bytes]:
    with file.path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _wide(head: bytes) -> str:
    """Return `utf-16-le` or `utf-16-be` if the zeros of a file without a mark stand as they do there, else nothing.

    Latin letters, blanks and line ends have a zero in their upper half. So nearly all of one half are zeros for Latin
    text, some for any other, and none of the other half.
    """
    even, odd = head[0::2], head[1::2]
    if not odd or b"\0" not in head:
        return ""
    high, low = (odd, even) if odd.count(0) > even.count(0) else (even, odd)
    share, rest = high.count(0) / len(high), low.count(0) / len(low)
    # Where the bytes are good UTF-8 as well, only the pattern of Latin text is proof.
    least = 0.6 if _is_utf8(head) else 0.01
    if share < least or rest > share / 20:
        return ""
    return "utf-16-le" if high is odd else "utf-16-be"


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _old_encoding(file: InputFile, bad: int) -> Encoding:
    """Return the encoding of a file that is not UTF-8 from byte `bad` on.

    Raises:
        InvalidInput: it is UTF-8 with a damaged byte, or no text, or its letters make no sense as Windows Latin.
    """
    with file.path.open("rb") as stream:
        before = max(0, bad - _SAMPLE // 2)
        stream.seek(before)
        sample = stream.read(_SAMPLE)
    where = f"byte {bad + 1:,} is not UTF-8"
    if b"\0" in sample or _control_share(sample) > 0.02:
        raise InvalidInput(
            f"{file.name} is not a text file ({where}). Nothing was imported. "
            "Save the data as CSV, JSONL, Parquet or XLSX and import that."
        )
    if not sample[: bad - before].isascii():
        # Letters beyond ASCII that are good UTF-8 come first: as Windows Latin all of them would be wrong.
        raise InvalidInput(
            f"{file.name} is damaged: it is UTF-8 up to {where}. Nothing was imported. "
            "Save it again as UTF-8, or name its encoding with --encoding."
        )
    # Only Windows Latin is tried: between their neighbours, short files of the other code pages cannot be told apart.
    best = from_bytes(sample, cp_isolation=["cp1252"], enable_fallback=False).best()
    name = Encoding("cp1252", "Read as cp1252 (Windows Latin); name another with --encoding if characters look wrong.")
    if best is None or _first_bad_byte(file, name) is not None:
        raise InvalidInput(
            f"The encoding of {file.name} cannot be told ({where}). Nothing was imported. "
            "Name it with --encoding, such as cp1251, shift_jis or gb18030, or save the file as UTF-8."
        )
    return name


def _control_share(sample: bytes) -> float:
    controls = sum(sample.count(code) for code in (*range(9), *range(14, 27), *range(28, 32)))
    return controls / max(1, len(sample))
