"""What the stack needs of AWS and moto lacks: one module for each service."""

from . import applicationautoscaling, cloudwatch, deployments, ec2, ecs, execution, s3, xray


def add():
    """Adds all of it to moto, before its first request."""
    for service in (applicationautoscaling, cloudwatch, ec2, ecs, deployments, execution, s3, xray):
        service.add()
