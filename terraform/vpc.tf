locals {
  nat_gateway_zones = !var.enable_nat_gateway ? [] : var.single_nat_gateway ? slice(var.availability_zones, 0, 1) : var.availability_zones

  # The families of AWS's own processors have a "g" after their generation: t4g, c7gn.
  nat_instance_architecture = can(regex("^[a-z]+[0-9]+g", var.nat_instance_type)) ? "arm64" : "x86_64"

  interface_endpoints      = var.enable_vpc_endpoints ? var.vpc_interface_endpoints : []
  interface_endpoint_zones = var.vpc_interface_endpoints_in_one_zone ? slice(var.availability_zones, 0, 1) : var.availability_zones
}

resource "aws_vpc" "main" {
  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.project_name }
}

# The first eight sixteenths of the VPC are for public subnets, the others for private ones, so that a zone can be added to both.

resource "aws_subnet" "public" {
  for_each = toset(var.availability_zones)

  vpc_id            = aws_vpc.main.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.vpc_cidr, 4, index(var.availability_zones, each.key))

  tags = { Name = "${var.project_name}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = toset(var.availability_zones)

  vpc_id            = aws_vpc.main.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.vpc_cidr, 4, 8 + index(var.availability_zones, each.key))

  tags = { Name = "${var.project_name}-private-${each.key}" }
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id

  tags = { Name = var.project_name }
}

resource "aws_eip" "nat" {
  for_each = toset(local.nat_gateway_zones)

  domain = "vpc"

  tags = { Name = "${var.project_name}-nat-${each.key}" }

  depends_on = [aws_internet_gateway.main]
}

resource "aws_nat_gateway" "main" {
  for_each = toset(local.nat_gateway_zones)

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = { Name = "${var.project_name}-${each.key}" }

  depends_on = [aws_internet_gateway.main]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "${var.project_name}-public" }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table" "private" {
  for_each = toset(var.availability_zones)

  vpc_id = aws_vpc.main.id

  tags = { Name = "${var.project_name}-private-${each.key}" }
}

resource "aws_route" "nat" {
  for_each = var.enable_nat_gateway ? aws_route_table.private : {}

  route_table_id         = each.value.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.main[var.single_nat_gateway ? local.nat_gateway_zones[0] : each.key].id
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private[each.key].id
}

# A machine that does what the NAT gateway does: cheaper, and nobody's but ours to look after

data "aws_ssm_parameter" "nat_instance_ami" {
  count = var.enable_nat_instance && var.nat_instance_ami == null ? 1 : 0

  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${local.nat_instance_architecture}"
}

resource "aws_instance" "nat" {
  count = var.enable_nat_instance ? 1 : 0

  ami                         = var.nat_instance_ami == null ? data.aws_ssm_parameter.nat_instance_ami[0].insecure_value : var.nat_instance_ami
  instance_type               = var.nat_instance_type
  subnet_id                   = aws_subnet.public[var.availability_zones[0]].id
  vpc_security_group_ids      = [aws_security_group.nat_instance[0].id]
  associate_public_ip_address = true
  ebs_optimized               = true
  source_dest_check           = false # It passes on what is for others.
  user_data_replace_on_change = true

  user_data = <<-EOT
    #!/bin/bash
    set -euo pipefail
    echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/90-nat.conf
    sysctl --system
    dnf install --assumeyes nftables
    cat > /etc/sysconfig/nftables.conf <<'RULES'
    table ip nat {
      chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr ${var.vpc_cidr} ip daddr != ${var.vpc_cidr} masquerade
      }
    }
    RULES
    systemctl enable --now nftables
  EOT

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = 8
  }

  tags = { Name = "${var.project_name}-nat" }

  lifecycle {
    # A new image comes every few weeks; replacing the machine interrupts every agent, so it is done on purpose (-replace).
    ignore_changes = [ami]
  }

  # What it installs when it starts comes from the internet.
  depends_on = [
    aws_route.internet,
    aws_route_table_association.public,
    aws_vpc_security_group_egress_rule.nat_instance_https,
  ]
}

resource "aws_eip" "nat_instance" {
  count = var.enable_nat_instance ? 1 : 0

  domain   = "vpc"
  instance = aws_instance.nat[0].id

  tags = { Name = "${var.project_name}-nat" }

  depends_on = [aws_internet_gateway.main]
}

resource "aws_route" "nat_instance" {
  for_each = var.enable_nat_instance ? aws_route_table.private : {}

  route_table_id         = each.value.id
  destination_cidr_block = "0.0.0.0/0"
  network_interface_id   = aws_instance.nat[0].primary_network_interface_id
}

# Ways to AWS's services that do not lead through the internet

resource "aws_vpc_endpoint" "s3" {
  count = var.enable_vpc_endpoints ? 1 : 0

  vpc_id            = aws_vpc.main.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${var.aws_region}.s3"
  route_table_ids   = concat([aws_route_table.public.id], [for table in aws_route_table.private : table.id])

  tags = { Name = "${var.project_name}-s3" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(local.interface_endpoints)

  vpc_id              = aws_vpc.main.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${var.aws_region}.${each.key}"
  subnet_ids          = [for zone in local.interface_endpoint_zones : aws_subnet.private[zone].id]
  security_group_ids  = [aws_security_group.endpoints[0].id]
  private_dns_enabled = true

  tags = { Name = "${var.project_name}-${each.key}" }
}
