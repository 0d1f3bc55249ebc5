"""A camera that nobody is to see is not decoded, whatever its owner goes on sending."""

from parlour.domain.live.commands import Act, Done
from parlour.media.conference import Conference
from parlour.media.transport import Endpoint
from tests.media.guest import ROOM, Guest, film, live, while_filming

PICTURES = 20


async def test_a_muted_camera_costs_no_decoding_and_comes_back(conference: Conference, endpoint: Endpoint) -> None:
    ana = await Guest(conference, endpoint, "ana", room=ROOM, capabilities=("self.mute", "self.unmute")).join()

    def figure(name: str) -> float:
        return conference.statistics()[f"calls_camera_{name}"]

    def do(name: str) -> None:
        assert isinstance(conference.ask(Act(ana.member_id, name, (ana.member_id,), {"channels": ["video"]})), Done)

    async def act() -> None:
        await live([ana], lambda: figure("decoded") > PICTURES)
        before = figure("skipped")
        do("mute")
        await live([ana], lambda: figure("skipped") > before + 5)  # what had begun is over
        decoded, skipped, wanted = figure("decoded"), figure("skipped"), len(ana.asked_for_keyframe)
        await live([ana], lambda: figure("skipped") > skipped + PICTURES)
        assert figure("decoded") == decoded
        assert len(ana.asked_for_keyframe) == wanted, "and nothing is asked of it"
        do("unmute")
        await live([ana], lambda: figure("decoded") > decoded + PICTURES)
        assert len(ana.asked_for_keyframe) > wanted, "it has to begin anew"
        assert figure("errors") == 0

    await while_filming(ana, film(), act)
