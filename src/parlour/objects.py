"""Where finished recordings and previews are kept: one interface for a folder, S3, Google Cloud Storage and Azure.

Credentials of a bucket come from the environment that its vendor's tools read, such as ``AWS_ACCESS_KEY_ID``,
``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION`` and, for another vendor's S3, ``AWS_ENDPOINT_URL``.
"""

from pathlib import Path

from obstore.store import ObjectStore, from_url

FOLDER = "objects"


def objects_url(storage_url: str | None, data_dir: Path) -> str:
    """The store that is set, or a folder in the data folder."""
    return storage_url or (data_dir.absolute() / FOLDER).as_uri()


def open_objects(url: str) -> ObjectStore:
    """A store by its URL; a folder that is not there is made. Raises ``obstore.exceptions.BaseError``, ``OSError``."""
    if url.startswith("file://"):
        return from_url(url, mkdir=True)
    return from_url(url)


def recording_key(project: object, session: object, recording: object) -> str:
    """Where a finished recording is."""
    return f"recordings/{project}/{session}/{recording}.mp4"


def preview_key(secret: str) -> str:
    """Where a session's moving picture is; whoever knows the secret may see it."""
    return f"previews/{secret}.webp"
