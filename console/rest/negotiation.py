"""Content negotiation of the API: JSON, or the one format that an address documents."""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import JSONParser


class JsonOrFile(BaseContentNegotiation):
    """Returns what the documentation of the address says, regardless of the caller's `Accept` header."""

    def select_parser(self, request: Any, parsers: list[Any]) -> Any:
        """Return the parser for the body's media type, or None to respond with 415."""
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(self, request: Any, renderers: list[Any], format_suffix: str | None = None) -> tuple[Any, str]:
        """Return the JSON renderer."""
        return renderers[0], renderers[0].media_type


class Json(JSONParser):
    """Parser for JSON that is not nested deeper than Python can follow."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the parsed body. Raises ParseError if it is not JSON or is nested too deeply."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("It is nested too deep.") from None
