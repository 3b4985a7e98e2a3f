# Empty collections, unknown members, tags, and policy documents.

resource "aws_vpc" "x" {
  cidr_block = "10.0.0.0/16"
  tags       = {}
}
resource "aws_vpc" "y" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = aws_vpc.x.id, B = "c" }
}
resource "aws_vpc" "z" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = null, B = "", C = 3, D = true }
}
resource "aws_lb" "p" {
  subnets         = ["subnet-2", "subnet-1"]
  security_groups = []
}
resource "aws_vpc_endpoint" "b" {
  vpc_id          = "vpc-1"
  service_name    = "com.amazonaws.us-east-1.s3"
  route_table_ids = []
}
resource "aws_vpc_endpoint" "c" {
  vpc_id       = "vpc-1"
  service_name = ""
}
resource "aws_ecs_service" "np" {
  name = "b"
  network_configuration {
    subnets         = []
    security_groups = []
  }
}
resource "aws_ecs_service" "np2" {
  name     = "b"
  triggers = { a = aws_vpc.x.id, b = "c" }
  network_configuration {
    subnets = [aws_vpc.x.id]
  }
  placement_constraints {
    type       = "memberOf"
    expression = aws_vpc.x.id
  }
}
resource "aws_ecs_task_definition" "u" {
  family                   = "x"
  requires_compatibilities = []
  cpu                      = ""
  container_definitions    = "[]"
  ipc_mode                 = null
}
resource "aws_security_group" "p" {
  ingress = []
  egress {
    from_port       = 1
    to_port         = 1
    protocol        = "tcp"
    security_groups = [aws_vpc.x.id]
  }
}
resource "aws_security_group" "q" {
  ingress {
    from_port   = 1
    to_port     = 1
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
    description = aws_vpc.x.id
  }
}
resource "aws_cloudwatch_metric_alarm" "q" {
  alarm_name          = "b"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  threshold           = 1
  metric_name         = "x"
  namespace           = "y"
  period              = 60
  statistic           = "Average"
  dimensions          = { a = aws_vpc.x.id, b = "c" }
  alarm_actions       = []
  ok_actions          = [aws_vpc.x.id, "arn:aws:sns:us-east-1:123456789012:x"]
}
resource "aws_iam_policy" "a" { policy = jsonencode({ a = aws_vpc.x.id }) }
resource "aws_iam_role" "a" {
  assume_role_policy  = data.aws_iam_policy_document.a.json
  managed_policy_arns = []
  tags                = { x = "y" }
}
resource "aws_vpc_security_group_ingress_rule" "a" {
  security_group_id = aws_vpc.x.id
  ip_protocol       = "6"
  from_port         = 1
  to_port           = 1
  cidr_ipv4         = "0.0.0.0/0"
  tags              = { x = aws_vpc.x.id }
}
resource "aws_vpc_security_group_ingress_rule" "b" {
  security_group_id = aws_vpc.x.id
  ip_protocol       = "TCP"
  from_port         = 1
  to_port           = 1
  cidr_ipv4         = "0.0.0.0/0"
  tags              = {}
}
data "aws_iam_policy_document" "a" {
  statement {
    effect        = "Deny"
    sid           = ""
    actions       = ["s3:b", "s3:a"]
    not_resources = ["*", "b"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::1:root", "arn:aws:iam::2:root"]
    }
    principals {
      type        = "Service"
      identifiers = ["x"]
    }
    principals {
      type        = "AWS"
      identifiers = ["z"]
    }
    condition {
      test     = "StringLike"
      variable = "b"
      values   = ["&{aws:x}", "c", "a"]
    }
    condition {
      test     = "StringLike"
      variable = "a"
      values   = ["<b>"]
    }
    condition {
      test     = "Bool"
      variable = "a"
      values   = ["true"]
    }
  }
  statement {
    sid         = "x"
    not_actions = ["s3:a"]
    resources   = ["b", "a"]
    not_principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
  statement {
    resources = ["a&{b}"]
    actions   = ["*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
  statement {
    sid       = "same"
    resources = ["a"]
    actions   = ["*"]
    condition {
      test     = "StringLike"
      variable = "a"
      values   = ["x"]
    }
    condition {
      test     = "StringLike"
      variable = "a"
      values   = ["y", "z"]
    }
  }
}
data "aws_iam_policy_document" "empty" {}
data "aws_iam_policy_document" "wild" {
  statement {
    actions = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
  policy_id = "id"
  version   = "2008-10-17"
}
data "aws_iam_policy_document" "merge" {
  source_policy_documents   = [data.aws_iam_policy_document.a.json, data.aws_iam_policy_document.wild.json]
  override_policy_documents = [jsonencode({ Statement = [{ Sid = "same", Effect = "Deny", Action = ["q", "r"], Resource = "*" }, { Effect = "Allow", Action = "n", Resource = "*", Condition = { Bool = { x = "true" }, A = { y = ["1", "2"] } } }] })]
  statement {
    sid       = "x"
    actions   = ["over"]
    resources = ["r"]
  }
}
data "aws_region" "r" {}
data "aws_partition" "r" {}
data "aws_default_tags" "t" {}
data "aws_service_principal" "s" { service_name = "ecs-tasks" }
data "aws_region" "other" { name = "eu-west-1" }
output "docs" { value = [data.aws_iam_policy_document.a, data.aws_iam_policy_document.empty, data.aws_iam_policy_document.wild, data.aws_iam_policy_document.merge] }
output "rest" { value = [data.aws_region.r, data.aws_partition.r, data.aws_default_tags.t, data.aws_region.other, data.aws_service_principal.s] }
