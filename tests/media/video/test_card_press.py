"""Fonts are read once, not with the first card of each room."""

import pytest

from parlour.media.video import fonts
from parlour.media.video.canvas import Rect
from parlour.media.video.card import Card, card_press
from parlour.media.video.picture import Compositor, TileSpec


def test_rooms_share_what_cards_are_drawn_with(monkeypatch: pytest.MonkeyPatch) -> None:
    card_press().warm()

    def read_again(*_: object, **__: object) -> None:
        raise AssertionError("fonts are read while a room waits for its picture")

    monkeypatch.setattr(fonts, "read_coverage", read_again)
    for name in ("Ada", "愛"):
        room = Compositor(1280, 720)
        room.set_tiles([TileSpec("m1", Rect(0, 0, 1280, 720))])
        room.set_card("m1", Card("m1", name))
        assert room.compose() is not None
