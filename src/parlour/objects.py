"""Where finished recordings and previews are kept: one interface for a folder, S3, Google Cloud Storage and Azure.

Credentials of a bucket come from the environment that its vendor's tools read, such as ``AWS_ACCESS_KEY_ID``,
``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION`` and, for another vendor's S3, ``AWS_ENDPOINT_URL``.
"""

from datetime import timedelta
from pathlib import Path

from obstore.store import ObjectStore, from_url

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
    return from_url(url, client_options={"timeout": timedelta(seconds=patience)}, retry_config={"max_retries": 0})


def recording_key(project: object, session: object, recording: object) -> str:
    """Where a finished recording is."""
    return f"recordings/{project}/{session}/{recording}.mp4"


def preview_key(secret: str) -> str:
    """Where a session's moving picture is; whoever knows the secret may see it."""
    return f"{PREVIEWS}/{secret}.webp"
