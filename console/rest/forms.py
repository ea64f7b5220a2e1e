"""Validation of request data with the forms and filters of the console."""

from typing import Any, TypeVar

from django.db.models import Model
from django.forms import BaseForm
from django.forms.models import model_to_dict
from django.http import QueryDict
from django_filters import FilterSet

from console.rest.problems import Unfit
from console.sql import Rows

Form = TypeVar("Form", bound=BaseForm)


def checked(
    form_class: type[Form], data: dict[str, Any], *, lists: dict[str, str] | None = None, **kwargs: Any
) -> Form:
    """Return the form, bound to the data and valid. For an existing row, omitted fields keep their values.

    `lists` maps fields of the form to the list of the body that contains them. Raises Unfit with the form's own
    sentences, under the names used in the body.
    """
    instance = kwargs.get("instance")
    if instance is not None:
        kept = model_to_dict(instance)
        data = {**{name: value for name, value in kept.items() if value is not None}, **data}
    form = form_class({name: _as_posted(value) for name, value in data.items()}, **kwargs)
    if not form.is_valid():
        found: dict[str, list[str]] = {}
        for name, errors in form.errors.items():
            place = (lists or {}).get(name)
            label = f"{form.fields[name].label}: " if place else ""
            found.setdefault(place or name, []).extend(f"{label}{each}" for each in errors)
        raise Unfit(found)
    return form


def filtered(filters: type[FilterSet], rows: Rows, request: Any, **wanted: Any) -> Rows:
    """Return the rows that the console's filters leave. None, False and empty values do not filter.

    A number is always the id of a row, although a person may type the beginning of a name into the same field. Raises
    Unfit if a filter does not accept its value.
    """
    data = QueryDict(mutable=True)
    for name, value in wanted.items():
        if value not in (None, False, "", []):
            data.setlist(
                name, [str(each) for each in (value if isinstance(value, list) else ["on" if value is True else value])]
            )
    filterset = filters(data, queryset=rows, request=request)
    filterset.is_valid()
    taken = filterset.form.cleaned_data
    ids = {name: value for name, value in wanted.items() if type(value) is int}
    unknown = [name for name in ids if isinstance(taken.get(name), Model) and taken[name].pk != ids[name]]
    if unknown:
        raise Unfit({name: ["There is none with this ID."] for name in unknown})
    if not filterset.is_valid():
        raise Unfit({name: [str(each) for each in errors] for name, errors in filterset.errors.items()})
    return filterset.qs


def _as_posted(value: Any) -> Any:
    """Return a value as a browser would post it: False and None become empty text."""
    if value is False:
        return ""
    return "" if value is None else value
