"""The supervisor: what a child that was started again is told of its predecessor's life."""

from __future__ import annotations

from pathlib import Path

import msgspec

from liu_tui.engine.messages import StepAck
from liu_tui.plan.schema import MarketTable
from tests.kit.engine import StillKid, a_house, a_plan


async def test_a_new_producer_is_told_the_last_step_that_its_predecessor_may_have_died_with(
    tmp_path: Path,
) -> None:
    plan = msgspec.structs.replace(a_plan("momentum"), market=MarketTable(speed="max"))
    async with a_house(tmp_path, plan) as house:
        supervisor = house.supervisor
        producer = supervisor.staff.producers[0]
        assert isinstance(producer, StillKid)
        supervisor.kid_ready(producer)
        assert producer.heard(StepAck) == []
        supervisor.gate.acked = 7
        supervisor.kid_ready(producer)
        assert producer.heard(StepAck) == [StepAck(n=7)]
