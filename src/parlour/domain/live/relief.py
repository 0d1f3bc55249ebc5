"""What a room goes without while its media worker has more to do than it can."""

from enum import IntEnum


class Relief(IntEnum):
    """Steps in the order in which they are taken; each keeps those before it. Sound is never touched.

    ========================  ==============================================================================
    ``SLOWER_SMALL_TILES``    tiles of a ninth of the picture or less move at half the frame rate
    ``SMALLER_CAMERAS``       senders are asked for half the width and height
    ``SLOWER_PICTURE``        the whole picture has half the frame rate
    ``NO_MORE_CAMERAS``       cameras that are off stay off, those of newcomers too
    ``NO_MORE_MEMBERS``       nobody new comes in
    ========================  ==============================================================================
    """

    NONE = 0
    SLOWER_SMALL_TILES = 1
    SMALLER_CAMERAS = 2
    SLOWER_PICTURE = 3
    NO_MORE_CAMERAS = 4
    NO_MORE_MEMBERS = 5
