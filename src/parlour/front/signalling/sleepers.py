"""Which sessions without a socket are forgotten before their time, so that there never are too many of them."""

from collections import Counter
from collections.abc import Iterable

from parlour.front.signalling.session import Dialogue

SLEEPING_MAX = 4096
"""As many as may be awake: with all of them gone at once, all of them may come back."""
OF_ONE_MAX = 32
"""Of one subscriber. A guest's token may be that of a whole audience."""


def overflow(dialogues: Iterable[Dialogue]) -> list[Dialogue]:
    """Those to forget: of each subscriber, and of all, the ones that sleep for longest go first."""
    asleep = [dialogue for dialogue in dialogues if dialogue.away_since is not None]
    asleep.sort(key=lambda dialogue: dialogue.away_since or 0.0, reverse=True)
    kept, of_one = 0, Counter[object]()
    found: list[Dialogue] = []
    for dialogue in asleep:
        subscriber = dialogue.ticket.subscriber
        if kept == SLEEPING_MAX or (subscriber is not None and of_one[subscriber] == OF_ONE_MAX):
            found.append(dialogue)
            continue
        kept += 1
        of_one[subscriber] += 1
    return found
