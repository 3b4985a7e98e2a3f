"""ECS: a service runs a task, and a command can be run in it.

`EXEC_AGENT` names the address of an agent that a test plays; the session that ExecuteCommand answers with leads there. Without it there is nothing of this.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommand.html
"""

import copy
import os
import urllib.parse

from moto.core.responses import ActionResult
from moto.ecs.models import EC2ContainerServiceBackend as Backend, Task
from moto.ecs.responses import EC2ContainerServiceResponse as Response
from moto.moto_api._internal import mock_random

from .deployments import of_a_service

# What an agent is shown: whoever has it was sent by ECS.
_TOKEN = "a-token-of-ecs"


def add():
    if "EXEC_AGENT" in os.environ:
        Response.create_service = with_a_task(Response.create_service)
        Response.execute_command = execute_command
        Backend.list_tasks = of_a_service(Backend.list_tasks)


class RunningTask(Task):
    """It runs, however often it is looked at."""

    status = property(lambda self: "RUNNING", lambda self, status: None)
    enable_execute_command = True


def with_a_task(create_service):
    def answer(self):
        answer = create_service(self)
        given = dict(self._get_params())
        service = self.ecs_backend.services[f"{(given.get('cluster') or 'default').split('/')[-1]}:{given['serviceName']}"]
        run_a_task(self.ecs_backend, service)
        return answer

    return answer


def run_a_task(backend, service):
    definition = copy.copy(backend.describe_task_definition(service.task_definition))
    definition.network_mode = None  # Nobody asks for its network interface.
    cluster = backend.clusters[service.cluster_name]
    started_by = service.deployments[0]["id"]
    task = RunningTask(cluster, definition, None, None, backend, f"service:{service.name}", "FARGATE", started_by=started_by)
    for container in task.containers:
        container.last_status = "RUNNING"
        container.managed_agents = [{"name": "ExecuteCommandAgent", "lastStatus": "RUNNING"}]
    backend.tasks.setdefault(cluster.name, {})[task.task_arn] = task


def execute_command(self):
    """The agent is told the command in the address, for want of the service that would hand it on."""
    given = dict(self._get_params())
    identity = f"ecs-execute-command-{mock_random.get_random_hex(17)}"
    command = urllib.parse.quote(given["command"], safe="")
    address = f"{os.environ['EXEC_AGENT']}/v1/data-channel/{identity}?command={command}"
    session = {"sessionId": identity, "streamUrl": address, "tokenValue": _TOKEN}
    return ActionResult({"containerName": given.get("container"), "interactive": True, "session": session, "taskArn": given["task"]})
