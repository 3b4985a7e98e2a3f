locals {
  base_url = "${var.certificate_arn == null ? "http" : "https"}://${var.domain_name == null ? aws_lb.main.dns_name : var.domain_name}"
}

# Access

output "alb_dns_name" {
  description = "The load balancer's host name."
  value       = aws_lb.main.dns_name
}

output "agent_endpoints" {
  description = "Where each agent answers."
  value       = { for name in keys(var.agents) : name => "${local.base_url}/${name}" }
}

output "agent_health_check_urls" {
  description = "Where each agent says how it is."
  value       = { for name, agent in var.agents : name => "${local.base_url}/${name}${agent.health_check_path}" }
}

output "service_connect_urls" {
  description = "Where agents reach each other."
  value       = var.enable_service_connect ? { for name, agent in var.agents : name => "http://${name}:${agent.port}" } : {}
}

# What was made

output "ecs_cluster_name" {
  description = "The cluster's name."
  value       = aws_ecs_cluster.main.name
}

output "ecs_service_names" {
  description = "The services' names by agent."
  value       = { for name, service in aws_ecs_service.agents : name => service.name }
}

output "ecr_repository_urls" {
  description = "Where to push each agent's image."
  value       = { for name, repository in aws_ecr_repository.agents : name => repository.repository_url }
}

output "cloudwatch_log_group_names" {
  description = "The log groups' names by agent."
  value       = { for name, group in aws_cloudwatch_log_group.agents : name => group.name }
}

output "cloudwatch_dashboard_name" {
  description = "The dashboard's name."
  value       = aws_cloudwatch_dashboard.main.dashboard_name
}

output "cloudwatch_dashboard_url" {
  description = "The dashboard."
  value       = "https://${var.aws_region}.console.aws.amazon.com/cloudwatch/home?region=${var.aws_region}#dashboards/dashboard/${aws_cloudwatch_dashboard.main.dashboard_name}"
}

output "alarm_topic_arn" {
  description = "Where alarms are published, while there is a topic."
  value       = one(aws_sns_topic.alarms[*].arn)
}

output "data_bucket_name" {
  description = "The bucket with the agents' data, each below its own name."
  value       = aws_s3_bucket.data.id
}

output "secret_names" {
  description = "The secrets' names by agent."
  value       = { for name, secret in aws_secretsmanager_secret.agents : name => secret.name }
}

output "task_role_arns" {
  description = "The agents' own roles."
  value       = { for name, role in aws_iam_role.task : name => role.arn }
}

output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.main.id
}

output "public_subnet_ids" {
  description = "The public subnets by zone."
  value       = { for zone, subnet in aws_subnet.public : zone => subnet.id }
}

output "private_subnet_ids" {
  description = "The private subnets by zone."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }
}

output "nat_gateway_public_ips" {
  description = "The addresses that others see the agents come from, while a NAT gateway or instance is between them."
  value       = concat([for address in aws_eip.nat : address.public_ip], aws_eip.nat_instance[*].public_ip)
}

# What to do with it

output "deployment_commands" {
  description = "Commands for the AWS CLI."
  value = {
    log_in_to_registry = "aws ecr get-login-password --region ${var.aws_region} | docker login --username AWS --password-stdin ${split("/", values(aws_ecr_repository.agents)[0].repository_url)[0]}"
    follow_logs        = { for name, group in aws_cloudwatch_log_group.agents : name => "aws logs tail ${group.name} --follow --region ${var.aws_region}" }
    restart            = { for name, service in aws_ecs_service.agents : name => "aws ecs update-service --cluster ${aws_ecs_cluster.main.name} --service ${service.name} --force-new-deployment --region ${var.aws_region}" }
    set_secret         = { for name, secret in aws_secretsmanager_secret.agents : name => "aws secretsmanager put-secret-value --secret-id ${secret.name} --secret-string file://${name}.secret.json --region ${var.aws_region}" }
  }
}

output "quick_start" {
  description = "What to do after the first apply."
  value       = <<-EOT
    1. Let the agents find each other: a task knows the names of those that were there before it.
         make update-services
    2. See whether all of them are healthy.
         make health-check
    3. Ask one of them.
         curl ${local.base_url}/${keys(var.agents)[0]}/health
    4. Watch them.
         https://${var.aws_region}.console.aws.amazon.com/cloudwatch/home?region=${var.aws_region}#dashboards/dashboard/${aws_cloudwatch_dashboard.main.dashboard_name}
  EOT
}
