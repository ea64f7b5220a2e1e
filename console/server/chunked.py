"""Gives chunked bodies (RFC 9112, section 7.1) a length, because Django reads no body without one."""

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import IO, Any

# Enough for the largest call of the API; longer files come from browsers, which declare the length.
MOST_BYTES = 16 * 1024 * 1024
IN_MEMORY, AT_ONCE = 1024 * 1024, 64 * 1024
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _BrokenError(Exception):
    """The body ends early, or its chunks are malformed."""


def measured(application: Application) -> Application:
    """Wrap the application so that every body has a length.

    Answers 413 above 16 MB and 400 for chunks that are broken or end early, without calling the application.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "HTTP_TRANSFER_ENCODING" not in environ or not environ.get("wsgi.input_terminated"):
            return application(environ, start_response)
        with SpooledTemporaryFile(max_size=IN_MEMORY) as body:
            try:
                length = _copy(environ["wsgi.input"], body)
            except (_BrokenError, OSError):
                return _refuse(start_response, HTTPStatus.BAD_REQUEST, "malformed", "The body is cut off or broken.")
            if length > MOST_BYTES:
                sentence = "A body without a Content-Length can have up to 16 MB. Send it in parts."
                return _refuse(start_response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", sentence)
            body.seek(0)
            del environ["HTTP_TRANSFER_ENCODING"]
            return application(environ | {"wsgi.input": body, "CONTENT_LENGTH": str(length)}, start_response)

    return answer


def _copy(source: Any, to: IO[bytes]) -> int:
    """Copy until the end, or until it is too much. Returns the number of bytes."""
    length = 0
    while length <= MOST_BYTES and (part := _read(source)):
        to.write(part)
        length += len(part)
    return length


def _read(source: Any) -> bytes:
    try:
        return source.read(AT_ONCE)
    except Exception as error:
        # Each server has its own errors for this, and the application must not depend on any of them.
        raise _BrokenError from error


def _refuse(start_response: Callable[..., Any], status: HTTPStatus, code: str, sentence: str) -> list[bytes]:
    said = {"type": "about:blank", "title": sentence, "status": status.value, "code": code}
    body = json.dumps(said).encode()
    start_response(
        f"{status.value} {status.phrase}",
        [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))],
    )
    return [body]
