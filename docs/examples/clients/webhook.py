"""A bridge to a webhook: `myriad tail NAME --follow --durable hook --cloudevents | python webhook.py URL`."""

import json
import sys
import time
import urllib.error
import urllib.request

TRIES = 5


def post(url: str, event: str) -> None:
    """Deliver one event, as CloudEvents' HTTP binding has it in structured mode; give up after some tries."""
    headers = {"Content-Type": "application/cloudevents+json"}
    request = urllib.request.Request(url, event.encode(), headers)
    for attempt in range(TRIES):
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except (urllib.error.URLError, TimeoutError) as error:
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if refused or attempt == TRIES - 1:
                sys.exit(f"{url} did not take event {json.loads(event)['id']}: {error}")
            time.sleep(2**attempt / 10)
        else:
            return


for line in sys.stdin:
    post(sys.argv[1], line.rstrip("\n"))
