"""What can be refused, by meaning.

::

    Refusal
    ├── Gone             what a link led to for a time; the time is over
    ├── InvalidInput     the caller's input breaks one rule or several; carries every problem
    ├── NotAuthorized    no credentials, wrong ones, or without the permission that the act needs
    ├── NotFound         no such thing, or it belongs to another project
    ├── TooLarge         a body beyond the limit
    ├── TooMany          more of the same than is good just now; trying again later makes sense
    ├── TooSlow          a body that did not arrive in time
    └── Unavailable      what is needed is away for the moment; trying again later makes sense

Each is mapped to the wire in one place: ``parlour.front.errors``.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input.

    ``code`` is an identifier of the service's error catalogue, ``attribute`` the name of the field, or ``None`` where
    the input as a whole is at fault.
    """

    code: str
    message: str
    attribute: str | None = None


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of ours
    """The base of everything that is refused with a reason."""


class InvalidInput(Refusal):
    """The input breaks rules; ``problems`` lists every one of them, in the order of the fields."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class NotAuthorized(Refusal):
    """The caller may not do this. ``scheme`` is how to say who one is: ``Basic``, or ``Bearer`` for join tokens."""

    def __init__(self, scheme: str = "Basic") -> None:
        super().__init__()
        self.scheme = scheme


class NotFound(Refusal):
    """There is no such thing for this caller."""


class Gone(Refusal):
    """It was there for this caller, for a time that is over."""


class TooLarge(Refusal):
    """The body is over the limit."""


class TooMany(Refusal):
    """There were too many of these lately; ``retry_after`` says in how many seconds to try again."""

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__("too many lately")
        self.retry_after = retry_after


class TooSlow(Refusal):
    """The body did not arrive in time."""


class Unavailable(Refusal):
    """Something needed is away; ``retry_after`` says in how many seconds to try again."""

    def __init__(self, reason: str, retry_after: int = 1) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
