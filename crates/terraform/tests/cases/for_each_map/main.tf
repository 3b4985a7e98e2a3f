locals {
  agents = { hello = { port = 9002 }, validator = { port = 9001 } }
}
resource "terraform_data" "agent" {
  for_each = local.agents
  input    = "${each.key}:${each.value.port}"
}
resource "terraform_data" "follower" {
  for_each         = terraform_data.agent
  input            = each.value.input
  triggers_replace = [each.value.id]
}
output "one" { value = terraform_data.agent["hello"].input }
output "map" { value = { for name, agent in terraform_data.agent : name => agent.input } }
output "values" { value = values(terraform_data.agent)[*].input }
output "keys" { value = keys(terraform_data.follower) }
