"""Puts names of existing things into the calls that schemathesis makes up, so that they get past "no such thing".

Only what fits the document is touched: an address, a query or a body that is made up to be wrong stays as wrong as it
is, and beside it the rest of the call is right. Every verb that uses a thing up gets one of its own, made by
`schema_things`.
"""

import atexit
import json
import os
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import GenerationMode
from schemathesis.generation.meta import TestPhase

from tests.e2e import schema_bodies, schema_things

SEEN = Path(os.environ["CUSTODY_API_SEEN"])
_calls, _answers = count(1), Counter()
atexit.register(lambda: SEEN.write_text(json.dumps(_answers)))


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Put what there is in the places of what is made up."""
    if case.meta is None:
        return
    name = case.operation.definition.raw["operationId"]
    made = case.meta.components
    wrong = {where.value for where in made if made[where].mode == GenerationMode.NEGATIVE}
    # A step of a scenario goes on with what the one before it answered.
    is_step, thing = case.meta.phase.name == TestPhase.STATEFUL, {}
    if is_step:
        schema_things.keep(name, case.path_parameters)
    elif "path" not in wrong:
        thing = schema_things.of(name, is_used=not wrong)
        case.path_parameters.update({key: thing[key] for key in case.path_parameters if key in thing})
    if wrong:
        return
    # With the token of another call, every call would be answered that it is another one.
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"{case.headers['Idempotency-Key'][:240]}-{next(_calls)}"
    # An ETag that is made up is another one than that of now.
    if "If-Match" in case.headers:
        case.headers["If-Match"] = "*"
    if "If-None-Match" in case.headers:
        case.headers["If-None-Match"] = '"another"'
    schema_bodies.mend_query(name, case.query)
    if name in schema_bodies.TOLD_MORE and not isinstance(case.body, dict):
        case.body, case.media_type = {}, "application/json"
    if isinstance(case.body, dict):
        schema_bodies.mend(name, case.body, thing)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Count what was answered to which call; the test reads it at the end."""
    name = case.operation.definition.raw["operationId"]
    schema_things.was_answered(name, is_refused=response.status_code >= 400)
    if case.meta is not None:
        _answers[f"{name} {case.meta.generation.mode.value} {response.status_code}"] += 1
