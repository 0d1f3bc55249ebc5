"""What one sent video packet costs: the leg's send loop against the bare minimum of protecting and sending.

CPU time, so that a busy machine matters less. The packets go over loopback to a socket that nobody reads: the kernel's
share is in the figures, the receiver's is not.

    .venv/bin/python benchmarks/packets.py
"""

import argparse
import os
import socket
import time
from collections.abc import Callable

from parlour.media.packets import MediaPacket
from parlour.media.transport.answer import MediaFacts
from parlour.media.transport.burst import Burst
from parlour.media.transport.endpoint import UdpPort
from parlour.media.transport.ice import Route
from parlour.media.transport.outgoing import OutgoingVideo
from parlour.media.transport.srtp import PROFILES, Keys, Profile, Srtp
from parlour.media.transport.wire import Wire

PAYLOAD = 1150
PICTURE = 8


def keyed(profile: Profile) -> Srtp:
    """A session with random keys."""
    return Srtp(profile, Keys(*(os.urandom(profile.key_length + profile.salt_length) for _ in range(2))))


def cost(action: Callable[[], object], packets: int, rounds: int) -> tuple[float, float]:
    """User and system CPU time of ``action``, which sends ``packets`` packets, in microseconds a packet."""
    for _ in range(rounds // 10):
        action()
    before = time.process_time_ns(), os.times()
    for _ in range(rounds):
        action()
    after = time.process_time_ns(), os.times()
    total = (after[0] - before[0]) / 1000 / rounds / packets
    system = (after[1].system - before[1].system) * 1e6 / rounds / packets
    return total, system


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20_000)
    rounds = parser.parse_args().rounds
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    address = silent.getsockname()
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setblocking(False)
    port = UdpPort(sender)
    packets = [MediaPacket(os.urandom(PAYLOAD), 0, n == 0, n == PICTURE - 1, n == 0) for n in range(PICTURE)]
    facts = MediaFacts("0", "VP8", 96, sends=True, receives=False, rtx_payload_type=97, abs_send_time_id=2)
    print(f"{PAYLOAD}-byte payloads, {PICTURE} packets a picture, {rounds} pictures; CPU µs a packet (of which kernel)")
    for profile in PROFILES:
        bare = keyed(profile).protect
        plain = [b"\x80\x60" + n.to_bytes(2, "big") + bytes(8) + packet.payload for n, packet in enumerate(packets)]

        def floor(protect: Callable[[bytes], bytes] = bare, plain: list[bytes] = plain) -> None:
            for packet in plain:
                sender.sendto(protect(packet), address)

        wire = Wire(Burst())
        wire.point(Route(port, address))
        wire.protect(keyed(profile))
        video = OutgoingVideo()

        def leg(video: OutgoingVideo = video, wire: Wire = wire) -> None:
            video.send(facts, packets, wire, 1.0)

        for name, action in (("bare protect + sendto", floor), ("leg", leg)):
            total, system = cost(action, PICTURE, rounds)
            print(f"{profile.name:20} {name:24} {total:6.2f} ({system:.2f})")
    silent.close()
    sender.close()


if __name__ == "__main__":
    main()
