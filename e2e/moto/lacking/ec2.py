"""EC2: the description of a security group's rule that names another group, and the end of a NAT gateway's network interface.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNatGateway.html
"""

from moto.ec2.models import EC2Backend as Backend
from moto.ec2.models.security_groups import SecurityGroupRule


def add():
    SecurityGroupRule.description = property(description)
    Backend.delete_nat_gateway = with_its_interface(Backend.delete_nat_gateway)


def description(rule):
    return (rule.ip_range or rule.source_group).get("Description")


def with_its_interface(delete):
    def delete_nat_gateway(self, nat_gateway_id):
        gateway = delete(self, nat_gateway_id)
        for address in gateway.address_set:
            self.enis.pop(address["networkInterfaceId"], None)
        return gateway

    return delete_nat_gateway
