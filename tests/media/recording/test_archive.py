"""From the spool to the store: a folder, an S3 server, and stores that will not take a film."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import av
import obstore
import pytest

from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.media.recording import archive as module
from parlour.media.recording.archive import AGAIN_S, Archive, is_settled
from parlour.media.recording.boxes import shape
from parlour.media.recording.film import Film
from parlour.media.recording.spool import FilmFile, Note, Reel, Spool
from parlour.objects import open_objects, recording_key
from tests.media.recording.shooting import COLOURS, START, Camera, shoot, tone, unit
from tests.media.recording.watching import watch
from tests.support.s3 import s3_server

PROJECT, ROOM = UUID(int=1), UUID(int=2)
STOPPED = Recording(str(UUID(int=3)), START, RecordingStatus.PROCESSING, START + 3)
NOTE = Note(PROJECT, ROOM, str(UUID(int=4)), STOPPED)
KEY = recording_key(PROJECT, NOTE.session_id, STOPPED.id)


def shot(spool: Spool, note: Note = NOTE, seconds: float = 3) -> Reel:
    """A film in the spool, as a recorder leaves it, or one that was killed."""
    reel = spool.open(note)
    file = FilmFile(reel.film, 0)
    film, camera = Film(file), Camera()

    def picture(at: float) -> None:
        data, keyframe = unit(camera.take(at, COLOURS[0]))
        film.picture(at, data, keyframe=keyframe)

    shoot(seconds, picture, lambda at: film.sound(at, tone(at, 500)))
    film.close()
    file.close()
    return reel


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """A spool."""
    return Spool(tmp_path / "spool", 0)


def test_a_folder_gets_the_film_at_its_key(spool: Spool, tmp_path: Path) -> None:
    reel = shot(spool)
    done = Archive((tmp_path / "objects").as_uri(), spool).finish(reel, NOTE)
    path = tmp_path / "objects" / KEY
    assert done.duration == pytest.approx(3, abs=0.025)
    assert replace(done, duration=None) == replace(
        STOPPED, status=RecordingStatus.COMPLETED, size=path.stat().st_size, key=KEY
    )
    assert is_settled(done)
    with path.open("rb") as file:
        assert not shape(file).fragmented
    assert watch(path).video == pytest.approx(3, abs=0.03)
    reel.discard()
    assert list(spool.folder.iterdir()) == []


def test_s3_gets_the_film_in_parts(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART", 5 * 1024 * 1024)  # the least that S3 takes
    reel = shot(spool)
    with reel.film.open("ab") as file:
        file.write(b"\x00\xb0\x00\x00free" + bytes(0xB00000 - 8))  # eleven megabytes of nothing
    size = reel.film.stat().st_size
    monkeypatch.setattr(module, "shape", lambda file: shape(file)._replace(size=size, fragmented=False))
    with s3_server(monkeypatch) as s3:
        url = f"{s3.url}/below/here"
        done = Archive(url, spool).finish(reel, NOTE)
        assert done.key == KEY
        stored = obstore.get(open_objects(url), KEY)
        assert bytes(stored.bytes()) == reel.film.read_bytes()
        assert stored.attributes["Content-Type"] == "video/mp4"
        assert (stored.meta["e_tag"] or "").strip('"').endswith("-3"), "three parts"


def test_a_store_that_is_away_is_asked_again(spool: Spool, tmp_path: Path) -> None:
    objects = tmp_path / "objects"
    objects.write_text("in the way")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            objects.unlink()

    done = Archive(objects.as_uri(), spool, pause=pause).finish(shot(spool), NOTE)
    assert done.key == KEY
    assert pauses == list(AGAIN_S[:2])


def test_a_store_that_stays_away_leaves_the_film_in_the_spool(spool: Spool, tmp_path: Path) -> None:
    objects = tmp_path / "objects"
    objects.write_text("in the way")
    pauses: list[float] = []
    archive = Archive(objects.as_uri(), spool, pause=pauses.append)
    reel = shot(spool)
    done = archive.finish(reel, NOTE)
    assert pauses == list(AGAIN_S), "there is an end to trying"
    assert (done.status, done.key) == (RecordingStatus.COMPLETED, "")
    assert done.reason.startswith("The file could not be stored: ")
    assert str(tmp_path) not in done.reason
    assert not is_settled(done)
    assert archive.statistics()["recordings_failed"] == 1
    objects.unlink()
    assert archive.finish(reel, NOTE).key == KEY, "the next one has it"


def test_a_reason_from_before_stays(spool: Spool, tmp_path: Path) -> None:
    note = replace(NOTE, recording=replace(STOPPED, reason="The disk was full."))
    done = Archive((tmp_path / "objects").as_uri(), spool).finish(shot(spool, note), note)
    assert (done.key, done.reason) == (KEY, "The disk was full.")


def test_what_cannot_be_made_ready_is_kept_as_it_is(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the disk has no room for a second one; without what there is of a last fragment."""
    reel = shot(spool)
    whole = reel.film.stat().st_size
    with reel.film.open("ab") as file:
        file.write(b"\x00\x00\x10\x00moof" + bytes(100))
    reel.draft.symlink_to("/dev/full")
    done = Archive((tmp_path / "objects").as_uri(), spool).finish(reel, NOTE)
    path = tmp_path / "objects" / done.key
    with path.open("rb") as file:
        assert shape(file).fragmented
    assert watch(path).video == pytest.approx(3, abs=0.05)
    assert done.size == path.stat().st_size == whole
    assert not reel.draft.is_symlink()


def test_a_film_that_is_ready_is_not_made_ready_again(spool: Spool, tmp_path: Path) -> None:
    """A worker that was killed between the two steps."""
    reel = shot(spool)
    archive = Archive((tmp_path / "objects").as_uri(), spool)
    first = archive.finish(reel, NOTE)
    made = reel.film.stat().st_ino
    assert archive.finish(reel, NOTE) == first
    assert reel.film.stat().st_ino == made


def box(kind: bytes, size: int) -> bytes:
    """A box that is full of rubbish."""
    return (size + 8).to_bytes(4) + kind + b"\xff" * size


def test_a_long_film_is_made_ready_in_a_process_of_its_own(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For FFmpeg keeps the interpreter's lock while it moves the file about: rooms would fall silent."""

    def refuses(*_: object) -> None:
        raise AssertionError("not here")

    reel = shot(spool)
    monkeypatch.setattr(av, "open", refuses)
    done = Archive((tmp_path / "objects").as_uri(), spool).finish(reel, NOTE)
    assert done.key == KEY
    assert done.duration == pytest.approx(3, abs=0.025)


@pytest.mark.parametrize("content", [b"", b"no film at all", b"\x00\x00\x00\x10ftypisomisom" * 3])
def test_a_file_with_nothing_in_it_is_no_film(spool: Spool, tmp_path: Path, content: bytes) -> None:
    reel = spool.open(NOTE)
    reel.film.write_bytes(content)
    done = Archive((tmp_path / "objects").as_uri(), spool).finish(reel, NOTE)
    assert (done.key, done.size, done.reason) == ("", 0, module.NOTHING)
    assert is_settled(done)


def test_a_film_that_is_spoiled_has_an_end_too(spool: Spool, tmp_path: Path) -> None:
    """Boxes that look right, with rubbish in them."""
    reel = spool.open(NOTE)
    reel.film.write_bytes(box(b"ftyp", 16) + box(b"moov", 100) + box(b"moof", 100) + box(b"mdat", 100))
    done = Archive((tmp_path / "objects").as_uri(), spool).finish(reel, NOTE)
    assert done.status is RecordingStatus.COMPLETED
    assert done.key == ""
    assert done.reason


def test_nobody_takes_what_another_has_in_hand(spool: Spool) -> None:
    reel = shot(spool, seconds=0.5)
    assert list(spool.orphans()) == []
    with pytest.raises(FileExistsError):
        spool.open(NOTE)
    reel.let_go()
    ((found, note),) = spool.orphans()
    assert note == NOTE
    assert list(spool.orphans()) == []
    found.discard()
    assert list(spool.orphans()) == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"project_id": 7}', b"\xff"])
def test_notes_that_cannot_be_read_are_left_alone(spool: Spool, content: bytes) -> None:
    spool.folder.mkdir()
    (spool.folder / "x.json").write_bytes(content)
    assert list(spool.orphans()) == []
    assert (spool.folder / "x.json").read_bytes() == content


def test_a_note_counts_under_its_own_name_only(spool: Spool) -> None:
    reel = spool.open(NOTE)
    reel.let_go()
    (spool.folder / f"{STOPPED.id}.json").rename(spool.folder / "other.json")
    assert list(spool.orphans()) == []


def test_the_video_is_what_the_room_has_encoded(spool: Spool, tmp_path: Path) -> None:
    """Octet by octet, the parameter sets aside."""
    reel = spool.open(NOTE)
    file = FilmFile(reel.film, 0)
    film, camera = Film(file), Camera()
    units: list[bytes] = []

    def picture(at: float) -> None:
        data, keyframe = unit(camera.take(at, COLOURS[int(at) % 4]))
        units.append(data)
        film.picture(at, data, keyframe=keyframe)

    shoot(2, picture, lambda at: film.sound(at, tone(at, 500)))
    film.close()
    file.close()
    done = Archive((tmp_path / "objects").as_uri(), spool).finish(reel, NOTE)
    with av.open(tmp_path / "objects" / done.key) as found:
        stored = [bytes(packet) for packet in found.demux(found.streams.video[0]) if packet.size]
    assert len(stored) == len(units)
    for one, other in zip(stored[1:], units[1:], strict=True):
        assert one[4:] == other[4:]
