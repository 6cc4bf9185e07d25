"""What a Python user writes, with the client that openapi-python-client generates."""

import sys

from readout_client import Client
from readout_client.api.statements import list_topic_positions
from readout_client.models import ListTopicPositionsActItem as Act
from readout_client.models import StatementList

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)

positions = list_topic_positions.sync("grain-deal", client=client)
assert isinstance(positions, StatementList), positions
every = positions.data or []
for one in every:
    speakers = ", ".join(f"{who.name}" for who in one.speakers or [])
    print(f"  {speakers} ({one.act}): {one.summary}")

positions = list_topic_positions.sync("grain-deal", client=client, act=[Act.DEMAND, Act.WARNING])
assert isinstance(positions, StatementList), positions
some = positions.data or []
assert [one.id for one in some] == [one.id for one in every if one.act in {"demand", "warning"}]
assert 0 < len(some) < len(every), "the filter shows nothing here"
