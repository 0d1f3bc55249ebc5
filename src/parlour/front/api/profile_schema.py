"""What may be said of a person: the same where subscribers are made and where tokens are made for them."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from parlour.domain.subscriber import PASSWORD_MAX, PASSWORD_MIN, PROFILE_MAX
from parlour.front.api.fields import ABSENT, CONTROL, LINE_PATTERN, drop_defaults, no_control

PASSWORD_PATTERN = rf"^([^{CONTROL}]{{{PASSWORD_MIN},{PASSWORD_MAX}}})?$"


def _password(text: str) -> str:
    if text and not PASSWORD_MIN <= len(text) <= PASSWORD_MAX:
        raise PydanticCustomError(
            "invalid_parameter_value",
            "{field} must be {least} to {most} characters long",
            {"least": PASSWORD_MIN, "most": PASSWORD_MAX},
        )
    return text


Password = Annotated[
    str,
    AfterValidator(no_control),
    AfterValidator(_password),
    WithJsonSchema({"type": "string", "maxLength": PASSWORD_MAX, "pattern": PASSWORD_PATTERN}),
]
Line = Annotated[
    str,
    StringConstraints(max_length=PROFILE_MAX),
    AfterValidator(no_control),
    WithJsonSchema({"type": "string", "maxLength": PROFILE_MAX, "pattern": LINE_PATTERN}),
]


class ProfileRequest(BaseModel):
    """What is told of a person; what is not named stays as it was, or empty."""

    model_config = ConfigDict(strict=True, extra="ignore", json_schema_extra=drop_defaults)

    password: Password = Field(
        ABSENT,
        description=f"Sets the password, {PASSWORD_MIN} to {PASSWORD_MAX} characters; empty or missing: sets none.",
    )
    first_name: Line = Field(ABSENT, description="The first name.", examples=["Alice"])
    last_name: Line = Field(ABSENT, description="The last name.")
    display_name: Line = Field(ABSENT, description="The name that others read.")
    job_title: Line = Field(ABSENT, description="The job title.")
    time_zone: Line = Field(ABSENT, description="The time zone.")
    country: Line = Field(ABSENT, description="The country.")
    region: Line = Field(ABSENT, description="The region.")
    company_name: Line = Field(ABSENT, description="The company's name.")
