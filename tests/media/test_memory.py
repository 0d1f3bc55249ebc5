"""What encoders had goes back to the system."""

import subprocess
import sys

SCRIPT = """
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


def test_encoders_that_end_give_back_what_they_had() -> None:
    found = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)
    assert float(found.stdout) > 50, "megabytes of four encoders"
