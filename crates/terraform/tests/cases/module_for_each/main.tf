module "agent" {
  source   = "./agent"
  for_each = { hello = 9002, validator = 9001 }
  name     = each.key
  port     = each.value
}
output "one" { value = module.agent["hello"].url }
output "all" { value = { for name, agent in module.agent : name => agent.url } }
