locals {
  # Who calls whom: { "skill-extractor to karma-hello" = { caller = "skill-extractor", callee = "karma-hello" } }
  calls = merge([
    for caller, agent in var.agents : {
      for callee in agent.calls : "${caller} to ${callee}" => { caller = caller, callee = callee }
    }
  ]...)
}

# What is put into the VPC without a group of its own can talk to nobody: the default group has no rules left.

resource "aws_default_security_group" "main" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "${var.project_name}-unused" }
}

# The load balancer

resource "aws_security_group" "alb" {
  name        = "${var.project_name}-alb"
  description = "The load balancer"
  vpc_id      = aws_vpc.main.id

  tags = { Name = "${var.project_name}-alb" }
}

resource "aws_vpc_security_group_ingress_rule" "alb_http" {
  for_each = var.alb_ingress_cidr_blocks

  security_group_id = aws_security_group.alb.id
  description       = "HTTP from ${each.value}"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
  cidr_ipv4         = each.value
}

resource "aws_vpc_security_group_ingress_rule" "alb_https" {
  for_each = var.certificate_arn == null ? toset([]) : var.alb_ingress_cidr_blocks

  security_group_id = aws_security_group.alb.id
  description       = "HTTPS from ${each.value}"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = each.value
}

resource "aws_vpc_security_group_egress_rule" "alb_to_agents" {
  for_each = var.agents

  security_group_id            = aws_security_group.alb.id
  description                  = "Requests and health checks to ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.agents[each.key].id
}

# The agents

resource "aws_security_group" "agents" {
  for_each = var.agents

  name        = "${var.project_name}-${each.key}"
  description = "The tasks of ${each.key}"
  vpc_id      = aws_vpc.main.id

  tags = { Name = "${var.project_name}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "agents_from_alb" {
  for_each = var.agents

  security_group_id            = aws_security_group.agents[each.key].id
  description                  = "Requests and health checks from the load balancer"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.alb.id
}

resource "aws_vpc_security_group_ingress_rule" "agents_from_callers" {
  for_each = local.calls

  security_group_id            = aws_security_group.agents[each.value.callee].id
  description                  = "Requests from ${each.value.caller}"
  ip_protocol                  = "tcp"
  from_port                    = var.agents[each.value.callee].port
  to_port                      = var.agents[each.value.callee].port
  referenced_security_group_id = aws_security_group.agents[each.value.caller].id
}

resource "aws_vpc_security_group_egress_rule" "agents_to_callees" {
  for_each = local.calls

  security_group_id            = aws_security_group.agents[each.value.caller].id
  description                  = "Requests to ${each.value.callee}"
  ip_protocol                  = "tcp"
  from_port                    = var.agents[each.value.callee].port
  to_port                      = var.agents[each.value.callee].port
  referenced_security_group_id = aws_security_group.agents[each.value.callee].id
}

resource "aws_vpc_security_group_egress_rule" "agents_https" {
  for_each = var.agents

  security_group_id = aws_security_group.agents[each.key].id
  description       = "AWS itself and other services, over TLS"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

# The interface endpoints, where there are any

resource "aws_security_group" "endpoints" {
  count = length(local.interface_endpoints) > 0 ? 1 : 0

  name        = "${var.project_name}-endpoints"
  description = "The interface endpoints of AWS services"
  vpc_id      = aws_vpc.main.id

  tags = { Name = "${var.project_name}-endpoints" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_https" {
  count = length(local.interface_endpoints) > 0 ? 1 : 0

  security_group_id = aws_security_group.endpoints[0].id
  description       = "HTTPS from the VPC"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = aws_vpc.main.cidr_block
}

# The NAT instance, where there is one

resource "aws_security_group" "nat_instance" {
  count = var.enable_nat_instance ? 1 : 0

  name        = "${var.project_name}-nat"
  description = "The NAT instance"
  vpc_id      = aws_vpc.main.id

  tags = { Name = "${var.project_name}-nat" }
}

resource "aws_vpc_security_group_ingress_rule" "nat_instance_https" {
  for_each = var.enable_nat_instance ? aws_subnet.private : {}

  security_group_id = aws_security_group.nat_instance[0].id
  description       = "HTTPS from the tasks in ${each.key}"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = each.value.cidr_block
}

resource "aws_vpc_security_group_egress_rule" "nat_instance_https" {
  count = var.enable_nat_instance ? 1 : 0

  security_group_id = aws_security_group.nat_instance[0].id
  description       = "HTTPS to the internet: the tasks' and its own"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}
