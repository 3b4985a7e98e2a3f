locals {
  agents = { hello = { port = 9002, on = true }, old = { port = 1, on = false } }
}
output "plain" { value = { for name, agent in local.agents : name => agent.port } }
output "filtered" { value = { for name, agent in local.agents : name => agent.port if agent.on } }
output "from_list" { value = { for i, x in ["a", "b"] : x => i } }
output "number_keys" { value = { for x in [2, 10] : x => x } }
output "grouped" { value = { for word in ["ant", "bee", "ape"] : substr(word, 0, 1) => word... } }
