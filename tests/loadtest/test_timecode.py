"""Numbers in pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.loadtest import timecode
from parlour.loadtest.timecode import NUMBERS, UNREAD, Reader


def test_no_two_numbers_have_the_same_cells_and_every_one_has_an_even_count_of_light_ones() -> None:
    found = {tuple(timecode.cells_of(number)) for number in range(NUMBERS)}
    assert len(found) == NUMBERS
    assert all(sum(cells) % 2 == 0 for cells in found)


@given(number=st.integers(0, NUMBERS - 1), width=st.integers(48, 400), x=st.integers(0, 60), y=st.integers(0, 60))
def test_what_is_drawn_is_read_wherever_the_tile_lies(number: int, width: int, x: int, y: int) -> None:
    height = width * 9 // 16
    picture = np.full((height, width), 120, np.uint8)
    timecode.draw(picture, number)
    canvas = np.full((300, 500), 120, np.uint8)
    canvas[y : y + height, x : x + width] = picture
    assert Reader([(x, y, width, height)]).read(canvas) == [number]


def test_many_tiles_are_read_at_once_each_for_itself() -> None:
    canvas = np.zeros((180, 640), np.uint8)
    for place, number in enumerate((0, 77)):
        timecode.draw(canvas[:, place * 320 : place * 320 + 320], number)
    tiles = [(0.0, 0.0, 320.0, 180.0), (320.0, 0.0, 320.0, 180.0)]
    assert Reader(tiles).read(canvas) == [0, 77]
    assert Reader([]).read(canvas) == []


@pytest.mark.parametrize("number", [0, 1, 63, 127])
def test_a_picture_between_two_of_a_film_is_not_read_as_a_third(number: int) -> None:
    both = []
    for one in (number, (number + 1) % NUMBERS):
        picture = np.full((180, 320), 120, np.uint8)
        timecode.draw(picture, one)
        both.append(picture.astype(np.uint16))
    mixed = ((both[0] + both[1]) // 2).astype(np.uint8)
    assert Reader([(0, 0, 320, 180)]).read(mixed) == [UNREAD]


def test_a_picture_without_a_number_is_not_read() -> None:
    assert Reader([(0, 0, 320, 180)]).read(np.full((180, 320), 120, np.uint8)) == [UNREAD]


def test_a_cell_that_turned_is_noticed() -> None:
    picture = np.full((180, 320), 120, np.uint8)
    timecode.draw(picture, 0)
    picture[:, 20:55] = timecode.LIGHT
    assert Reader([(0, 0, 320, 180)]).read(picture) == [UNREAD]
