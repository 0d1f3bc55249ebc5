"""How many packets a core sends to how many: the legs' own loop, bare calls in Python, and a loop in C.

    python -m benchmarks.fanout

Each receiver has its own keys and numbers, as in a room. The packets go over loopback to a socket that another thread
reads, so that the kernel delivers them; its half falls to the sender there. CPU time of the sending thread, so that a
busy machine matters less. The C loop is compiled here where there is a compiler, and protects with the same libsrtp.
"Cut" sends a receiver's packets of one picture in one system call that the kernel cuts apart.
"""

import argparse
import ctypes
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pylibsrtp import _binding

from parlour.media.packets import MediaPacket
from parlour.media.transport.answer import MediaFacts
from parlour.media.transport.burst import Burst, send_cut
from parlour.media.transport.endpoint import UdpPort
from parlour.media.transport.ice import Route
from parlour.media.transport.outgoing import OutgoingVideo
from parlour.media.transport.srtp import PROFILES, Keys, Srtp
from parlour.media.transport.wire import Wire

SOURCE: Final = Path(__file__).with_name("fanout.c")
PAYLOAD: Final = 1150
PICTURE: Final = 7
"""Packets of a picture of 720p at 1.9 Mbit/s and 30 pictures a second."""
ROUNDS: Final = 5
PACKETS: Final = 40_000
"""In each round, about."""

NAMES: Final = ("legs", "bare", "bare cut", "C", "C cut")

Send = Callable[[int], object]
"""Sends so many pictures to everybody."""


@dataclass(frozen=True, slots=True)
class FanOut:
    """Packets a second of one core. C's are missing where no compiler is."""

    receivers: int
    legs: float
    bare: float
    bare_cut: float
    in_c: float | None
    in_c_cut: float | None

    @property
    def share(self) -> float | None:
        """Of what the C loop reaches with a system call a packet."""
        return None if self.in_c is None else self.legs / self.in_c

    @property
    def share_cut(self) -> float | None:
        """Of what the C loop reaches with a system call a picture and receiver."""
        return None if self.in_c_cut is None else self.legs / self.in_c_cut


def measure(receivers: int, rounds: int = ROUNDS) -> FanOut:
    """All ways in turns, the middle of some rounds each."""
    with (
        tempfile.TemporaryDirectory(prefix="parlour-fanout-") as folder,
        _socket(loop := compiled(Path(folder))) as (
            sender,
            address,
        ),
    ):
        ways: dict[str, Send] = {
            "legs": _legs(sender, address, receivers),
            "bare": _bare(sender, address, receivers, cut=False),
            "bare_cut": _bare(sender, address, receivers, cut=True),
        }
        if loop is not None:
            ways["in_c"] = _in_c(loop, sender, address, receivers, cut=False)
            ways["in_c_cut"] = _in_c(loop, sender, address, receivers, cut=True)
        pictures = max(1, PACKETS // (PICTURE * receivers))
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds + 1):  # the first one warms up
            for name, send in ways.items():
                began = time.thread_time()
                send(pictures)
                found[name].append(pictures * PICTURE * receivers / (time.thread_time() - began))
    rates = {name: statistics.median(values[1:]) for name, values in found.items()}
    return FanOut(receivers, rates["legs"], rates["bare"], rates["bare_cut"], rates.get("in_c"), rates.get("in_c_cut"))


def compiled(folder: Path) -> ctypes.CDLL | None:
    """The loops in C, ``None`` where they cannot be had."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    library = folder / "fanout.so"
    command = [compiler, "-O2", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
    if subprocess.run(command, check=False).returncode:
        return None
    loaded = ctypes.CDLL(str(library))
    number, pointer = ctypes.c_int, ctypes.c_void_p
    loaded.fan_out.argtypes = [
        number, number, pointer, ctypes.POINTER(pointer), number, ctypes.c_char_p, *(number,) * 5,
    ]  # fmt: skip
    loaded.fan_out.restype = ctypes.c_long
    loaded.drain.argtypes = [ctypes.c_int, ctypes.c_int]
    loaded.drain.restype = None
    return loaded


def _keyed() -> Srtp:
    profile = PROFILES[0]
    return Srtp(profile, Keys(*(os.urandom(profile.key_length + profile.salt_length) for _ in range(2))))


def _legs(sender: socket.socket, address: tuple[str, int], receivers: int) -> Send:
    packets = [MediaPacket(os.urandom(PAYLOAD), 0, n == 0, n == PICTURE - 1, n == 0) for n in range(PICTURE)]
    facts = MediaFacts("0", "H264", 96, sends=True, receives=False, rtx_payload_type=97, abs_send_time_id=None)
    port, burst = UdpPort(sender), Burst()
    legs = []
    for _ in range(receivers):
        wire = Wire(burst)
        wire.point(Route(port, address))
        wire.protect(_keyed())
        legs.append((OutgoingVideo(), wire))

    def send(pictures: int) -> None:
        for _ in range(pictures):
            now = time.monotonic()
            for video, wire in legs:
                video.send(facts, packets, wire, now)

    return send


def _bare(sender: socket.socket, address: tuple[str, int], receivers: int, *, cut: bool) -> Send:
    payload, sessions = os.urandom(PAYLOAD), [_keyed() for _ in range(receivers)]
    protected: list[bytes] = []
    numbers = [0] * receivers

    def send(pictures: int) -> None:
        for _ in range(pictures):
            for receiver, session in enumerate(sessions):
                for _ in range(PICTURE):
                    numbers[receiver] = number = (numbers[receiver] + 1) & 0xFFFF
                    packet = b"\x80\x60" + number.to_bytes(2) + bytes(4) + b"\0\0\0\1" + payload
                    if cut:
                        protected.append(session.protect(packet))
                    else:
                        sender.sendto(session.protect(packet), address)
                if cut:
                    send_cut(sender, memoryview(b"".join(protected)), len(protected[0]), address)
                    protected.clear()

    return send


def _in_c(loop: ctypes.CDLL, sender: socket.socket, address: tuple[str, int], receivers: int, *, cut: bool) -> Send:
    payload, sessions = os.urandom(PAYLOAD), [_keyed() for _ in range(receivers)]
    ffi = _binding.ffi
    protect = int(ffi.cast("uintptr_t", ffi.addressof(_binding.lib, "srtp_protect")))
    handles = [int(ffi.cast("uintptr_t", session._outbound._srtp[0])) for session in sessions]  # noqa: SLF001 - as Srtp does
    array = (ctypes.c_void_p * receivers)(*handles)
    first = 0

    def send(pictures: int, _alive: object = sessions) -> None:
        nonlocal first
        numbers = (receivers, payload, PAYLOAD, PICTURE, first, pictures, int(cut))
        if loop.fan_out(sender.fileno(), address[1], protect, array, *numbers) < 0:
            raise RuntimeError("libsrtp refused a packet")
        first += pictures

    return send


@contextmanager
def _socket(loop: ctypes.CDLL | None) -> Iterator[tuple[socket.socket, tuple[str, int]]]:
    """A socket to send with, and the address of one that is read where there is a loop to do it."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        end, stop = socket.socketpair()
        with end, stop:
            reading = threading.Thread(target=loop.drain, args=(receiver.fileno(), stop.fileno())) if loop else None
            if reading is not None:
                reading.start()
            try:
                yield sender, receiver.getsockname()
            finally:
                end.close()
                if reading is not None:
                    reading.join()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fanout", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--receivers", nargs="+", type=int, default=[1, 30, 300])
    print("packets a second of one core")
    for receivers in parser.parse_args().receivers:
        found = measure(receivers)
        rates = (found.legs, found.bare, found.bare_cut, found.in_c, found.in_c_cut)
        shown = ", ".join(f"{name} {rate:,.0f}" for name, rate in zip(NAMES, rates, strict=True) if rate is not None)
        share = "" if found.share is None else f": {found.share:.0%} of C, {found.share_cut or 0:.0%} of C cut"
        print(f"{receivers:>4} receivers: {shown}{share}")


if __name__ == "__main__":
    main()
