"""Application Auto Scaling: tags of scalable targets, the role that AWS puts in for any other, and activities, of which there are none here.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

import json

from moto.applicationautoscaling import responses
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse as Response

from .tags import PerRegion

_tags = PerRegion()


def add():
    Response.describe_scaling_activities = describe_scaling_activities
    Response.list_tags_for_resource = list_tags_for_resource
    Response.tag_resource = tag_resource
    Response.untag_resource = untag_resource
    Response.register_scalable_target = with_tags(Response.register_scalable_target)
    Response.deregister_scalable_target = without_tags(Response.deregister_scalable_target)
    responses._build_target = with_service_linked_role(responses._build_target)


def describe_scaling_activities(self):
    return json.dumps({"ScalingActivities": []})


def list_tags_for_resource(self):
    return json.dumps({"Tags": _tags_of(self).of(self._get_param("ResourceARN"))})


def tag_resource(self):
    _tags_of(self).of(self._get_param("ResourceARN")).update(self._get_param("Tags"))
    return json.dumps({})


def untag_resource(self):
    _tags_of(self).remove(self._get_param("ResourceARN"), self._get_param("TagKeys"))
    return json.dumps({})


def with_tags(register):
    def register_scalable_target(self):
        answer = register(self)
        tags = self._get_param("Tags")
        if tags:
            _tags_of(self).of(json.loads(answer)["ScalableTargetARN"]).update(tags)
        return answer

    return register_scalable_target


def without_tags(deregister):
    def deregister_scalable_target(self):
        backend = self.applicationautoscaling_backend
        described = backend.describe_scalable_targets(
            self._get_param("ServiceNamespace"), [self._get_param("ResourceId")], self._get_param("ScalableDimension")
        )
        answer = deregister(self)
        for target in described:
            _tags_of(self).forget(target.arn)
        return answer

    return deregister_scalable_target


def with_service_linked_role(build):
    """Whatever role an ECS service's target is registered with, AWS uses, and gives back, the service-linked one.

    https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
    """

    def build_target(target):
        built = build(target)
        if target.service_namespace == "ecs":
            account = target.arn.split(":")[4]
            built["RoleARN"] = (
                f"arn:aws:iam::{account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com"
                "/AWSServiceRoleForApplicationAutoScaling_ECSService"
            )
        return built

    return build_target


def _tags_of(response):
    return _tags.of(response.applicationautoscaling_backend)
