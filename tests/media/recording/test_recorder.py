"""The recorder's thread against disks that are slow, stuck or full, on a clock that the test moves."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest

from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.media.recording.archive import NOTHING, Archive
from parlour.media.recording.film import Film
from parlour.media.recording.recorder import KEYFRAME_S, QUEUE_MAX, Recorder
from parlour.media.recording.spool import FilmFile, Note, Reel, Spool
from tests.media.recording.shooting import COLOURS, FPS, START, Camera, shoot, tone
from tests.media.recording.watching import watch
from tests.support.waiting import PATIENCE_S

NUMBER = UUID(int=7)
RECORDING = Recording(str(NUMBER), 1_700_000_000.0)
NOTE = Note(NUMBER, NUMBER, "session", RECORDING)


@dataclass
class Crew:
    """A recorder, and what it has told. Keyframes that it asks for are in the camera's next picture."""

    folder: Path
    spool: Spool
    camera: Camera = field(default_factory=Camera)
    asked: list[float] = field(default_factory=list)
    wanted: bool = False
    now: float = START
    reasons: list[str] = field(default_factory=list)
    finished: list[tuple[Recording, Reel | None]] = field(default_factory=list)
    broken: threading.Event = field(default_factory=threading.Event)
    ready: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.archive = Archive((self.folder / "objects").as_uri(), self.spool, pause=lambda seconds: None)
        self.recorder = Recorder(NOTE, self.archive, self.ask, self.broke, self.done)

    def ask(self) -> None:
        """A keyframe is wanted."""
        self.asked.append(self.now)
        self.wanted = True

    def broke(self, reason: str) -> None:
        """The recording has ended by itself."""
        self.reasons.append(reason)
        self.broken.set()

    def done(self, recording: Recording, reel: Reel | None) -> None:
        """The recording is finished."""
        self.finished.append((recording, reel))
        self.ready.set()

    def picture(self, at: float) -> None:
        """The room's picture."""
        self.now = at
        wanted, self.wanted = self.wanted, False
        colour = COLOURS[int(at - START + 1e-6) % 4]
        self.recorder.picture(at, self.camera.take(at, colour, keyframe=wanted))

    def sound(self, at: float) -> None:
        """The room's sound."""
        self.recorder.sound(at, tone(at, 500))

    def stop(self, reason: str = "") -> Recording:
        """End the recording; what became of it."""
        status = RecordingStatus.PROCESSING
        self.recorder.stop(
            Recording(RECORDING.id, RECORDING.started_at, status, RECORDING.started_at + 9, reason=reason)
        )
        assert self.ready.wait(PATIENCE_S)
        (found,) = self.finished
        return found[0]

    def caught_up(self) -> None:
        """Wait until nothing waits for the disk."""
        for _ in range(3000):
            if not self.recorder.waiting:
                return
            threading.Event().wait(0.01)
        raise AssertionError("the disk does not keep up")

    @property
    def drops(self) -> float:
        """What was dropped."""
        return self.archive.statistics()["recordings_drops"]


Hire = Callable[..., Crew]


@pytest.fixture
def hire(tmp_path: Path) -> Iterator[Hire]:
    """Begins recordings."""
    crews: list[Crew] = []

    def make(spool: Path | None = None, reserve: int = 0) -> Crew:
        crews.append(Crew(tmp_path, Spool(spool or tmp_path / "spool", reserve)))
        return crews[-1]

    yield make
    for crew in crews:
        if not crew.ready.is_set():
            crew.stop()


def film_of(crew: Crew, recording: Recording) -> Path:
    """Where the store has it."""
    assert recording.key
    return crew.folder / "objects" / recording.key


def test_what_is_shot_is_in_the_store(hire: Hire) -> None:
    crew = hire()
    crew.recorder.roll(on=True)
    shoot(4, crew.picture, crew.sound)
    recording = crew.stop()
    assert recording.status is RecordingStatus.COMPLETED
    assert recording.reason == ""
    assert recording.duration == pytest.approx(4, abs=0.03)
    film = watch(film_of(crew, recording))
    assert film.video == pytest.approx(4, abs=0.03)
    assert len(film.pictures) == 4 * FPS
    counts = crew.archive.statistics()
    assert counts["recordings_stored"] == 1
    assert counts["recordings_octets"] > 50_000
    assert counts["recordings_drops"] == counts["recordings_failed"] == 0


def test_nothing_is_taken_before_the_film_runs_and_a_pause_is_left_out(hire: Hire) -> None:
    crew = hire()
    shoot(1, crew.picture, crew.sound)
    assert crew.recorder.waiting == 0
    for number in (1, 3):
        crew.recorder.roll(on=True)
        crew.ask()
        shoot(1, crew.picture, crew.sound, start=START + number)
        crew.recorder.roll(on=False)
        shoot(1, crew.picture, crew.sound, start=START + number + 1)
    recording = crew.stop()
    film = watch(film_of(crew, recording))
    assert film.video == pytest.approx(2, abs=0.06)
    assert film.audio == pytest.approx(film.video, abs=0.025)
    assert len(film.keyframes) == 2


def test_keyframes_come_often_enough_to_seek_and_those_for_others_count(hire: Hire) -> None:
    crew = hire()
    crew.recorder.roll(on=True)
    for second in range(35):
        if second == 5:
            crew.wanted = True  # for somebody else
        shoot(1, crew.picture, crew.sound, start=START + second)
        crew.caught_up()
    film = watch(film_of(crew, crew.stop()))
    gaps = [b - a for a, b in zip(film.keyframes, [*film.keyframes[1:], film.video], strict=True)]
    assert max(gaps) <= KEYFRAME_S + 0.1
    assert film.keyframes == pytest.approx([0, 5, 15, 25, 35][: len(film.keyframes)], abs=0.2)
    assert len(crew.asked) <= 3


def test_a_stuck_disk_costs_pictures_and_sound_but_nobody_waits(hire: Hire, tmp_path: Path) -> None:
    """The film is a pipe that nobody reads at first."""
    pipe = tmp_path / "spool" / f"{NUMBER}.mp4"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    crew = hire()
    crew.recorder.roll(on=True)
    shoot(20, crew.picture, crew.sound)  # would not come back if it waited for the disk
    assert QUEUE_MAX <= crew.recorder.waiting <= QUEUE_MAX + 1
    assert crew.drops >= 20 * 50 + 20 * FPS * 0.3 - QUEUE_MAX
    assert len(crew.asked) <= 1, "keyframes are not wanted while there is no room for them"
    read = bytearray()

    def drain() -> None:
        with pipe.open("rb") as end:
            while data := end.read(1 << 16):
                read.extend(data)

    reader = threading.Thread(target=drain)
    reader.start()
    crew.caught_up()
    crew.now = START + 20
    for second in range(20, 22):
        shoot(1, crew.picture, crew.sound, start=START + second)
        crew.caught_up()
    crew.stop()
    reader.join(PATIENCE_S)
    film = tmp_path / "read.mp4"
    film.write_bytes(read)
    seen = watch(film)
    assert seen.video == pytest.approx(22, abs=0.1), "what was lost leaves a gap, not a shift"
    assert seen.audio == pytest.approx(seen.video, abs=0.1)
    assert len(seen.pictures) > 2 * FPS * 0.9


def test_a_slow_disk_is_waited_for_by_the_recorder_alone(hire: Hire, monkeypatch: pytest.MonkeyPatch) -> None:
    let = threading.Semaphore(0)
    write = FilmFile.write

    def slow(file: FilmFile, data: bytes, /) -> int:
        assert let.acquire(timeout=PATIENCE_S)
        return write(file, data)

    monkeypatch.setattr(FilmFile, "write", slow)
    crew = hire()
    crew.recorder.roll(on=True)
    shoot(4, crew.picture, crew.sound)
    assert crew.recorder.waiting > 100
    assert crew.drops == 0
    for _ in range(1000):
        let.release()
    film = watch(film_of(crew, crew.stop()))
    assert film.video == pytest.approx(4, abs=0.03), "all of it was kept"


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own."""
    folder.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True, capture_output=True)
    except (subprocess.CalledProcessError, OSError):
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_ends_the_recording_with_a_reason_and_what_there_was_is_kept(hire: Hire, tmp_path: Path) -> None:
    with small_disk(tmp_path / "spool", "100k") as spool:
        crew = hire(spool)
        crew.recorder.roll(on=True)
        for second in range(60):
            if crew.broken.is_set():
                break
            shoot(1, crew.picture, crew.sound, start=START + second)
            crew.caught_up()
        assert crew.broken.wait(PATIENCE_S)
        assert not crew.recorder.rolling
        shoot(1, crew.picture, crew.sound, start=START + 61)
        assert crew.recorder.waiting <= 1, "nothing more is taken"
        (reason,) = crew.reasons
        assert reason == "The recording could not go on: No space left on device."
        recording = crew.stop(reason)
        assert recording.status is RecordingStatus.COMPLETED
        assert recording.reason == reason
        film = watch(film_of(crew, recording))
        assert film.video > 0.4
        assert film.video == pytest.approx(film.audio, abs=0.3)
        assert crew.archive.statistics()["recordings_failed"] == 1


def test_a_disk_without_an_octet_to_spare_gives_no_file(hire: Hire, tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / f"{NUMBER}.mp4").symlink_to("/dev/full")
    crew = hire()
    crew.recorder.roll(on=True)
    shoot(1, crew.picture, crew.sound)
    assert crew.broken.wait(PATIENCE_S)
    (reason,) = crew.reasons
    recording = crew.stop(reason)
    assert (recording.status, recording.key, recording.reason) == (RecordingStatus.COMPLETED, "", reason)


def test_the_disk_is_never_filled_to_the_brim(hire: Hire, tmp_path: Path) -> None:
    crew = hire(reserve=1 << 62)
    crew.recorder.roll(on=True)
    shoot(1, crew.picture, crew.sound)
    assert crew.broken.wait(PATIENCE_S)
    assert crew.reasons == ["The recording could not go on: No space left on device."]


def test_a_spool_that_cannot_be_written_ends_the_recording_at_once(hire: Hire, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way")
    crew = hire()
    assert crew.broken.wait(PATIENCE_S)
    recording = crew.stop(crew.reasons[0])
    assert recording.status is RecordingStatus.COMPLETED
    assert recording.reason.startswith("The recording could not go on: ")
    assert crew.finished[0][1] is None


def test_a_recording_of_nothing_says_so(hire: Hire) -> None:
    crew = hire()
    recording = crew.stop()
    assert (recording.status, recording.key, recording.reason) == (RecordingStatus.COMPLETED, "", NOTHING)
    assert recording.size == 0


def test_a_fault_of_ours_ends_the_recording_and_keeps_the_film(hire: Hire, monkeypatch: pytest.MonkeyPatch) -> None:
    crew = hire()
    crew.recorder.roll(on=True)
    shoot(2, crew.picture, crew.sound)
    crew.caught_up()

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(Film, "sound", fails)
    crew.sound(START + 2)
    assert crew.broken.wait(PATIENCE_S)
    recording = crew.stop(crew.reasons[0])
    assert recording.reason == "The recording could not go on: RuntimeError."
    assert watch(film_of(crew, recording)).video == pytest.approx(2, abs=0.1)
