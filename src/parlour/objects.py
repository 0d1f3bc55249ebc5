"""Where finished recordings and previews are kept: one interface for a folder, S3, Google Cloud Storage and Azure.

Credentials of a bucket come from the environment that its vendor's tools read, such as ``AWS_ACCESS_KEY_ID``,
``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION`` and, for another vendor's S3, ``AWS_ENDPOINT_URL``.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.store import ObjectStore, from_url

if TYPE_CHECKING:
    from obstore.store import ClientConfig

FOLDER = "objects"
PREVIEWS = "previews"


def objects_url(storage_url: str | None, data_dir: Path) -> str:
    """The store that is set, or a folder in the data folder."""
    return storage_url or (data_dir.absolute() / FOLDER).as_uri()


def open_objects(url: str, *, patience: float | None = None) -> ObjectStore:
    """A store by its URL; a folder that is not there is made. Raises ``obstore.exceptions.BaseError``, ``OSError``.

    ``patience`` is how many seconds a request to it may take, of which there is one only; without it there are more.
    """
    if url.startswith("file://"):
        return from_url(url, mkdir=True)
    if patience is None:
        return from_url(url)
    options: ClientConfig = {"timeout": timedelta(seconds=patience), "allow_http": _may_be_plain()}
    return from_url(url, client_options=options, retry_config={"max_retries": 0})


def _may_be_plain() -> bool:
    """What the environment says of HTTP without TLS; options that are given make the store forget it."""
    return os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"1", "true", "yes", "on"}


def recording_key(project: object, session: object, recording: object) -> str:
    """Where a finished recording is."""
    return f"recordings/{project}/{session}/{recording}.mp4"


def preview_key(secret: str) -> str:
    """Where a session's moving picture is; whoever knows the secret may see it."""
    return f"{PREVIEWS}/{secret}.webp"
