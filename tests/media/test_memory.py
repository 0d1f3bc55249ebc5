"""What encoders had, and whoever is gone, goes back to the system."""

import subprocess
import sys

ENCODERS = """
from pathlib import Path
from threading import Thread
from av import VideoFrame
from parlour.media.memory import give_back_large_blocks
from parlour.media.video.codec import VideoCodec
from parlour.media.video.encode import Rendition

assert give_back_large_blocks()
alive, small = [], []

def megabytes():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024

def come(codec):
    rendition = Rendition(codec, 1280, 720, 1_500_000, 30)
    for tick in range(3):
        rendition.encode(VideoFrame(1280, 720, "yuv420p"), (tick + 1) * 3000)
    alive.append(rendition)
    small.append([bytes(1000) for _ in range(2000)][::50])

def come_and_go():
    for codec in (*VideoCodec, *VideoCodec):
        come(codec)
        alive.clear()
    for codec in (*VideoCodec, *VideoCodec):
        come(codec)

thread = Thread(target=come_and_go)  # has a heap of its own, as the threads of rooms have
thread.start()
thread.join()
before = megabytes()
alive.clear()
print(before - megabytes())
"""

HOLES = """
from pathlib import Path
from threading import Thread
from parlour.media.memory import give_back_large_blocks, give_back_what_is_free

give_back_large_blocks()

def megabytes():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024

lives = []

def come_and_go():
    blocks = [(bytearray(b"1") * 65536, bytearray(b"1") * 1000) for _ in range(1000)]
    lives.extend(small for _, small in blocks)

thread = Thread(target=come_and_go)
thread.start()
thread.join()
before = megabytes()
assert give_back_what_is_free()
print(before - megabytes())
"""


def megabytes(script: str) -> float:
    """What a process says that it has given back."""
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return float(found.stdout)


def test_encoders_that_end_give_back_what_they_had() -> None:
    assert megabytes(ENCODERS) > 50, "of four encoders"


def test_what_lies_unused_between_what_lives_is_given_back() -> None:
    assert megabytes(HOLES) > 50, "of 64"
