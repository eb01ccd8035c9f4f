"""Every fact of a campaign, by nats-py alone: what is recorded, then what comes. `python watch.py reader.json NAME`."""

import asyncio
import json
import sys
from pathlib import Path

import nats
from nats.errors import TimeoutError as NothingYet
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy


async def main(credential: str, campaign: str, after: int = 0, until: int = sys.maxsize) -> None:
    told = json.loads(Path(credential).read_text())
    server = await nats.connect(told["url"], user=told["user"], password=told["password"])
    # Observers ask JetStream in a domain of their own, and pull: a server cannot push into their account.
    jetstream = server.jetstream(domain=told["domain"])
    stream, name = f"myriad-{campaign}", server.new_inbox().rpartition(".")[2]
    await jetstream.add_consumer(
        stream,
        ConsumerConfig(
            name=name,
            ack_policy=AckPolicy.NONE,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=after + 1,
            filter_subject=f"myriad.{campaign}.>",
            inactive_threshold=60,
            mem_storage=True,
        ),
    )
    frames = await jetstream.pull_subscribe_bind(consumer=name, stream=stream)
    position = after
    while position < until:
        try:
            messages = await frames.fetch(100, timeout=5)
        except NothingYet:
            continue
        for message in messages:
            position = message.metadata.sequence.stream
            for index, fact in enumerate(json.loads(message.data)):
                print(f"{position}.{index}", message.subject, fact["type"], flush=True)
    await server.close()


asyncio.run(main(*sys.argv[1:3], *map(int, sys.argv[3:])))
