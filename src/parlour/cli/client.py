"""The REST client of the commands: one request at a time, and every way it can fail told in a sentence."""

import contextlib
import json
import ssl
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import httpx

from parlour import __version__
from parlour.cli.output import BrokenOff, Trouble

CONNECT_S = 5.0
"""How long a connection may take to be made."""
ANSWER_S = 30.0
"""How long the server may keep silent."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Hosts that are spoken to in plain HTTP unless a scheme is given; the rule of the official SDK."""


def origin_of(host: str) -> str:
    """Where a host is reached: ``localhost:8080`` is ``http://localhost:8080``.

    Takes a host with or without a port, or an origin. Raises ``ValueError`` with a sentence for anything else.
    """
    text = host.strip().rstrip("/")
    given = "://" in text
    try:
        url = httpx.URL(text if given else f"https://{text}")
        fine = (
            url.scheme in {"http", "https"}
            and url.host
            and not url.userinfo
            and url.raw_path == b"/"
            and not url.fragment
            and (url.port is None or 0 < url.port < 65536)
            and not any(character in text for character in "?# ")
        )
    except httpx.InvalidURL:
        fine = False
    if not fine:
        raise ValueError("must be a host such as rooms.example.com, localhost:8080, or https://rooms.example.com")
    if not given and url.host in LOOPBACK:
        url = url.copy_with(scheme="http")
    return str(url).rstrip("/")


class Api:
    """The API of one server, in the name of one project. A context manager; raises ``Trouble`` for all that fails."""

    def __init__(self, origin: str, project: str | None, token: str | None, ca_file: str | None, needs: str) -> None:
        missing = [name for name, value in (("PROJECT_ID", project), ("API_TOKEN", token)) if not value]
        if missing or not project or not token:
            options = " and ".join({"PROJECT_ID": "--project", "API_TOKEN": "--token"}[name] for name in missing)
            variables = " and ".join(f"SIGNALWIRE_{name}" for name in missing)
            raise Trouble(
                f"Who is asking? Give {options}, or set {variables}.\n"
                "`parlour serve` prints the project ID at each start, and the first API token at the first."
            )
        self.origin = origin
        self._needs = needs
        try:
            self._client = httpx.Client(
                base_url=origin,
                auth=httpx.BasicAuth(project, token),
                headers={"Accept": "application/json", "User-Agent": f"parlour/{__version__}"},
                timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
                # A proxy of the environment is for what is far away; it could not reach this machine by that name.
                trust_env=httpx.URL(origin).host not in LOOPBACK,
                verify=trusting(ca_file) if ca_file else True,
            )
        except UnicodeEncodeError:
            raise Trouble("The project ID or the API token is not valid Unicode.") from None
        except (ImportError, ValueError) as error:
            raise Trouble(f"A proxy that the environment names cannot be used: {error}") from None

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, thing: str) -> dict[str, Any]:
        """Read. ``thing`` says what it is about, for the case that there is none."""
        return _document(self._send("GET", path, thing), self.origin)

    def post(self, path: str, body: dict[str, Any], thing: str | None = None) -> dict[str, Any]:
        """Make something. ``thing`` is what it belongs to, for the case that there is none."""
        return _document(self._send("POST", path, thing, json=body), self.origin)

    def put(self, path: str, body: dict[str, Any], thing: str) -> dict[str, Any]:
        """Change something."""
        return _document(self._send("PUT", path, thing, json=body), self.origin)

    def delete(self, path: str, thing: str) -> None:
        """Remove something."""
        self._send("DELETE", path, thing)

    def walk(self, path: str, size: int, thing: str | None = None, **filters: str) -> Iterator[dict[str, Any]]:
        """The items of a list, the newest first, fetched ``size`` at a time as they are asked for.

        ``thing`` is what the list belongs to, for the case that there is none.
        """
        query = httpx.QueryParams({"page_size": size, **filters})
        while True:
            page = _document(self._send("GET", path, thing, params=query), self.origin)
            try:
                yield from page["data"]
                link = page["links"].get("next")
            except (KeyError, AttributeError, TypeError):
                raise _no_api(self.origin) from None
            if not link:
                return
            # Only the query: behind a proxy the link may name another host, which must not get the credentials.
            query, before = httpx.URL(link).params, query
            if query == before:
                raise Trouble(f"{self.origin} gives the same page again and again.")

    @contextlib.contextmanager
    def download(self, link: str, thing: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Read what a link of the API leads to, without credentials. Raises ``BrokenOff`` where it ends early."""
        # Only the path and the query: behind a proxy the link may name another host.
        try:
            path = httpx.URL(link).raw_path.decode()
            with self._client.stream("GET", path, headers=dict(headers), auth=None) as answer:
                if not answer.is_success:
                    answer.read()
                    raise self._refusal(answer, thing)
                yield answer
        except httpx.InvalidURL:
            raise _no_api(self.origin) from None
        except httpx.TransportError as error:
            raise BrokenOff(str(_unreachable(self.origin, error))) from None

    def _send(self, method: str, path: str, thing: str | None, **content: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **content)
        except httpx.TransportError as error:
            raise _unreachable(self.origin, error) from None
        except UnicodeEncodeError:
            raise Trouble("What was given is not valid Unicode.") from None
        if not answer.is_success:
            raise self._refusal(answer, thing)
        return answer

    def _refusal(self, answer: httpx.Response, thing: str | None) -> Trouble:
        status = answer.status_code
        if status == HTTPStatus.UNAUTHORIZED:
            return Trouble(
                f"{self.origin} does not accept the project ID and API token.\n"
                f"Check both; the token also needs {self._needs}."
            )
        if status == HTTPStatus.NOT_FOUND:
            return Trouble(f"There is no {thing} in this project.") if thing else _no_api(self.origin)
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            return Trouble("\n".join(["The server refuses this:", *_problems(answer)]))
        what = f"{status} {answer.reason_phrase}".strip()
        if answer.is_server_error:
            again = " Try again in a moment." if "retry-after" in answer.headers else ""
            request_id = answer.headers.get("x-request-id")
            where = f"\nIn the server's log this is request {request_id}." if request_id else ""
            return Trouble(f"{self.origin} could not do it: {what}.{again}{where}")
        if answer.is_redirect:
            return Trouble(f"{self.origin} points to {answer.headers['location']}: give that server as --host.")
        return Trouble(f"{self.origin} refuses this: {what}.")


def trusting(ca_file: str) -> ssl.SSLContext:
    """TLS that trusts the certificates of this file and no others. Raises ``Trouble``."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise Trouble(f"{ca_file} is not a PEM file of certificates.") from None
    except OSError as error:
        raise Trouble(f"The CA file {ca_file} cannot be read: {error.strerror}.") from None


def _document(answer: httpx.Response, origin: str) -> dict[str, Any]:
    try:
        document = json.loads(answer.content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise _no_api(origin)
    return document


def _no_api(origin: str) -> Trouble:
    return Trouble(f"{origin} answers, but not as Parlour does: is that the right --host?")


def _problems(answer: httpx.Response) -> Iterator[str]:
    try:
        items = [(item.get("attribute"), str(item["message"])) for item in json.loads(answer.content)["errors"]]
    except (ValueError, KeyError, AttributeError, TypeError):
        items = [(None, "it does not say why")]
    for attribute, message in items:
        # Most messages begin with the attribute's name already.
        yield f"  {message}" if not attribute or message.startswith(attribute) else f"  {attribute}: {message}"


def _unreachable(origin: str, error: httpx.TransportError) -> Trouble:
    cause = _cause(error)
    reason = cause.strerror.lower() if isinstance(cause, OSError) and cause.strerror else error
    match error, cause:
        case httpx.ConnectTimeout(), _:
            return Trouble(f"{origin} cannot be reached: no answer within {CONNECT_S:.0f} seconds.")
        case httpx.TimeoutException(), _:
            return Trouble(f"{origin} did not answer within {ANSWER_S:.0f} seconds.")
        case _, ssl.SSLCertVerificationError():
            return Trouble(
                f"The certificate of {origin} is not to be trusted: {cause.verify_message}.\n"
                "If a private CA signed it, give that CA's certificate with --ca-file."
            )
        case _, ssl.SSLError():
            return Trouble(
                f"{origin} does not speak TLS as expected: {cause.reason or cause}.\n"
                "If it serves plain HTTP, give --host as a URL that begins with http://."
            )
        case httpx.ConnectError(), _:
            return Trouble(
                f"Nothing answers at {origin}: {reason}.\nDoes `parlour serve` run there? --host says where."
            )
        case httpx.ProxyError(), _:
            return Trouble(f"The proxy on the way to {origin} refuses: {error}.")
        case _:
            secure = "" if origin.startswith("https") else "\nIf it serves HTTPS, give --host with https:// in front."
            return Trouble(f"{origin} broke off without an answer.{secure}")


def _cause(error: BaseException) -> BaseException:
    """What is at the bottom of an error: httpx tells TLS's troubles from the network's only there."""
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return error
