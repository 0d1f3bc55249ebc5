"""VP8 in RTP (RFC 7741): frames into payloads and back, and the frame header (RFC 6386 section 9.1)."""

from parlour.media.video.codec import PayloadError

_EXTENDED, _START = 0x80, 0x10
_PICTURE_ID, _TL0PICIDX, _TID, _KEYIDX = 0x80, 0x40, 0x20, 0x10

PICTURE_ID_LIMIT = 1 << 15


def packetize(frame: bytes, limit: int, picture_id: int) -> list[bytes]:
    """RTP payloads of at most ``limit`` bytes, each with a descriptor that carries the 15-bit picture id.

    They are of one size; only the last may be shorter.
    """
    extension = bytes((_PICTURE_ID, 0x80 | picture_id >> 8, picture_id & 0xFF))
    room = limit - 1 - len(extension)
    count = max(1, -(-len(frame) // room))
    size = -(-len(frame) // count)
    edges = [min(size * i, len(frame)) for i in range(count + 1)]
    return [
        bytes((_EXTENDED | (_START if i == 0 else 0),)) + extension + frame[edges[i] : edges[i + 1]]
        for i in range(count)
    ]


def unpack(payload: bytes) -> tuple[bool, bytes]:
    """Whether a payload begins a frame, and its part of the frame. Raises `PayloadError` when it is cut short."""
    try:
        flags, at = payload[0], 1
        if flags & _EXTENDED:
            extension, at = payload[1], 2
            if extension & _PICTURE_ID:
                at += 2 if payload[at] & 0x80 else 1
            at += bool(extension & _TL0PICIDX) + bool(extension & (_TID | _KEYIDX))
    except IndexError:
        raise PayloadError("descriptor cut short") from None
    if at >= len(payload):
        raise PayloadError("descriptor with nothing behind it")
    return flags & _START != 0 and flags & 0x07 == 0, payload[at:]


def is_keyframe(frame: bytes) -> bool:
    """Whether a frame stands alone: the inverse of the lowest bit of its tag."""
    return not frame[0] & 1


def keyframe_size(frame: bytes) -> tuple[int, int]:
    """Width and height in pixels that a keyframe declares. Raises `PayloadError` when it has no proper header."""
    if len(frame) < 10 or frame[3:6] != b"\x9d\x01\x2a":
        raise PayloadError("not the header of a VP8 keyframe")
    width, height = int.from_bytes(frame[6:8], "little") & 0x3FFF, int.from_bytes(frame[8:10], "little") & 0x3FFF
    if not width or not height:
        raise PayloadError("a picture without size")
    return width, height


class Vp8Assembler:
    """Puts one frame together out of payloads that come in order without a hole."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the frame in hand."""
        self._parts: list[bytes] = []
        self.size = 0

    def add(self, payload: bytes) -> None:
        """Take the next payload. Raises `PayloadError` when it breaks the format or the beginning is missing."""
        starts, part = unpack(payload)
        if starts and self._parts:
            raise PayloadError("a frame begins inside another")
        if not starts and not self._parts:
            raise PayloadError("the beginning of the frame is missing")
        self._parts.append(part)
        self.size += len(part)

    def finish(self) -> tuple[bytes, bool] | None:
        """The frame and whether it stands alone. Raises `PayloadError` for a keyframe without a proper header."""
        data = b"".join(self._parts)
        self.reset()
        if not data:
            return None
        if is_keyframe(data):
            keyframe_size(data)
            return data, True
        return data, False
