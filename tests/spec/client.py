"""What a Python user writes, with the client that openapi-python-client generates."""

import sys

from readout_client import Client
from readout_client.api.statements import list_topic_positions
from readout_client.models import ListTopicPositionsActItem as A
from readout_client.models import StatementList

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)

page = list_topic_positions.sync("grain-deal", client=client)
assert isinstance(page, StatementList), page
assert page.data, "no position on the grain deal"
for one in page.data:
    print(f"  {', '.join(who.name for who in one.speakers)} ({one.act}): {one.summary}")

some = list_topic_positions.sync("grain-deal", client=client, act=[A.DEMAND, A.WARNING])
assert isinstance(some, StatementList), some
wanted = [one.id for one in page.data if one.act in {"demand", "warning"}]
assert [one.id for one in some.data] == wanted, (some.data, wanted)
assert 0 < len(wanted) < len(page.data), "the filter shows nothing here"
