"""Chromium as the tests start it."""

from pathlib import Path

CHROMIUM = Path(__file__).with_suffix(".sh")
PLAIN = (
    "--no-sandbox",
    "--mute-audio",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""A browser that goes nowhere by itself."""
DEVICES = (*PLAIN, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
"""One that also has a made-up camera and microphone, and may use them."""
UNASKED = "--autoplay-policy=no-user-gesture-required"
"""Sound plays without a click."""
WHOLE_SCREEN = "--auto-select-desktop-capture-source=Entire screen"
"""Whoever shares a screen has chosen all of it."""
OPEN_ADDRESSES = "--disable-features=WebRtcHideLocalIpsWithMdns"
"""Candidates bear addresses, not made-up names of the local network."""
