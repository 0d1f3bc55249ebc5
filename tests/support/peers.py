"""Answers calls with real media: for each a peer connection of aiortc, which sends a test picture and silence."""

import re

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack


class Peers:
    """Peer connections by call id."""

    def __init__(self) -> None:
        self.connections: dict[str, RTCPeerConnection] = {}
        self.audio_first: list[bool] = []
        self._names: dict[str, list[str]] = {}

    async def answer(self, call_id: str, offer: str, audio_first: bool) -> str:
        """Answer an offer; a call that is there already is negotiated anew if it can be, else taken over."""
        self.audio_first.append(audio_first)
        connection = self.connections.get(call_id)
        if connection is not None and self._names[call_id] != _names(offer):
            await connection.close()
            connection = None
        self._names[call_id] = _names(offer)
        if connection is None:
            connection = self.connections[call_id] = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        for transceiver in connection.getTransceivers():
            wanted = transceiver._offerDirection in {"sendrecv", "recvonly"}
            sends: object = transceiver.sender.track
            if wanted and sends is None:
                connection.addTrack(VideoStreamTrack() if transceiver.kind == "video" else AudioStreamTrack())
        await connection.setLocalDescription(await connection.createAnswer())
        sdp: str = connection.localDescription.sdp
        return _audio_before_video(sdp) if audio_first else sdp

    async def close(self) -> None:
        """Hang up on everybody."""
        for connection in self.connections.values():
            await connection.close()


def _names(sdp: str) -> list[str]:
    return re.findall(r"a=ice-ufrag:(\S+)", sdp)


def _audio_before_video(sdp: str) -> str:
    head, *sections = re.split(r"(?m)^(?=m=)", sdp)
    return "".join([head, *sorted(sections, key=lambda section: not section.startswith("m=audio"))])
