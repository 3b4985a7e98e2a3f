"""ECS deployments: an update begins one, and a test says how it ends.

moto runs no task, so nothing that happens to one can make a deployment end well or badly. The file that `DEPLOYMENTS` names says it instead, and may
say another thing at any time: `{"karmacadabra-validator": "IN_PROGRESS"}`. What is not in it is COMPLETED; FAILED is what the circuit breaker
makes of it: the service is back at the task definition before, and a task has left its last words.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
"""

import copy
import json
import os
import pathlib
import time

from moto.core.utils import utcnow
from moto.ecs.models import EC2ContainerServiceBackend as Backend, Task
from moto.ecs.responses import EC2ContainerServiceResponse as Response
from moto.logs.models import logs_backends
from moto.moto_api._internal import mock_random

_LAST_WORDS = 25


def add():
    if "DEPLOYMENTS" in os.environ:
        Response.create_service = settled(begun(Response.create_service))
        Response.update_service = settled(begun(Response.update_service))
        Response.describe_services = settled(Response.describe_services)
        Backend.list_tasks = of_a_service(Backend.list_tasks)


def begun(create_or_update):
    """A new service, another task definition or `forceNewDeployment` begins a deployment; another count is one for the deployments there are."""

    def answer(self):
        given = dict(self._get_params())
        before = copy.deepcopy(getattr(_service(self, given), "deployments", []))
        answer = create_or_update(self)
        service = _service(self, given)
        if not before or given.get("taskDefinition") or given.get("forceNewDeployment"):
            service.deployments = [_deployment(service), *(_replaced(it) for it in before)]
            if not before:
                service.running_count, service.pending_count = 0, service.desired_count
        elif given.get("desiredCount") is not None:
            service.deployments[0].update(desiredCount=given["desiredCount"], runningCount=given["desiredCount"])
        return answer

    return answer


def settled(ask):
    """Before anybody sees the services, each is as far as the file says."""

    def answer(self):
        answer = ask(self)
        rollouts = json.loads(pathlib.Path(os.environ["DEPLOYMENTS"]).read_text())
        for service in self.ecs_backend.services.values():
            primary = service.deployments[0]
            rollout = rollouts.get(service.name, "COMPLETED")
            if primary["rolloutState"] == "IN_PROGRESS" and rollout == "COMPLETED":
                complete(service)
            elif primary["rolloutState"] == "IN_PROGRESS" and rollout == "FAILED":
                fail(self.ecs_backend, service)
        return answer

    return answer


def of_a_service(list_tasks):
    """Who does not say otherwise is told of running tasks.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html
    """

    def listed(self, cluster=None, instance=None, family=None, started_by=None, service_name=None, desired_status=None):
        tasks = list_tasks(self, cluster, instance, family, started_by, None, desired_status or "RUNNING")
        group = f"service:{(service_name or '').split('/')[-1]}"
        return [task for task in tasks if not service_name or task.group == group]

    return listed


def complete(service):
    primary = service.deployments[0]
    primary.update(
        rolloutState="COMPLETED",
        rolloutStateReason=f"ECS deployment {primary['id']} completed.",
        runningCount=service.desired_count,
        pendingCount=0,
        updatedAt=utcnow(),
    )
    service.deployments = [primary]
    service.running_count, service.pending_count = service.desired_count, 0


def fail(backend, service):
    failed, *before = service.deployments
    failed.update(
        rolloutState="FAILED",
        rolloutStateReason="ECS deployment circuit breaker: tasks failed to start.",
        runningCount=0,
        pendingCount=0,
        failedTasks=3,
        updatedAt=utcnow(),
    )
    leave_a_stopped_task(backend, service, failed)
    if before:
        failed["status"] = "ACTIVE"
        service.task_definition = before[0]["taskDefinition"]
        service.deployments = [_deployment(service), failed]
        complete(service)
        service.deployments[0]["rolloutStateReason"] = (
            f"ECS deployment circuit breaker: rolling back to deploymentId {before[0]['id']}."
        )
        service.deployments.append(failed)


def leave_a_stopped_task(backend, service, deployment):
    definition = copy.copy(backend.describe_task_definition(deployment["taskDefinition"]))
    definition.network_mode = None  # A task that has stopped has no network interface.
    cluster = backend.clusters[service.cluster_name]
    task = Task(cluster, definition, None, None, backend, f"service:{service.name}", "FARGATE", started_by=deployment["id"])
    task.status = task.desired_status = "STOPPED"
    task.stop_code, task.stopped_reason = "EssentialContainerExited", "Essential container in task exited"
    task.created_at = task.started_at = task.stopped_at = utcnow()
    task.containers[0].exitCode, task.containers[0].last_status = 3, "STOPPED"
    backend.tasks.setdefault(cluster.name, {})[task.task_arn] = task
    write_last_words(backend, definition.container_definitions[0], task)


def write_last_words(backend, container, task):
    options = container["logConfiguration"]["options"]
    group = options["awslogs-group"]
    stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{task.id}"
    logs = logs_backends[backend.account_id][backend.region_name]
    logs.create_log_stream(group, stream)
    now = int(time.time() * 1000)
    lines = [{"timestamp": now + line, "message": f"last word {line}"} for line in range(1, _LAST_WORDS + 1)]
    logs.put_log_events(group, stream, lines)


def _service(response, given):
    cluster = (given.get("cluster") or "default").split("/")[-1]
    name = (given.get("service") or given.get("serviceName")).split("/")[-1]
    return response.ecs_backend.services.get(f"{cluster}:{name}")


def _deployment(service):
    identity = f"ecs-svc/{mock_random.randint(10**18, 10**19 - 1)}"
    return {
        **copy.deepcopy(service.deployments[0]),
        "id": identity,
        "status": "PRIMARY",
        "taskDefinition": service.task_definition,
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": f"ECS deployment {identity} in progress.",
        "desiredCount": service.desired_count,
        "runningCount": 0,
        "pendingCount": service.desired_count,
        "failedTasks": 0,
        "createdAt": utcnow(),
        "updatedAt": utcnow(),
    }


def _replaced(deployment):
    return {**deployment, "status": "ACTIVE"}
