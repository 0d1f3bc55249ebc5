"""The kinds of field that requests are made of: checked without coercion, described for the API document."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from parlour.domain import meta
from parlour.domain.moment import parse_moment
from parlour.domain.room import DESCRIPTION_MAX, DISPLAY_NAME_MAX, NAME_MAX
from parlour.store.kept_json import KeptJson, compact_json

ABSENT: Any = None
"""The default of a field that was not given; such fields are read with ``exclude_unset`` and never seen."""

CONTROL = r"\u0000-\u001f\u007f-\u009f"
NAME_PATTERN = rf"^[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*$"
LINE_PATTERN = rf"^[^{CONTROL}]*$"
TEXT_PATTERN = r"^[^\u0000]*$"


_CONTROLS = re.compile(f"[{CONTROL}]")


def no_control(text: str) -> str:
    """Refuse control characters."""
    if _CONTROLS.search(text):
        raise PydanticCustomError("invalid_parameter_value", "{field} must not contain control characters")
    return text


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("invalid_parameter_value", "{field} must not contain NUL")
    return text


def present(text: str) -> str:
    """Trim; refuse what is blank. A byte order mark is blank too, as in the regular expressions of JSON Schema."""
    trimmed = text.strip()
    if not trimmed.replace("\ufeff", "").strip():
        raise PydanticCustomError("missing_required_parameter", "{field} must not be blank")
    return trimmed


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return parse_moment(value)
        except ValueError:
            pass
    raise PydanticCustomError("not_a_datetime", "{field} must be a date-time such as 2026-05-06T12:20:00Z")


def _meta(value: dict[str, Any] | None) -> KeptJson:
    wrong = meta.complaint(value or {})
    if wrong is not None:
        raise PydanticCustomError("invalid_parameter_value", "{field} {wrong}", {"wrong": wrong})
    return KeptJson(compact_json(value or {}))


def _whole(value: Any) -> Any:
    # To JSON Schema 30.0 is an integer, and there are languages whose JSON writes 30 so.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def drop_absent(schema: dict[str, Any]) -> None:
    """Show no default where there is none to speak of."""
    for field in schema["properties"].values():
        if field.get("default", ...) is None:
            del field["default"]


def drop_defaults(schema: dict[str, Any]) -> None:
    """Show no defaults: in a change, what is not named stays."""
    for field in schema["properties"].values():
        field.pop("default", None)


def _schema(**schema: Any) -> WithJsonSchema:
    return WithJsonSchema(schema)


Name = Annotated[
    str,
    StringConstraints(max_length=NAME_MAX),
    AfterValidator(no_control),
    AfterValidator(present),
    _schema(type="string", minLength=1, maxLength=NAME_MAX, pattern=NAME_PATTERN),
]
DisplayName = Annotated[
    str,
    StringConstraints(max_length=DISPLAY_NAME_MAX),
    AfterValidator(no_control),
    _schema(type="string", maxLength=DISPLAY_NAME_MAX, pattern=LINE_PATTERN),
]
Description = Annotated[
    Annotated[str, StringConstraints(max_length=DESCRIPTION_MAX), AfterValidator(_no_nul)] | None,
    AfterValidator(lambda text: text or ""),
    _schema(type=["string", "null"], maxLength=DESCRIPTION_MAX, pattern=TEXT_PATTERN),
]
Whole = BeforeValidator(_whole)
Moment = Annotated[datetime | None, BeforeValidator(_moment), _schema(type=["string", "null"], format="date-time")]
Meta = Annotated[dict[str, Any] | None, AfterValidator(_meta), _schema(type=["object", "null"], properties={})]
