"""One header of a request."""

from starlette.requests import Request


def header(request: Request, name: bytes) -> str | None:
    """The first header of that name, which is in lower case; ``None`` without one.

    ``request.headers`` would do too, at several times the cost: it is made for everything that headers can be asked.
    """
    for found, value in request.scope["headers"]:
        if found == name:
            text: str = value.decode("latin-1")
            return text
    return None
