# A definition from a template file around a repository URL; everything else by name, and defaults wherever there are any.

data "aws_caller_identity" "me" {}

resource "aws_s3_bucket" "data" {
  bucket_prefix = "shop-"
}

resource "aws_ecr_repository" "shop" {
  name = "shop"
}

resource "aws_ecs_cluster" "shop" {
  name = "shop"
}

resource "aws_ecs_task_definition" "shop" {
  family = "shop"
  container_definitions = templatefile("${path.module}/shop.json.tftpl", {
    image  = "${aws_ecr_repository.shop.repository_url}:7"
    bucket = aws_s3_bucket.data.id
    secret = "arn:aws:secretsmanager:us-east-1:${data.aws_caller_identity.me.account_id}:secret:far-away:KEY::"
  })
}

resource "aws_lb_target_group" "shop" {
  name_prefix = "shop-"
  port        = 80
  protocol    = "HTTP"
  vpc_id      = "vpc-0"
}

resource "aws_ecs_service" "shop" {
  count           = 2
  name            = "shop-${count.index}"
  cluster         = aws_ecs_cluster.shop.name
  task_definition = "${aws_ecs_task_definition.shop.family}:${aws_ecs_task_definition.shop.revision}"
}
