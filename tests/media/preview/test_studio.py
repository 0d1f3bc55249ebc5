"""From films to files, in a real folder."""

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from obstore.store import LocalStore, ObjectStore
from PIL import Image

from parlour.media.preview.sampler import Film
from parlour.media.preview.studio import FILMS_MAX, STALE_S, Studio
from parlour.media.video.colour import Rgb
from parlour.objects import objects_url, open_objects, preview_key
from tests.media.preview.test_webp import is_like
from tests.media.video.scene import BLUE, GREEN, RED, painted
from tests.support.s3 import s3_server
from tests.support.waiting import PATIENCE_S, wait_until


class SlowStore(LocalStore):
    """A folder that takes nothing until ``go`` is set."""

    def __new__(cls, folder: Path) -> "SlowStore":
        """See ``obstore``, whose stores are made before they are initialised."""
        folder.mkdir()
        return super().__new__(cls, folder)  # type: ignore[call-arg]  # the stubs know of __init__ only

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.go = Event()
        self.asked = Event()

    def put(self, path: str, file: bytes) -> None:  # type: ignore[override]  # all that is used of it
        """See ``obstore``."""
        self.asked.set()
        self.go.wait(PATIENCE_S)
        super().put(path, file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where objects are kept."""
    return tmp_path / "objects"


@pytest.fixture
def store(folder: Path) -> ObjectStore:
    """A folder."""
    return open_objects(folder.as_uri())


@pytest.fixture
def studio(store: ObjectStore) -> Iterator[Studio]:
    """A studio over a folder."""
    studio = Studio(store)
    yield studio
    studio.close()


def film(secret: str, *colours: Rgb) -> Film:
    """A film of plain frames."""
    return Film(secret, tuple(painted(320, 180, colour) for colour in colours or (RED, GREEN)))


def made(folder: Path, secret: str) -> Image.Image:
    """A preview that was kept."""
    return Image.open(io.BytesIO((folder / preview_key(secret)).read_bytes()))


def test_a_film_is_kept_under_its_secret_and_replaced_by_the_next(studio: Studio, folder: Path) -> None:
    assert studio.offer(film("s", RED, GREEN))
    wait_until(lambda: studio.statistics()["made"] == 1)
    assert is_like(made(folder, "s"), RED)
    assert studio.offer(film("s", BLUE, GREEN))
    wait_until(lambda: studio.statistics()["made"] == 2)
    assert is_like(made(folder, "s"), BLUE)
    assert studio.statistics()["octets"] > 0


def test_what_is_removed_is_gone_also_what_waits_or_is_in_work(folder: Path) -> None:
    store = SlowStore(folder)
    studio = Studio(store)
    assert studio.offer(film("in work"))
    assert store.asked.wait(PATIENCE_S)
    assert studio.offer(film("waits"))
    studio.remove("in work")
    studio.remove("waits")
    studio.remove("unknown")
    assert studio.offer(film("last"))
    store.go.set()
    wait_until(lambda: (folder / preview_key("last")).exists())
    studio.close()
    assert [path.stem for path in (folder / "previews").iterdir()] == ["last"]
    assert studio.statistics()["removed"] == 1
    assert studio.statistics()["failed"] == 0


def test_a_film_offered_after_the_removal_is_kept(folder: Path) -> None:
    store = SlowStore(folder)
    studio = Studio(store)
    assert studio.offer(film("first"))
    assert store.asked.wait(PATIENCE_S)
    studio.remove("s")
    assert studio.offer(film("s"))
    store.go.set()
    wait_until(lambda: studio.statistics()["made"] == 2)
    assert (folder / preview_key("s")).exists()
    studio.close()


def test_films_that_wait_are_bounded_and_the_newest_of_a_session_wins(folder: Path) -> None:
    store = SlowStore(folder)
    studio = Studio(store)
    assert studio.offer(film("in work"))
    assert store.asked.wait(PATIENCE_S)
    for number in range(FILMS_MAX):
        assert studio.offer(film(f"{number}", RED, GREEN))
    assert not studio.offer(film("one more"))
    assert studio.offer(film("7", BLUE, GREEN)), "takes the place of the one that waits"
    assert studio.statistics()["superseded"] == 1
    assert studio.statistics()["waiting"] == FILMS_MAX
    store.go.set()
    wait_until(lambda: studio.statistics()["made"] == FILMS_MAX + 1)
    assert is_like(made(folder, "7"), BLUE)
    assert not (folder / preview_key("one more")).exists()
    studio.close()


def test_a_store_that_fails_is_counted_and_the_next_film_is_made(studio: Studio, folder: Path) -> None:
    (folder / "previews").write_text("in the way")
    assert studio.offer(film("s"))
    wait_until(lambda: studio.statistics()["failed"] == 1)
    (folder / "previews").unlink()
    assert studio.offer(film("s"))
    wait_until(lambda: studio.statistics()["made"] == 1)


def test_previews_that_nobody_renews_are_swept_away(store: ObjectStore, folder: Path) -> None:
    for secret in ("left behind", "alive"):
        store.put(preview_key(secret), b"webp")
    store.put("recordings/project/session/recording.mp4", b"mp4")
    for path in (folder / preview_key("left behind"), folder / "recordings/project/session/recording.mp4"):
        os.utime(path, (time.time() - STALE_S - 60,) * 2)
    studio = Studio(store)
    wait_until(lambda: studio.statistics()["swept"] == 1)
    studio.close()
    assert [path.name for path in (folder / "previews").iterdir()] == ["alive.webp"]
    assert (folder / "recordings/project/session/recording.mp4").exists()


def test_a_studio_with_nothing_to_do_ends_at_once(store: ObjectStore) -> None:
    studio = Studio(store)
    wait_until(lambda: studio.statistics()["seconds"] > 0)
    studio.close()
    assert not studio.offer(film("s"))


def test_a_folder_is_where_objects_are_kept_by_default(tmp_path: Path) -> None:
    assert objects_url(None, tmp_path) == (tmp_path / "objects").as_uri()


def test_previews_live_in_s3_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_server(monkeypatch) as s3:
        store = open_objects(s3.url, patience=PATIENCE_S)
        store.put(preview_key("left behind"), b"webp")
        studio = Studio(store, lambda: time.time() + STALE_S + 60)
        wait_until(lambda: studio.statistics()["swept"] == 1)
        assert studio.offer(film("s"))
        wait_until(lambda: studio.statistics()["made"] == 1)
        found = Image.open(io.BytesIO(bytes(store.get(preview_key("s")).bytes())))
        assert is_like(found, RED)
        studio.remove("s")
        studio.remove("unknown")
        wait_until(lambda: studio.statistics()["removed"] >= 1)
        with pytest.raises(FileNotFoundError):
            store.get(preview_key("s"))
        s3.stop()
        assert studio.offer(film("s"))
        wait_until(lambda: studio.statistics()["failed"] == 1)
        studio.close()
