"""Who talks and who has the floor, frame by frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.domain.live import floor
from parlour.domain.live.floor import SILENT, Floor, Voice, advance, gate, hush, listen, vacate

GATE = 200
SOFT, LOUD = GATE + 100, GATE + 400


def said(score: int, frames: int, voice: Voice = SILENT) -> Voice:
    for _ in range(frames):
        voice = listen(voice, score, GATE)
    return voice


def heard(held: Floor, frames: int, **scores: int) -> tuple[Floor, list[dict[str, bool]]]:
    """The floor after these frames, and what turned in each of them."""
    turned = []
    for _ in range(frames):
        held, now = advance(held, {name: (score, GATE) for name, score in scores.items()}, lambda: ("a", "b", "c"))
        turned.append(now)
    return held, turned


def test_five_open_frames_or_one_loud_one_start_the_talking() -> None:
    assert not said(SOFT, 4).talking
    assert said(SOFT, 5).talking
    assert said(LOUD, 1).talking
    assert not said(LOUD - 1, 1).talking
    assert not said(GATE, 100).talking, "the gate opens above its level, not at it"


def test_a_closed_frame_takes_an_open_one_back() -> None:
    assert not said(SOFT, 1, said(0, 1, said(SOFT, 4))).talking
    assert said(SOFT, 2, said(0, 1, said(SOFT, 4))).talking
    assert not said(SOFT, 1, said(0, 4, said(SOFT, 4))).talking


def test_forty_closed_frames_stop_the_talking() -> None:
    talking = said(SOFT, 5)
    assert said(0, 39, talking).talking
    assert not said(0, 40, talking).talking
    assert said(0, 1, said(SOFT, 1, said(0, 39, talking))).talking, "an open frame takes a closed one back"


def test_the_level_is_smoothed_and_capped() -> None:
    assert listen(SILENT, 1000, GATE).level == 200
    assert listen(Voice(level=1000), 0, GATE).level == 800
    assert said(32767, 100).level == 25_000


def test_silence_is_forgotten() -> None:
    assert said(0, 200, said(LOUD, 20)) is SILENT


def test_the_gate_follows_the_sensitivity() -> None:
    assert [gate(sensitivity) for sensitivity in (0, 44, 100)] == [1800, 200, 0]
    assert [gate(s) for s in range(101)] == sorted((gate(s) for s in range(101)), reverse=True)


def test_the_first_to_talk_has_the_floor_and_after_a_second_the_picture() -> None:
    held, turned = heard(Floor(), 1, a=LOUD)
    assert turned == [{"a": True}]
    assert (held.audio, held.video) == ("a", None)
    held, _ = heard(held, 48, a=LOUD)
    assert held.video is None
    held, turned = heard(held, 1, a=LOUD)
    assert held.video == "a"
    assert turned == [{}]


def test_nobody_has_the_floor_before_talking() -> None:
    assert heard(Floor(), 4, a=SOFT)[0].audio is None


def test_who_talks_keeps_the_floor_against_somebody_louder() -> None:
    held, _ = heard(Floor(), 10, a=LOUD)
    assert heard(held, 200, a=LOUD, b=20_000)[0].audio == "a"


def test_the_floor_changes_hands_when_the_holder_is_quiet() -> None:
    held, _ = heard(Floor(), 60, a=LOUD)
    held, _ = heard(held, 20, b=LOUD)
    assert (held.audio, held.video) == ("b", "a")
    held, _ = heard(held, 50, b=LOUD)
    assert (held.audio, held.video, held.former_video) == ("b", "b", "a")


def test_a_change_of_the_floor_starts_everybody_s_score_anew() -> None:
    held, _ = heard(Floor(), 60, a=LOUD)
    levels = held.voices["a"].level
    while held.audio == "a":
        held, _ = heard(held, 1, b=LOUD, c=LOUD)
    assert levels > 300
    assert {voice.level for voice in held.voices.values()} == {0}


def test_a_soft_challenger_does_not_win_the_floor() -> None:
    held, _ = heard(Floor(), 60, a=LOUD)
    assert heard(held, 500, b=GATE + 50)[0].audio == "a"


def test_the_second_for_the_picture_is_counted_within_one_talk() -> None:
    held, _ = heard(Floor(), 40, a=LOUD)
    held, _ = heard(held, 40)
    held, _ = heard(held, 40, a=LOUD)
    assert held.video is None


def test_the_picture_follows_only_whom_it_may() -> None:
    held = Floor()
    for _ in range(100):
        held, _ = advance(held, {"voice": (LOUD, GATE)}, lambda: ("a", "b"))
    assert (held.audio, held.video) == ("voice", None)


def test_hushing_the_holder_frees_the_floor_of_the_sound_only() -> None:
    held, _ = heard(Floor(), 60, a=LOUD)
    after = hush(held, {"a"})
    assert (after.audio, after.video, dict(after.voices)) == (None, "a", {})
    assert hush(held, {"x"}) is held


def test_the_picture_goes_back_to_who_had_it_else_to_the_first_who_can_be_seen() -> None:
    held = Floor(video="b", former_video="a")
    assert vacate(held, {"b"}, ("c", "a")).video == "a"
    assert vacate(held, {"a", "b"}, ("c",)).video == "c"
    assert vacate(held, {"b"}, ()).video is None
    assert vacate(held, {"a"}, ("b", "c")) == Floor(video="b")
    assert vacate(held, {"x"}, ("a", "b")) is held


@given(scores=st.lists(st.integers(0, 32767), max_size=300), gate=st.integers(0, 1800))
def test_a_voice_stays_in_its_bounds(scores: list[int], gate: int) -> None:
    voice = SILENT
    for score in scores:
        before, voice = voice, listen(voice, score, gate)
        assert 0 <= voice.level <= floor.LEVEL_MAX
        assert 0 <= voice.open_hits < floor.START_FRAMES
        assert 0 <= voice.closed_hits < floor.STOP_FRAMES
        if before.talking and not voice.talking:
            assert score <= gate
        if voice.talking and not before.talking:
            assert score > gate


@pytest.mark.parametrize("silent_for", [40, 400])
@given(talk=st.lists(st.tuples(*[st.sampled_from([0, SOFT, LOUD, 9000])] * 3), max_size=120))
def test_after_silence_nobody_talks_and_starts_and_stops_alternate(
    silent_for: int, talk: list[tuple[int, int, int]]
) -> None:
    held, talking = Floor(), dict.fromkeys("abc", False)
    for a, b, c in [*talk, *[(0, 0, 0)] * silent_for]:
        held, turned = heard(held, 1, a=a, b=b, c=c)
        for name, on in turned[0].items():
            assert talking[name] != on
            talking[name] = on
        assert held.video is None or held.video in "abc"
    assert not any(talking.values())
