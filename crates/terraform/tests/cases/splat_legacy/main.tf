locals {
  agents = [{ name = "a", box = { port = 1 } }, { name = "b", box = { port = 2 } }]
}
output "names" { value = local.agents.*.name }
output "deep" { value = local.agents.*.box.port }
output "then_index" { value = local.agents.*.name[1] }
