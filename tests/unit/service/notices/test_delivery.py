"""From records to subscribers: nothing is lost, nothing has another id, nobody waits for ever."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from halftone.domain.audit import AuditRecord
from halftone.domain.errors import Unavailable
from halftone.domain.notices.notice import Notice
from halftone.domain.notices.subscription import Subscription
from halftone.ports.notices import Delivery, NoticePorts
from halftone.service.notices.delivery import announce, deliver, retry_after
from halftone.testing import (
    InMemoryStage,
    MemoryBus,
    MemoryQueue,
    MemorySender,
    SetClock,
)
from tests.support.notices import START, chain, subscription


@dataclass
class FailingSender(MemorySender):
    """Fails a share of the time, by a seed; ``down`` fails always."""

    share: float = 0.0
    drawn: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - a simulation

    def send(self, subscription: Subscription, notice: Notice, now: datetime) -> None:
        if self.drawn.random() < self.share:
            raise Unavailable("ops.example.com answered 503: busy")
        super().send(subscription, notice, now)


@dataclass
class World:
    """The notices' ports in memory, with a queue whose delays pass."""

    sender: FailingSender = field(default_factory=FailingSender)
    stage: InMemoryStage = field(default_factory=InMemoryStage)
    bus: MemoryBus = field(default_factory=MemoryBus)
    queue: MemoryQueue = field(default_factory=MemoryQueue)

    def __post_init__(self) -> None:
        self.clock = SetClock(START)
        self.ports = NoticePorts(
            stage="dev",
            clock=self.clock,
            store=self.stage.store,
            subscriptions=self.stage.subscriptions,
            undelivered=self.stage.subscriptions,
            bus=self.bus,
            queue=self.queue,
            sender=self.sender,
        )

    def subscribe(self, *subscriptions: Subscription) -> None:
        self.stage.subscriptions.kept |= {one.id: one for one in subscriptions}

    def record(self, records: list[AuditRecord]) -> None:
        self.stage.store.records["fraud"] = records

    def drain(self) -> None:
        """Hand out all deliveries, each when its delay is over."""
        due: list[tuple[datetime, Delivery]] = []
        while self.queue.waiting or due:
            due += [(self.clock.now() + delay, d) for d, delay in self.queue.waiting]
            self.queue.waiting.clear()
            due.sort(key=lambda entry: entry[0])
            moment, delivery = due.pop(0)
            self.clock.moment = max(moment, self.clock.moment)
            deliver(self.ports, delivery)


def test_a_thousand_records_reach_a_failing_subscriber() -> None:
    world = World(FailingSender(share=0.3))
    world.subscribe(subscription())
    records = chain(*["set-traffic"] * 1000, every=timedelta())
    world.record(records)
    for start in range(0, 1000, 100):
        announce(world.ports, records[start : start + 100])
    world.drain()
    delivered = [notice.id for _, notice, _ in world.sender.delivered]
    assert sorted(delivered) == sorted(record.hash for record in records)
    assert not world.stage.subscriptions.given_up
    assert [notice.id for notice in world.bus.published] == [r.hash for r in records]


def test_a_batch_that_comes_twice_has_the_same_ids() -> None:
    world = World()
    world.subscribe(subscription())
    records = chain("fence", "rolled-back")
    announce(world.ports, records)
    announce(world.ports, records)
    world.drain()
    assert [n.id for _, n, _ in world.sender.delivered] == [r.hash for r in records] * 2


def test_updates_are_told_every_five_minutes_alerts_at_once() -> None:
    world = World()
    world.subscribe(subscription())
    records = chain("shifted", "advance", "shifted", "fence", every=timedelta(seconds=30))
    world.record(records)
    for record in records:
        world.clock.moment = record.at
        announce(world.ports, [record])
    world.drain()
    alert, update = [(n, at) for _, n, at in world.sender.delivered]
    assert (alert[0].kind, alert[1]) == ("rollout.rolling_back", records[3].at)
    assert update[0].id == records[2].hash
    assert update[0].updates == ("reason 1", "reason 2")
    assert update[1] - records[3].at < timedelta(minutes=5)


def test_a_dead_subscriber_is_given_up_after_a_day() -> None:
    world = World(FailingSender(share=1.0))
    world.subscribe(subscription())
    (record,) = chain("fence")
    announce(world.ports, [record])
    world.drain()
    (entry,) = world.stage.subscriptions.undelivered("0123456789ab", most=10)
    assert entry.notice == record.hash
    assert entry.why == "ops.example.com answered 503: busy"
    assert timedelta(hours=24) <= entry.given_up_at - record.at < timedelta(hours=24, minutes=16)


def test_only_who_subscribed_is_told_and_nobody_who_left() -> None:
    world = World()
    world.subscribe(
        subscription("aaaaaaaaaaaa", kinds=("alert",)),
        subscription("bbbbbbbbbbbb", kinds=("info",)),
        subscription("cccccccccccc", ended="left"),
        subscription("dddddddddddd", endpoint="churn"),
    )
    announce(world.ports, chain("fence"))
    left = subscription("aaaaaaaaaaaa", kinds=("alert",), ended="left since")
    waiting = list(world.queue.waiting)
    world.drain()
    assert [key for key, _, _ in world.sender.delivered] == ["aaaaaaaaaaaa"]
    world.subscribe(left)
    assert not deliver(world.ports, waiting[0][0])


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 10), (2, 20), (7, 640), (8, 900), (999, 900)])
def test_retries_come_later_and_later(attempt: int, seconds: int) -> None:
    assert retry_after(attempt) == timedelta(seconds=seconds)
