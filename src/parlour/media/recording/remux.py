"""The finished file: what is to be known of the film in front, so that it plays before it is loaded.

Run as a program, with a film and where to write it, or with a film alone, it says how long that is, in seconds. A
worker runs it so: FFmpeg moves a whole file about without letting go of the interpreter's lock, and for as long no
room of the process would be heard.
"""

import errno
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av

from parlour.bus.leash import on_leash
from parlour.media.audio.frame import RATE
from parlour.media.priority import FILM, step_back
from parlour.media.recording.soundtrack import BLOCK

DELAY = Fraction(BLOCK, RATE)
"""Seconds by which a fragmented film is late; here the file can say so."""

LIMIT_S = 3600.0
"""How long the program may take: about a hundred times as long as for a day's film."""


def remux(source: Path, target: Path) -> None:
    """Write the film in ``source`` to ``target`` with its index first. Nothing is encoded.

    Raises ``OSError``, ``av.FFmpegError``.
    """
    with (
        av.open(source) as film,
        av.open(target, "w", format="mp4", options={"movflags": "faststart"}) as copy,
    ):
        streams = {stream.index: copy.add_stream_from_template(stream) for stream in film.streams}
        for packet in film.demux():
            if packet.dts is None or packet.pts is None:
                continue
            late = round(DELAY / packet.time_base)
            packet.pts = packet.dts = packet.dts - late
            if packet.stream.type == "video":  # of which the first is as early in the fragments as the sound's encoder
                packet.pts = packet.dts = max(0, packet.dts)
            packet.stream = streams[packet.stream_index]
            copy.mux(packet)


def seconds(path: Path) -> float:
    """How long a film is: the longer one of its picture and its sound. Raises ``OSError``, ``av.FFmpegError``."""
    with av.open(path) as film:
        lasts = [stream.duration * stream.time_base for stream in film.streams if stream.duration and stream.time_base]
    return float(max(lasts, default=Fraction(0)))


def apart(source: Path, target: Path | None = None) -> float:
    """``remux`` where there is a target, and the film's length in seconds, in another process. Blocks.

    Raises ``OSError`` where that fails or takes too long.
    """
    program = [sys.executable, "-m", __name__, str(source), *([str(target)] if target else [])]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, with paths of our own
            on_leash(program), stdin=subprocess.DEVNULL, capture_output=True, check=True, text=True, timeout=LIMIT_S
        )
        return float(done.stdout)
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()
        raise OSError(errno.EIO, said[-1] if said else f"the program ended with {error.returncode}") from error
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise OSError(errno.EIO, str(error)) from error


def _run(paths: list[Path]) -> None:
    step_back(FILM)
    for target in paths[1:]:
        remux(paths[0], target)
    sys.stdout.write(f"{seconds(paths[-1])}\n")


if __name__ == "__main__":
    _run([Path(given) for given in sys.argv[1:]])
