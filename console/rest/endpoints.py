"""Decorator and view factory of the API: who may call an endpoint, what it takes and what it returns.

@endpoint("See a product", may=Permission.VIEW, answers=ProductOut)
def product_detail(request, pk): ...

path("products/<int:pk>", resource(get=product_detail, patch=product_edit))
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from functools import cache, partial, update_wrapper
from inspect import unwrap
from typing import Any, ClassVar, cast

from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from console.access import Actor, CustomerScope, Permission
from console.errors import Refused
from console.numbers import whole
from console.rest import idempotency, preconditions
from console.rest.fields import Body
from console.rest.limits import CallsAMinute
from console.rest.paging import FeedQuery, PageQuery
from console.rest.permissions import HasKey, MayCall
from console.rest.problems import Unfit

Function = Callable[..., Any]
# Marks the GET of a single object in the OpenAPI document until `console.rest.schema` replaces it.
SINGLE = "x-single"
MOST_BYTES = 16 * 1024 * 1024
# Bodies that clients send to calls that take none.
EMPTY = {b"", b"{}", b"null"}
TOKEN = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Makes it safe to repeat the call: a repeat within 24 hours returns the first response.",
)


@dataclass
class Endpoint:
    """One function of the API, with what it takes and what it returns.

    `may` is the permission that an organization's key needs, or None if no such key may call it; `customer` is the
    scope that a customer's key needs, or None likewise. With `is_for_any_key`, every key may call it, whatever its
    scopes. The function finds the values read in `request.query` and `request.body_data`. `guard` runs before the
    function and outside the transaction of a repeatable call, so that a refusal cannot roll back what it has counted.
    """

    run: Function
    summary: str
    may: Permission | None
    customer: CustomerScope | None = None
    query: type[Body] | None = None
    takes: type[Body] | None = None
    answers: type[serializers.Serializer] | dict[str, Any] | None = None
    status: int = 200
    is_list: bool = False
    tag: str = ""
    media: list[str] = field(default_factory=list)
    example: dict[str, Any] | None = None
    guard: Callable[[Any], None] | None = None
    is_secret: bool = False
    is_for_any_key: bool = False
    # The GET of the same address, if it returns a single object.
    getter: "Endpoint | None" = None

    def needed(self, actor: Actor) -> Permission | CustomerScope | None:
        """Return the permission or scope that the actor's key needs, or None if no key of its kind may call."""
        return self.customer if actor.kind == "customer" else self.may

    def call(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        """Check what was sent, then run the function. The resource's permissions have checked the caller already."""
        raw = _body(request._request)
        if self.takes is None and raw.strip() not in EMPTY:
            raise serializers.ValidationError(_("This call takes no body."))
        request.query = self._read(request, self._query(), _single(request.query_params))
        # If no field is required, a missing body is equivalent to an empty one.
        data = request.data if raw.strip() else {}
        request.body_data = self._read(request, self.takes, data, partial=request.method == "PATCH")
        if self.guard is not None:
            self.guard(request)
        if request.method in {"GET", "HEAD"}:
            return self._shown(request, self.answer(request, self.run(request, **kwargs)))
        act = lambda: self._tagged(self.answer(request, self.run(request, **kwargs)))  # noqa: E731
        if preconditions.is_asked(request):
            act = partial(preconditions.guarded, request, act)
        token = request.headers.get("Idempotency-Key")
        if token is not None and self.is_secret:
            raise Refused(
                "not_repeatable",
                _("The response contains a secret, which isn't stored. Send the call without an Idempotency-Key."),
                status=422,
            )
        if token is None or request.method != "POST":
            return act()
        said = f"{request.method} {request.get_full_path()}\n".encode() + raw
        return idempotency.once(token, key_id=request.auth.pk, said=said, act=lambda: _rendered(request, act()))

    def _query(self) -> type[Body] | None:
        return self.query or (PageQuery if self.is_list else Nothing)

    def _read(self, request: Any, shape: type[Body] | None, data: Any, *, partial: bool = False) -> dict[str, Any]:
        if shape is None:
            return {}
        actor = getattr(request, "actor", None)
        context = {"organization": actor.organization if actor else None}
        reader = shape(data=data, partial=partial, context=context)
        reader.is_valid(raise_exception=True)
        if unfit := reader.unfit(reader.validated_data):
            raise Unfit(unfit)
        return reader.validated_data

    @property
    def is_single(self) -> bool:
        """Whether a GET of this endpoint returns one object, which then has an ETag."""
        return isinstance(self.answers, type) and not self.is_list

    def _shown(self, request: Any, response: Any) -> HttpResponseBase:
        """Return the response to a GET: a single object gets its ETag, or a 304 if the caller has it already."""
        if not self.is_single or not isinstance(response, Response):
            return response
        response["ETag"] = tag = preconditions.of(response.data)
        if "If-Match" in request.headers and not preconditions.is_among(tag, request.headers["If-Match"]):
            raise Refused(
                "precondition_failed",
                _("The resource has changed since it was read."),
                status=412,
                headers={"ETag": tag},
            )
        if preconditions.is_among(tag, request.headers.get("If-None-Match", ""), weakly=True):
            return Response(status=304, headers={"ETag": tag})
        return response

    def _tagged(self, response: Any) -> Any:
        """Return the response to a change, with an ETag if it equals what the GET of the same address returns."""
        if self.getter is not None and self.getter.answers is self.answers and isinstance(response, Response):
            response["ETag"] = preconditions.of(response.data)
        return response

    def answer(self, request: Any, result: Any) -> HttpResponseBase:
        if isinstance(result, HttpResponseBase):
            return result
        if result is None:
            return Response(status=204)
        if isinstance(self.answers, type):
            return Response(self.answers(result, context=reader(request.actor)).data, status=self.status)
        return Response(result, status=self.status)

    def schema(self, name: str, method: str) -> Callable[..., Any]:
        """Return the decorator that describes this endpoint to drf-spectacular."""
        answers: Any = self.answers
        if self.is_list and isinstance(answers, type):
            answers = _page_of(answers, issubclass(self.query or PageQuery, FeedQuery))
        if answers is None:
            answers = OpenApiResponse(description="Done.")
        kinds: dict[Any, Any] = {(self.status, media): bytes for media in self.media} or {self.status: answers}
        query = self._query()
        parameters: list[Any] = [query] if query and query is not Nothing else []
        if method == "post" and not self.is_secret:
            parameters.append(TOKEN)
        marks = {SINGLE: True} if method == "get" and self.is_single else {}
        return extend_schema(
            operation_id=name,
            summary=self.summary,
            description=self._description(),
            tags=[self.tag],
            request=self.takes,
            responses=kinds,
            examples=self._examples(),
            parameters=parameters,
            extensions=marks,
        )

    def _examples(self) -> list[OpenApiExample]:
        if self.example is None:
            return []
        return [OpenApiExample("Example", value=self.example, request_only=True)]

    def _description(self) -> str:
        scopes = [f"`{scope.value}`" for scope in (self.may, self.customer) if scope is not None]
        text = " ".join((self.run.__doc__ or "").split())
        if self.is_for_any_key:
            return f"{text} Any key may."
        return f"{text} Scope: {', of a customer’s key '.join(scopes)}."


class Nothing(Body):
    """The query of a call without parameters."""


def endpoint(summary: str, *, may: Permission | None, **terms: Any) -> Callable[[Function], Endpoint]:
    """Return a decorator that turns a function into an endpoint, grouped under the `TAG` of its module.

    For the terms see Endpoint.
    """

    def mark(run: Function) -> Endpoint:
        tag = unwrap(run).__globals__["TAG"]
        usual = {"tag": tag} if terms.get("answers") or terms.get("media") else {"tag": tag, "status": 204}
        made = Endpoint(run, summary, may, **{**usual, **terms})
        update_wrapper(made, run, assigned=("__module__", "__name__", "__doc__"))  # type: ignore[arg-type]
        return made

    return mark


class Resource(APIView):
    """View of one address of the API.

    Authentication, limit and permissions are DRF's own steps, in a different order.
    """

    permission_classes = [HasKey, MayCall]
    throttle_classes = [CallsAMinute]
    endpoints: ClassVar[dict[str, Endpoint]] = {}

    @property
    def endpoint(self) -> Endpoint | None:
        """Return the endpoint for the request's method, or None if the address has no such method."""
        method = (self.request.method or "").lower()
        return self.endpoints.get("get" if method == "head" else method)

    def check_permissions(self, request: Any) -> None:
        """Count the call before checking permissions, so that refused calls are limited too."""
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, request: Any) -> None:
        """Do nothing: `check_permissions` has counted the call already."""


def resource(**endpoints: Endpoint) -> Callable[..., HttpResponseBase]:
    """Return the view of one address, with one endpoint per method, named in lower case."""
    methods: dict[str, Any] = {"endpoints": endpoints, "http_method_names": [*endpoints, "options"]}
    if "get" in endpoints:
        methods["http_method_names"].append("head")
    single = endpoints.get("get")
    for method, made in endpoints.items():
        made.getter = single if single is not None and single.is_single else None

        def answer(self: APIView, request: Any, _made: Endpoint = made, **kwargs: Any) -> HttpResponseBase:
            # Times are in UTC, even if a cookie names the browser's time zone.
            with timezone.override(UTC):
                return _made.call(request, **kwargs)

        methods[method] = made.schema(made.run.__name__, method)(answer)
    view = cast(type[APIView], type("Resource", (Resource,), methods)).as_view()
    view.policy = "api"
    view.endpoints = endpoints
    return view


@cache
def _page_of(shape: type[serializers.Serializer], is_feed: bool) -> serializers.Serializer:
    """Return the shape of a page of these objects."""
    fields = {"results": shape(many=True), "next": serializers.CharField(allow_null=True)}
    if is_feed:
        fields["more"] = serializers.BooleanField(
            required=False, help_text="In ascending order: whether there is more to read now, from `next`."
        )
    return inline_serializer(f"{shape.__name__}Page", fields)


def _single(query: Any) -> dict[str, Any]:
    """Return the query with one value per parameter; raise ValidationError for a repeated parameter."""
    twice = [name for name, values in query.lists() if len(values) > 1]
    if twice:
        raise serializers.ValidationError({name: ["It is sent more than once."] for name in twice})
    return query.dict()


def reader(actor: Any) -> dict[str, Any]:
    """Return the reader as serializer context, for shapes that hide fields from some readers."""
    return {"reader": actor.kind, "customers": actor.customers}


def _body(request: Any) -> bytes:
    """Return the whole body, read once. Raises Refused (413) if it is above the limit."""
    length = whole(request.META.get("CONTENT_LENGTH") or "0")
    if length is None or length > MOST_BYTES:
        raise _too_large()
    request._body = request.read(MOST_BYTES + 1)
    if len(request._body) > MOST_BYTES:
        raise _too_large()
    return request._body


def _too_large() -> Refused:
    return Refused("too_large", _("A call can have up to 16 MB. Send it in parts."), status=413)


def _rendered(request: Any, response: Any) -> Any:
    if isinstance(response, Response) and not response.is_rendered:
        response.accepted_renderer, response.accepted_media_type = (
            request.accepted_renderer,
            request.accepted_media_type,
        )
        response.renderer_context = {"request": request}
    return response
