"""Drives an agent with the A2A project's own client, as a stranger would who has nothing but its address.

Arguments: the agent's address, and as JSON the data to send it. Ends with an error where anything is not as A2A 1.0 has it.
"""

import asyncio
import json
import sys

import httpx
from a2a.client import ClientConfig, create_client
from a2a.types import a2a_pb2 as a2a
from a2a.utils import errors
from google.protobuf.json_format import MessageToDict, ParseDict


def message(data):
    return ParseDict({"messageId": "m1", "role": "ROLE_USER", "parts": [{"data": data}]}, a2a.Message())


async def last_task(client, data):
    """The task when all its updates have come, and how many came."""
    task, updates = None, 0
    async for update in client.send_message(a2a.SendMessageRequest(message=message(data))):
        updates += 1
        if update.HasField("task"):
            task = update.task
    if task is None:
        raise AssertionError("no update was a task")
    return await client.get_task(a2a.GetTaskRequest(id=task.id)), updates


async def refused(call, kind):
    try:
        await call
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was expected")


async def drive(address, data):
    async with httpx.AsyncClient(timeout=30) as http:
        for streaming in (True, False):
            client = await create_client(address, ClientConfig(streaming=streaming, httpx_client=http))
            task, updates = await last_task(client, data)
            assert task.status.state == a2a.TASK_STATE_COMPLETED, MessageToDict(task)
            assert updates == (3 if streaming else 1), updates
            assert MessageToDict(task.artifacts[0].parts[0])["data"], MessageToDict(task)

            listed = await client.list_tasks(a2a.ListTasksRequest(context_id=task.context_id))
            assert [found.id for found in listed.tasks] == [task.id], MessageToDict(listed)
            unknown = a2a.GetTaskRequest(id="nowhere")
            await refused(client.get_task(unknown), errors.TaskNotFoundError)
            await refused(client.cancel_task(a2a.CancelTaskRequest(id=task.id)), errors.TaskNotCancelableError)

            hook = a2a.TaskPushNotificationConfig(task_id=task.id, url="http://127.0.0.1:9/hook")
            await refused(client.create_task_push_notification_config(hook), errors.InvalidParamsError)


asyncio.run(drive(sys.argv[1], json.loads(sys.argv[2])))
