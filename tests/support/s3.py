"""A real S3-compatible server on loopback, whose bucket nobody may read without credentials that it is told."""

import contextlib
import itertools
from collections.abc import Iterator

import httpx
import pytest
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
_numbers = itertools.count(1)


class S3Server:
    """A server with one empty bucket. ``stop`` lets it be away."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        host, self.port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{self.port}"
        bucket = f"films-{next(_numbers)}"  # what a server has belongs to the process, so that the next one has it too
        self.url = f"s3://{bucket}/parlour"
        where = (
            f'<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>{REGION}'
        )
        httpx.put(
            f"{self.endpoint}/{bucket}", content=f"{where}</LocationConstraint></CreateBucketConfiguration>"
        ).raise_for_status()

    @property
    def environment(self) -> dict[str, str]:
        """What clients read to find it."""
        return {
            "AWS_ACCESS_KEY_ID": "parlour",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
        }

    def stop(self) -> None:
        """Let nobody reach it any more."""
        self._server.stop()


@contextlib.contextmanager
def s3_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A server for the length of a block, with the environment that leads to it."""
    server = S3Server()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    try:
        yield server
    finally:
        server.stop()
