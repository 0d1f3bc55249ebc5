"""A leg's way out: the selected route and the protection, in one object that the send loops can hold on to."""

from parlour.media.transport.burst import Burst, Sheet
from parlour.media.transport.ice import Route
from parlour.media.transport.srtp import Srtp, SrtpError


class Wire:
    """Sends protected packets to the peer, and counts.

    Nothing waits: what the socket will not take now is dropped (``blocked``), what it never will is dropped too
    (``failed``). Without a route or without keys, ``ready`` is false and nothing may be sent. ``burst`` is what whole
    pictures are sent with; nothing is in it between calls, so that many may share one.
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

    def send_sheet(self, sheet: Sheet) -> None:
        """Protect and send what was written to the burst's memory for ``sheet``."""
        route, srtp, count = self.route, self.srtp, len(sheet.places)
        if route is None or srtp is None:
            return
        try:
            srtp.protect_places(sheet.places)
            route.carrier.send_burst(sheet.datagrams, sheet.size, route.address)
        except BlockingIOError:
            self.blocked += count
        except (SrtpError, OSError):
            self.failed += count
        else:
            self.packets += count
            self.bytes += len(sheet.datagrams)

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
