import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.media.video.card import INK, Card, CardPress, disc_colour
from parlour.media.video.colour import contrast
from parlour.media.video.fonts import MAX_SIZES, FontBook
from parlour.media.video.initials import graphemes, initials

BUNDLED = FontBook(folders=())
PRESS = CardPress(BUNDLED)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ada Lovelace", "AL"),
        ("ada", "A"),
        ("  Jean  Luc  Picard ", "JP"),
        ("Éric", "É"),
        ("E\u0301ric", "É"),
        ("Дмитрий Шостакович", "ДШ"),
        ("Ελένη Παπά", "ΕΠ"),
        ("محمد الفاتح", "م ا"),
        ("אבי כהן", "אכ"),
        ("张伟", "张伟"),
        ("欧阳修远", "修远"),
        ("山田 太郎", "山田"),
        ("中村たけし", "中村"),
        ("김민준", "민준"),
        ("अमिताभ बच्चन", "अब"),
        ("प्रिया", "प्रि"),
        ("გიორგი", "გ"),
        ("Zoë (she/her) O’Brien", "ZO"),
        ("(guest) 42", "G4"),
        ("Ann 🎉", "A"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("🇩🇪🇫🇷", "🇩🇪"),
        ("ßeta", "ß"),
        ("…", ""),
        ("", ""),
        ("\u0000\u200b", ""),
    ],
)
def test_initials(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_letters_keep_what_belongs_to_them() -> None:
    assert graphemes("e\u0301a👍🏽क्षि각") == ["e\u0301", "a", "👍🏽", "क्षि", "각"]
    assert graphemes("\u1100\u1161\u11a8\u1100") == ["\u1100\u1161\u11a8", "\u1100"]


@given(st.text(max_size=60))
def test_any_name_has_at_most_two_letters(name: str) -> None:
    assert len(graphemes(initials(name).replace(" ", ""))) <= 2


@given(st.text(min_size=1))
def test_white_stands_out_on_every_colour(member_id: str) -> None:
    assert contrast(INK, disc_colour(member_id)) >= 4.5


def test_colours_are_stable_and_differ() -> None:
    assert disc_colour("ann") == disc_colour("ann")
    assert len({disc_colour(str(index)) for index in range(200)}) >= 20


@pytest.mark.parametrize("name", ["Ada Lovelace", "Дмитрий", "محمد", "אבי", "अमिताभ", "สมชาย", "გიორგი", "Đặng"])
def test_bundled_fonts_draw_these_scripts(name: str) -> None:
    assert BUNDLED.face_for(name, bold=True) is not None
    assert BUNDLED.face_for(name, bold=False) is not None
    assert _ink(name) != _ink("")


def _ink(name: str) -> bytes:
    """The disc's pixels; the name is below."""
    return PRESS.image(Card("ann", name), 160, 90).tobytes()


@pytest.mark.parametrize("name", ["\U00012000\U00012001", "🦊", "\U0001e900"])
def test_what_no_font_can_draw_becomes_a_person(name: str) -> None:
    assert BUNDLED.face_for(name, bold=True) is None
    assert _ink(name) == _ink("")


def test_a_card_has_the_tile_s_size_and_is_drawn_once() -> None:
    press = CardPress(BUNDLED, capacity=2 * 426 * 240 * 3 // 2)
    first = press.frame(Card("ann", "Ann"), 426, 240)
    assert (first.width, first.height, first.format.name) == (426, 240, "yuv420p")
    assert press.frame(Card("ann", "Ann"), 426, 240) is first
    assert press.frame(Card("ann", "Ann", muted=True), 426, 240) is not first
    press.frame(Card("ann", "Bob"), 426, 240)
    assert press.frame(Card("ann", "Ann"), 426, 240) is not first


def test_what_is_kept_of_them_is_bounded_by_its_size() -> None:
    press = CardPress(BUNDLED, capacity=1 << 20)
    small = press.frame(Card("ann", "Ann"), 160, 90)
    large = press.frame(Card("ann", "Ann"), 1280, 720)
    assert press.frame(Card("ann", "Ann"), 1280, 720) is large, "the last one is kept, whatever it takes"
    assert press.frame(Card("ann", "Ann"), 160, 90) is not small
    for number in range(200):
        press.frame(Card("bob", str(number)), 160, 90)
    assert sum(frame.width * frame.height * 3 // 2 for frame in press._kept.values()) == press._size <= 1 << 20
    assert len(press._kept) == (1 << 20) // (160 * 90 * 3 // 2)


def test_few_sizes_of_a_font_are_open_the_last_ones() -> None:
    face = BUNDLED.face_for("Ann", bold=True)
    assert face is not None
    often = face.at(10)
    for size in range(20, 40):
        face.at(size)
        assert face.at(10) is often
    assert list(face._sizes) == [*range(40 - MAX_SIZES + 1, 40), 10]


def test_the_name_is_written_where_there_is_room() -> None:
    def lowest(height: int) -> int:
        image = np.asarray(PRESS.image(Card("ann", "Ann"), height * 16 // 9, height)).astype(int)
        rows = np.nonzero(np.abs(image - image[0, 0]).sum(axis=(1, 2)) > 200)[0]
        return int(rows.max() / height * 100)

    assert lowest(360) > 75
    assert lowest(90) < 86
    image = np.asarray(PRESS.image(Card("ann", "Ann"), 160, 90)).astype(int)
    assert not np.abs(image[80:] - image[0, 0]).sum()


def test_long_names_end_in_an_ellipsis_within_the_card() -> None:
    image = np.asarray(PRESS.image(Card("ann", "W" * 190), 320, 180)).astype(int)
    assert not np.abs(image[:, :10] - image[0, 0]).sum()
    assert not np.abs(image[:, -10:] - image[0, 0]).sum()


@given(st.text(max_size=40), st.integers(1, 300), st.integers(1, 200), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_name_can_be_drawn_at_any_size(name: str, half_width: int, half_height: int, muted: bool) -> None:
    frame = PRESS.frame(Card("ann", name, muted), 2 * half_width, 2 * half_height)
    assert (frame.width, frame.height) == (2 * half_width, 2 * half_height)
