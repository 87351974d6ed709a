"""What nobody in the shop can help: outages of mail and of the bank, its news that come late, clocks that jump."""

from datetime import timedelta

from storecore.testing.machine.bank import NAME, SIGNED
from storecore.testing.simulate.world import World


class Weather:
    """Outages and clock jumps, and what the bank tells by itself: late, twice, out of order, or never."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.outages = 0
        self._heard = 0
        self._waiting: list[bytes] = []

    def mail_outage(self) -> None:
        """Up to a day."""
        hours = self.world.random.randint(1, 24)
        self.outages += 1
        self.world.mail.down_until = self.world.clock.true + timedelta(hours=hours)
        self.world.note("weather", f"the mail server is down for {hours} h")

    def bank_outage(self) -> None:
        """Up to some hours."""
        minutes = self.world.random.randint(5, 300)
        self.outages += 1
        self.world.line.down_until = self.world.clock.true + timedelta(minutes=minutes)
        self.world.note("weather", f"the bank is out of reach for {minutes} min")

    def clock_jump(self) -> None:
        """Most are of seconds, some of minutes, and some put it right."""
        random = self.world.random
        most = random.choice((0, 2, 120, 120, 900))
        self.world.clock.jump(timedelta(seconds=random.randint(-most, most)))
        self.world.note("weather", "the clock jumps")

    def bank_tells(self) -> None:
        """Some of the news that wait, in any order, and some that are old."""
        random, told = self.world.random, self.world.bank.told
        self._waiting += told[self._heard :]
        self._heard = len(told)
        random.shuffle(self._waiting)
        for _ in range(random.randint(0, len(self._waiting))):
            news = self._waiting.pop()
            if random.random() < 0.9:
                self._tell(news)
        if told and random.random() < 0.3:
            self._tell(random.choice(told))

    def _tell(self, news: bytes) -> None:
        self.world.ask("bank", "tells", lambda store: store.orders.hear(provider=NAME, headers=SIGNED, body=news))
