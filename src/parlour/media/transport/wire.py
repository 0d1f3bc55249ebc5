"""A leg's way out: the selected route and the protection, in one object that the send loops can hold on to."""

from parlour.media.transport.burst import Burst
from parlour.media.transport.ice import Route
from parlour.media.transport.srtp import Srtp, SrtpError


class Wire:
    """Sends protected packets to the peer, and counts.

    Nothing waits: what the socket will not take now is dropped (``blocked``), what it never will is dropped too
    (``failed``). Without a route or without keys, ``ready`` is false and nothing may be sent. ``burst`` is what whole
    pictures are sent with; it is empty between calls, so that many may share one.
    """

    __slots__ = ("blocked", "burst", "bytes", "failed", "packets", "ready", "route", "srtp")

    def __init__(self, burst: Burst) -> None:
        self.burst = burst
        self.route: Route | None = None
        self.srtp: Srtp | None = None
        self.ready = False
        self.packets = 0
        self.bytes = 0
        self.blocked = 0
        self.failed = 0

    def point(self, route: Route | None) -> None:
        """Send over ``route`` from now on."""
        self.route = route
        self.ready = route is not None and self.srtp is not None

    def protect(self, srtp: Srtp | None) -> None:
        """Use these keys from now on."""
        self.srtp = srtp
        self.ready = self.route is not None and srtp is not None

    def send_rtp(self, packet: bytes) -> None:
        """Protect and send one RTP packet."""
        if self.route is not None and self.srtp is not None:
            try:
                data = self.srtp.protect(packet)
            except (SrtpError, ValueError):
                self.failed += 1
                return
            self._send(self.route, data)

    def send_burst(self) -> None:
        """Send what is in the burst, and empty it."""
        burst, route = self.burst, self.route
        if route is not None and burst.count:
            datagrams = burst.datagrams
            try:
                route.carrier.send_burst(datagrams, burst.size, route.address)
            except BlockingIOError:
                self.blocked += burst.count
            except OSError:
                self.failed += burst.count
            else:
                self.packets += burst.count
                self.bytes += len(datagrams)
        burst.clear()

    def send_rtcp(self, packet: bytes) -> None:
        """Protect and send one compound RTCP packet."""
        if self.route is not None and self.srtp is not None:
            try:
                data = self.srtp.protect_rtcp(packet)
            except (SrtpError, ValueError):
                self.failed += 1
                return
            self._send(self.route, data)

    def send_plain(self, datagram: bytes) -> None:
        """Send a DTLS datagram."""
        if self.route is not None:
            self._send(self.route, datagram)

    def _send(self, route: Route, data: bytes) -> None:
        try:
            route.carrier.sendto(data, route.address)
        except BlockingIOError:
            self.blocked += 1
        except OSError:
            self.failed += 1
        else:
            self.packets += 1
            self.bytes += len(data)
