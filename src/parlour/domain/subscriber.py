"""A subscriber: a person whom the project knows by a reference, often an e-mail address."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from parlour.domain.address import Address

CONTEXT = "private"
REFERENCE_MAX = 320
"""Characters; the longest e-mail address (RFC 3696, section 3) fits."""
PROFILE_MAX = 100
PASSWORD_MIN, PASSWORD_MAX = 8, 72


@dataclass(frozen=True, slots=True)
class Profile:
    """What a subscriber says of himself or herself; empty where nothing is said."""

    first_name: str = ""
    last_name: str = ""
    display_name: str = ""
    job_title: str = ""
    time_zone: str = ""
    country: str = ""
    region: str = ""
    company_name: str = ""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscriber as kept, without the password. ``reference`` is unique within the project."""

    id: UUID
    project_id: UUID
    reference: str
    address: Address
    profile: Profile
    created_at: datetime
    updated_at: datetime

    @property
    def email(self) -> str:
        """The e-mail address, where the reference is one."""
        return self.reference if "@" in self.reference else ""

    @property
    def name(self) -> str:
        """What others read: the display name, the person's name, or what stands before the reference's ``@``."""
        profile = self.profile
        return (
            profile.display_name
            or f"{profile.first_name} {profile.last_name}".strip()
            or self.reference.partition("@")[0]
            or self.reference
        )

    @property
    def uri(self) -> str:
        """Where the subscriber could be dialled."""
        return f"/{CONTEXT}/{self.address.name}"
