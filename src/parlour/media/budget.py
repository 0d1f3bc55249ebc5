"""How much a worker can carry, and what its rooms go without when that is not enough. Pure: measurements come in."""

from dataclasses import dataclass
from typing import Final

from parlour.domain.live.relief import Relief

TIGHT: Final = 0.9
"""The part of the budget above which something is given up."""
EASY: Final = 0.6
"""The part below which something is given back: half of what was given up may come back with it."""
LATE: Final = 0.02
"""The part of sound and pictures that come late above which the machine gives less than was thought."""
SETTLE_S: Final = 2.0
"""How long a step takes until it shows in what is measured."""
CALM_S: Final = 8.0
"""How long it must be easy before something is given back; twice as long each time that turns out too early."""
CALM_MAX_S: Final = 64.0
TOO_EARLY_S: Final = 30.0
LEAST_CORES: Final = 0.1
_GROWTH: Final = 1.02
"""By how much a budget that was found too large grows back in each second in which no more than ``LATE`` is late."""
_PROVEN: Final = 1.001 / TIGHT
"""The budget, of the cores that are used in such a second: just so large that nothing has to be given up."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a worker did lately: cores that it kept busy, and the part of what was due that was late."""

    cores: float
    late: float


class Budget:
    """Decides from measurements, taken about once a second, what is to be given up. Times are seconds of one clock."""

    def __init__(self, cores: float, *, most: Relief = Relief.NO_MORE_MEMBERS) -> None:
        """``cores`` is how many the worker may keep busy, ``most`` the last step that may be taken."""
        self._most = most
        self._nominal = self._cores = max(LEAST_CORES, cores)
        self.relief = Relief.NONE
        self.load = 0.0
        self._late = self._tight = False
        self._stepped_at = self._returned_at = float("-inf")
        self._easy_since: float | None = None
        self._calm = CALM_S

    @property
    def cores(self) -> float:
        """The budget as it is now: what was granted, or less where the machine turned out to give less."""
        return self._cores

    def grant(self, cores: float) -> None:
        """The worker may keep so many cores busy from now on. What it may always have used is no news."""
        if (cores := max(LEAST_CORES, cores)) != self._nominal:
            self._nominal = self._cores = cores

    def take(self, measured: Measured, now: float) -> Relief:
        """Take a measurement and say what the rooms are to go without from now on."""
        was_late, self._late = self._late, measured.late > LATE
        if was_late and self._late:  # once may be a hiccup of the machine's
            self._cores = max(LEAST_CORES, min(self._cores, measured.cores))
        elif not self._late:  # what is used now is there, so a budget found small in a bad moment ends with that
            self._cores = min(self._nominal, max(self._cores * _GROWTH, measured.cores * _PROVEN))
        self.load = measured.cores / self._cores
        was_tight, self._tight = self._tight, self._late or self.load > TIGHT
        if self.load > EASY or self._late:
            self._easy_since = None
        elif self._easy_since is None:
            self._easy_since = now
        if now - self._stepped_at < SETTLE_S:
            return self.relief
        if was_tight and self._tight:
            self._give_up(now)
        elif self._easy_since is not None and now - self._easy_since >= self._calm:
            self._give_back(now)
        return self.relief

    def statistics(self) -> dict[str, float]:
        """The load in percent of the budget, the budget in cores, and the step of relief that is taken, 0 for none."""
        return {
            "load_percent": round(100 * self.load, 1),
            "budget_cores": round(self._cores, 3),
            "relief": int(self.relief),
        }

    def _give_up(self, now: float) -> None:
        if now - self._returned_at < TOO_EARLY_S:
            self._calm = min(CALM_MAX_S, 2 * self._calm)
        self._returned_at = float("-inf")
        self._stepped_at = now
        self.relief = Relief(min(self.relief + 1, self._most))

    def _give_back(self, now: float) -> None:
        if self.relief is Relief.NONE:
            self._calm = CALM_S
            return
        self._easy_since = now
        self._stepped_at = self._returned_at = now
        self.relief = Relief(self.relief - 1)
