"""Lists what there is in an AWS account, as the API tells it: a line for each thing, `kind name`.

Usage: inventory.py ENDPOINT REGION
"""

import sys

import boto3
import jmespath

# kind: the service, its operation, where the names are in the answer, the operation's parameters
LISTINGS = {
    "alarm": ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName", {}),
    "bucket": ("s3", "list_buckets", "Buckets[].Name", {}),
    "budget": ("budgets", "describe_budgets", "Budgets[].BudgetName", {"AccountId": "123456789012"}),
    "cluster": ("ecs", "list_clusters", "clusterArns[]", {}),
    "dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName", {}),
    "elastic address": ("ec2", "describe_addresses", "Addresses[].AllocationId", {}),
    "event rule": ("events", "list_rules", "Rules[].Name", {}),
    "instance": ("ec2", "describe_instances", "Reservations[].Instances[?State.Name!='terminated'].InstanceId[]", {}),
    "internet gateway": ("ec2", "describe_internet_gateways", "InternetGateways[].InternetGatewayId", {}),
    "load balancer": ("elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerArn", {}),
    "log group": ("logs", "describe_log_groups", "logGroups[].logGroupName", {}),
    "metric filter": ("logs", "describe_metric_filters", "metricFilters[].filterName", {}),
    "namespace": ("servicediscovery", "list_namespaces", "Namespaces[].Name", {}),
    "nat gateway": ("ec2", "describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId", {}),
    "network interface": ("ec2", "describe_network_interfaces", "NetworkInterfaces[].NetworkInterfaceId", {}),
    "policy": ("iam", "list_policies", "Policies[].PolicyName", {"Scope": "Local"}),
    "repository": ("ecr", "describe_repositories", "repositories[].repositoryName", {}),
    "role": ("iam", "list_roles", "Roles[].RoleName", {}),
    "route table": ("ec2", "describe_route_tables", "RouteTables[].RouteTableId", {}),
    "sampling rule": ("xray", "get_sampling_rules", "SamplingRuleRecords[].SamplingRule.RuleName", {}),
    "scalable target": (
        "application-autoscaling",
        "describe_scalable_targets",
        "ScalableTargets[].ResourceId",
        {"ServiceNamespace": "ecs"},
    ),
    "scaling policy": (
        "application-autoscaling",
        "describe_scaling_policies",
        "ScalingPolicies[].PolicyName",
        {"ServiceNamespace": "ecs"},
    ),
    "schedule": ("scheduler", "list_schedules", "Schedules[].Name", {}),
    "schedule group": ("scheduler", "list_schedule_groups", "ScheduleGroups[].Name", {}),
    "secret": ("secretsmanager", "list_secrets", "SecretList[].Name", {"IncludePlannedDeletion": True}),
    "security group": ("ec2", "describe_security_groups", "SecurityGroups[].GroupId", {}),
    "subnet": ("ec2", "describe_subnets", "Subnets[].SubnetId", {}),
    "target group": ("elbv2", "describe_target_groups", "TargetGroups[].TargetGroupName", {}),
    "task definition": ("ecs", "list_task_definitions", "taskDefinitionArns[]", {"status": "ACTIVE"}),
    "topic": ("sns", "list_topics", "Topics[].TopicArn", {}),
    "vpc": ("ec2", "describe_vpcs", "Vpcs[].VpcId", {}),
    "vpc endpoint": ("ec2", "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId", {}),
}


def main(endpoint, region):
    session = boto3.Session("not-a-key", "not-a-secret", region_name=region)
    for kind, (service, operation, names, parameters) in LISTINGS.items():
        for name in listed(session.client(service, endpoint_url=endpoint), operation, names, parameters):
            print(kind, name)
    ecs = session.client("ecs", endpoint_url=endpoint)
    for cluster in listed(ecs, "list_clusters", "clusterArns[]", {}):
        for name in listed(ecs, "list_services", "serviceArns[]", {"cluster": cluster}):
            print("service", name)


def listed(client, operation, names, parameters):
    """What all pages of an answer name."""
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate(**parameters)
    else:
        pages = [getattr(client, operation)(**parameters)]
    return [name for page in pages for name in jmespath.search(names, page) or []]


if __name__ == "__main__":
    main(*sys.argv[1:])
