"""Pydantic's findings in the words and codes of the API."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from parlour.domain.errors import InvalidInput, Problem

Model = TypeVar("Model", bound=BaseModel)

_WORDS: dict[str, tuple[str, str]] = {
    "missing": ("missing_required_parameter", "{field} is required"),
    "string_type": ("not_a_string", "{field} must be a string"),
    "string_unicode": ("invalid_parameter_value", "{field} must be valid Unicode"),
    "string_too_long": ("invalid_parameter_value", "{field} must be at most {max_length} characters long"),
    "bool_type": ("not_a_boolean", "{field} must be true or false"),
    "int_type": ("invalid_parameter_value", "{field} must be a whole number"),
    "greater_than_equal": ("invalid_parameter_value", "{field} must be at least {ge}"),
    "less_than_equal": ("invalid_parameter_value", "{field} must be at most {le}"),
    "dict_type": ("not_a_hash", "{field} must be a JSON object"),
    "enum": ("invalid_parameter", "{field} must be one of {expected}"),
    "literal_error": ("invalid_parameter", "{field} must be one of {expected}"),
}


def validate(model: type[Model], given: Mapping[str, Any]) -> Model:
    """Read ``given`` as ``model``. Raises ``InvalidInput`` with every problem, in the order of the model's fields."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems = {(item["loc"][:1], item["type"]): item for item in error.errors(include_url=False)}
        order = {field: place for place, field in enumerate(model.model_fields)}
        found = [_problem(item) for item in problems.values()]
        raise InvalidInput(*sorted(found, key=lambda item: order.get(item.attribute or "", -1))) from None


def _problem(item: Any) -> Problem:
    field = str(item["loc"][0])
    code, words = _WORDS.get(item["type"], (item["type"], item["msg"]))
    return Problem(code, words.format(field=field, **item.get("ctx", {})), field)
