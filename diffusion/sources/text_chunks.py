"""Text of a file in any encoding, plain, compressed or in a zip archive, as chunks of UTF-8 with LF line ends."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import pyarrow as pa

from diffusion.errors import DiffusionError, SettingError, SourceError
from diffusion.sources.archives import UNREADABLE, open_member
from diffusion.sources.listing import ListedFile

_MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32-le",  # begins as UTF-16-LE does, so it is looked for first
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

_WITHOUT_MARK: Final = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}
"""Encoding that begins with a mark → the one of a file that has none."""

_ESCAPES: Final = ("unicode-escape", "raw-unicode-escape")
"""Spellings of text in source code: a backslash in a title would be read as the start of a code."""

_COMPRESSED: Final = {".gz": "gzip", ".zst": "zstd"}

_BAD_BYTES: Final = "diffusion.bad_bytes"
"""Name of the error handler that makes a lone surrogate, which no UTF-8 has, of each byte that is no text."""


class ByteStream(Protocol):
    """What can be read in parts."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""
        ...


def text_chunks(file: ListedFile, encoding: str, line_end: bytes, size: int) -> Iterator[bytes]:
    """Yield a file's text as UTF-8 with LF line ends; the last chunk is empty.

    Bytes that are no text in `encoding` become bytes that are not UTF-8, so that their lines can be told.

    Parameters
    ----------
    file
        File, or member of an archive.
    encoding
        Encoding, as `find_encoding` returns it.
    line_end
        CR where all lines end in CR alone, LF otherwise.
    size
        Bytes to read at a time.

    Raises
    ------
    SourceError
        When the file cannot be read to its end.
    """
    decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)(errors=_BAD_BYTES)
    held, first = b"", True
    for chunk, final in raw_chunks(file, size):
        if decoder is not None:
            text = decoder.decode(chunk, final)
            chunk = (text.removeprefix("\ufeff") if first else text).encode("utf-8", errors="surrogatepass")
            first = first and not text
        elif first:
            chunk, first = chunk.removeprefix(codecs.BOM_UTF8), False
        chunk = held + chunk
        held = b"\r" if chunk.endswith(b"\r") and not final else b""  # an LF may follow
        chunk = chunk.removesuffix(held)
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(line_end, b"\n")
        if chunk:
            yield chunk
    yield b""


def raw_chunks(file: ListedFile, size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield a file's bytes, decompressed, with a flag on the last.

    Raises
    ------
    SourceError
        When the file cannot be read to its end.
    """
    try:
        with _opened(file) as stream:
            while chunk := stream.read(size):
                yield chunk, False
            yield b"", True
    except DiffusionError:
        raise
    except UNREADABLE as error:
        raise unreadable(file, error) from error


def whole_bytes(file: ListedFile, most: int, advice: str) -> bytes:
    """Return all bytes of a file.

    Raises
    ------
    SourceError
        When the file cannot be read, or has more than `most` bytes; the line ends in `advice`.
    """
    content = bytearray()
    for chunk, _ in raw_chunks(file, 1 << 20):
        content += chunk
        if len(content) > most:
            raise SourceError(f"'{file.place}' has more than {most:,} bytes of {file.kind}; {advice}")
    return bytes(content)


def unreadable(file: ListedFile, error: BaseException) -> SourceError:
    """Return the error that says that a file is not as the kind that its name says."""
    said = str(error).strip() or type(error).__name__
    return SourceError(f"cannot read '{file.place}' as {file.kind}: {said.splitlines()[0]}")


@contextmanager
def _opened(file: ListedFile) -> Iterator[ByteStream]:
    compression = next((name for end, name in _COMPRESSED.items() if file.place.name.lower().endswith(end)), None)
    if not file.member:
        with pa.input_stream(str(file.path), compression=compression) as stream:
            yield stream
        return
    with open_member(file.path, file.member) as member:
        if compression is None:
            yield member
            return
        with pa.CompressedInputStream(pa.PythonFile(member, mode="r"), compression) as stream:
            yield stream


def find_encoding(file: ListedFile, given: str | None) -> str:
    """Return the encoding of a file: that of its mark (BOM), else `given`, else as its first bytes look.

    Raises
    ------
    SettingError
        When `given` is no encoding of text files.
    SourceError
        When the file cannot be read.
    """
    asked = known_encoding(given) if given is not None else None
    first = next(raw_chunks(file, 4096))[0]
    marked = next((encoding for mark, encoding in _MARKS.items() if first.startswith(mark)), None)
    if marked:
        return marked
    if asked and asked not in _WITHOUT_MARK:
        return asked
    seen = _by_zeros(first)
    return seen if asked is None or seen.startswith(asked) else _WITHOUT_MARK[asked]


def known_encoding(name: str) -> str:
    """Return the usual name of an encoding.

    Raises
    ------
    SettingError
        When there is no such encoding, or it is none of text files, such as base64.
    """
    allowed = "known are for example latin-1, cp1252, utf-16, shift_jis and gb18030"
    try:
        encoding = codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise SettingError(f"unknown encoding {name!a}; {allowed}") from error
    try:
        sample = "rank,title\n".encode(encoding)
        codecs.getincrementaldecoder(encoding)(errors=_BAD_BYTES).decode(sample, True)
        usable = encoding.replace("_", "-") not in _ESCAPES
    except (LookupError, UnicodeError):
        usable = False
    if not usable:
        raise SettingError(f"'{name}' is no encoding of text files; {allowed}")
    return encoding


def _by_zeros(first: bytes) -> str:
    """Return UTF-16 or UTF-32 where the zeros among a file's first bytes say so, else UTF-8."""
    zeros = [first[place::4].count(0) for place in range(4)]
    most = len(first) / 4
    if min(zeros[1:]) > 0.8 * most or min(zeros[:3]) > 0.8 * most:
        return "utf-32-be" if zeros[0] > zeros[3] else "utf-32-le"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if max(even, odd) > len(first) / 5:
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8"


def _bad_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_BAD_BYTES, _bad_bytes)
