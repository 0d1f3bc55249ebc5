"""One member's place on the canvas: the picture scaled straight to its size, and kept to be drawn again."""

from enum import StrEnum
from time import thread_time

from av import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from parlour.media.video.canvas import Canvas, Place, Rect, rows_of
from parlour.media.video.colour import TALKING, to_yuv

TOLERANCE = 0.02
"""How much of a side may be stretched instead of leaving a hairline bar: 426 of 428 pixels is nobody's loss."""

_TALKING = to_yuv(TALKING)


class Scaling(StrEnum):
    """What becomes of a picture whose shape is not its tile's: all of it between bars, or its middle without."""

    FIT = "fit"
    FILL = "fill"


def _even(value: float, limit: int) -> int:
    return max(2, min(limit, 2 * round(value / 2)))


def fitted(width: int, height: int, rect: Rect) -> Rect:
    """The part of a tile that a whole picture of this size (pixels) covers, centred, with even edges."""
    if width * rect.height > height * rect.width:
        wide, high = rect.width, _even(rect.width * height / width, rect.height)
    else:
        wide, high = _even(rect.height * width / height, rect.width), rect.height
    if wide >= rect.width * (1 - TOLERANCE):
        wide = rect.width
    if high >= rect.height * (1 - TOLERANCE):
        high = rect.height
    left, top = (rect.width - wide) // 4 * 2, (rect.height - high) // 4 * 2
    return Rect(rect.x + left, rect.y + top, wide, high)


def middle(width: int, height: int, rect: Rect) -> Rect:
    """The part of a picture of this size (pixels) that has the tile's shape, centred, with even edges."""
    if width * rect.height > height * rect.width:
        wide, high = _even(height * rect.width / rect.height, width), height
    else:
        wide, high = width, _even(width * rect.height / rect.width, height)
    if wide >= width * (1 - TOLERANCE):
        wide = width
    if high >= height * (1 - TOLERANCE):
        high = height
    return Rect((width - wide) // 4 * 2, (height - high) // 4 * 2, wide, high)


def border_thickness(rect: Rect) -> int:
    """Of the talking border, in pixels."""
    return 4 if rect.height >= 180 else 2


class Tile:
    """A rectangle that shows one member, with the scaler for its size and the last result."""

    def __init__(self, member_id: str, rect: Rect, scaling: Scaling) -> None:
        self.member_id, self.rect, self.scaling = member_id, rect, scaling
        self._reformatter = VideoReformatter()
        self._cropped: VideoFrame | None = None
        self._picture: VideoFrame | None = None
        self._covers = rect
        self._place: Place | None = None
        self._is_clean = False

    def show(self, frame: VideoFrame) -> float:
        """Take a decoded frame (8-bit 4:2:0, either range), scaled by swscale to where it will be.

        Returns the seconds of CPU that took: none for a frame that fits as it is.
        """
        width, height = frame.width, frame.height
        full = frame.format.name == "yuvj420p" or frame.color_range == ColorRange.JPEG
        if not full and (width, height) == (self.rect.width, self.rect.height):
            self._put(frame, self.rect)
            return 0.0
        started = thread_time()
        self._fit(frame, full=full)
        return thread_time() - started

    def _fit(self, frame: VideoFrame, *, full: bool) -> None:
        covers = self.rect
        if self.scaling is Scaling.FIT:
            covers = fitted(frame.width, frame.height, self.rect)
        else:
            frame = self._crop(frame)
        width, height = frame.width, frame.height
        if full or (width, height) != (covers.width, covers.height):
            # area averaging for shrinking: as fast as bilinear here and without its shimmer
            shrinks = width >= covers.width and height >= covers.height
            frame = self._reformatter.reformat(
                frame,
                covers.width,
                covers.height,
                "yuv420p",
                interpolation=Interpolation.AREA if shrinks else Interpolation.BILINEAR,
                src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
                dst_color_range=ColorRange.MPEG,
                threads=1,
            )
        self._put(frame, covers)

    def show_card(self, card: VideoFrame) -> None:
        """Take a picture that has the tile's size already."""
        self._put(card, self.rect)

    def paint(self, canvas: Canvas, *, talking: bool) -> None:
        """Draw the last picture again, with the border when the member talks: copies, no scaling."""
        if not self._is_clean or self._picture is None:
            canvas.fill(self.rect, canvas.background)
        if self._picture is not None:
            if self._place is None:
                self._place = canvas.place(self._covers)
            self._place.paste(self._picture)
        if talking:
            canvas.border(self.rect, border_thickness(self.rect), _TALKING)
        # the border lies over the bars of a letterbox, where no picture will cover it
        self._is_clean = not talking or self._covers == self.rect

    def soil(self) -> None:
        """Something else was drawn here: the bars must be painted as well next time."""
        self._is_clean = False

    def _put(self, picture: VideoFrame, covers: Rect) -> None:
        if covers != self._covers:
            self._covers, self._place, self._is_clean = covers, None, False
        self._picture = picture

    def _crop(self, frame: VideoFrame) -> VideoFrame:
        """The middle of a frame, copied: cheaper than scaling what will be cut off."""
        part = middle(frame.width, frame.height, self.rect)
        if (part.width, part.height) == (frame.width, frame.height):
            return frame
        cropped = self._cropped
        if cropped is None or (cropped.width, cropped.height, cropped.format.name) != (
            part.width,
            part.height,
            frame.format.name,
        ):
            cropped = self._cropped = VideoFrame(part.width, part.height, frame.format.name)
        cropped.color_range = frame.color_range
        for target, source, shift in zip(cropped.planes, frame.planes, (0, 1, 1), strict=True):
            x, y = part.x >> shift, part.y >> shift
            wide, high = (part.width + shift) >> shift, (part.height + shift) >> shift
            rows_of(target)[:high, :wide] = rows_of(source)[y : y + high, x : x + wide]
        return cropped
