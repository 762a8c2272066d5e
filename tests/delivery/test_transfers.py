"""What is being sent to whom."""

from mediaserver.delivery.transfers import Transfers
from tests.upnp.fakes import FakeClock


async def test_a_transfer_is_seen_while_it_runs() -> None:
    clock = FakeClock()
    transfers = Transfers(now=clock)
    transfer = transfers.begin("192.168.1.7", 5, "Song", 1000)
    assert transfer is not None
    await clock.advance(3)
    transfers.progress(transfer, 400)
    assert transfers.running() == [(transfer, 3.0)]
    assert (transfer.address, transfer.title, transfer.size, transfer.sent) == (
        "192.168.1.7", "Song", 1000, 400,
    )  # fmt: skip
    transfers.end(transfer)
    assert transfers.running() == []
    assert transfers.bytes_sent == 400


def test_a_host_gets_only_so_many_at_a_time() -> None:
    transfers = Transfers(per_host=2)
    first = transfers.begin("a", 1, "", 1)
    assert first is not None
    assert transfers.begin("a", 1, "", 1) is not None
    assert transfers.begin("a", 1, "", 1) is None
    assert transfers.begin("b", 1, "", 1) is not None
    transfers.end(first)
    assert transfers.begin("a", 1, "", 1) is not None
