"""ECS: a service gives back everything it was made with, and what was deleted is not listed.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
"""

from moto.ecs.models import EC2ContainerServiceBackend as Backend
from moto.ecs.responses import EC2ContainerServiceResponse as Response

# By the name that the API and moto's objects have for it.
_OF_A_SERVICE = {
    "availabilityZoneRebalancing": "availability_zone_rebalancing",
    "capacityProviderStrategy": "capacity_provider_strategy",
    "deploymentConfiguration": "deployment_configuration",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "enableExecuteCommand": "enable_execute_command",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    "placementConstraints": "placement_constraints",
    "placementStrategy": "placement_strategy",
}

# These belong to a deployment, and a service has them through its newest.
_OF_A_DEPLOYMENT = {
    "capacityProviderStrategy": "capacityProviderStrategy",
    "networkConfiguration": "networkConfiguration",
    "serviceConnectConfiguration": "serviceConnectConfiguration",
    "taskDefinition": "taskDefinition",
}


def add():
    Response.create_service = remembering(Response.create_service)
    Response.update_service = remembering(Response.update_service)
    Backend.list_clusters = only_active(Backend.list_clusters, "clusters")
    Backend.list_services = only_active(Backend.list_services, "services")


def remembering(create_or_update):
    def answer(self):
        given = dict(self._get_params())
        answer = create_or_update(self)
        remember(answer.result["service"] if isinstance(answer.result, dict) else answer.result, given)
        return answer

    return answer


def remember(service, given):
    for parameter, attribute in _OF_A_SERVICE.items():
        if given.get(parameter) is not None:
            setattr(service, attribute, given[parameter])
    for deployment in service.deployments:
        for parameter, member in _OF_A_DEPLOYMENT.items():
            if given.get(parameter) is not None:
                deployment[member] = given[parameter]
    if getattr(service, "capacity_provider_strategy", None):
        forget_launch_type(service)


def forget_launch_type(service):
    """It has either a strategy or a launch type, and moto takes a missing one for EC2."""
    service.launch_type = None
    for deployment in service.deployments:
        deployment["launchType"] = None


def only_active(list_all, kind):
    """What was deleted is described as INACTIVE for a while, and no longer listed."""

    def listed(self, *arguments, **named):
        active = {it.arn for it in getattr(self, kind).values() if it.status == "ACTIVE"}
        return [arn for arn in list_all(self, *arguments, **named) if arn in active]

    return listed
