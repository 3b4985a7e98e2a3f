locals {
  agents = [{ name = "a", ports = [1, 2] }, { name = "b", ports = [3] }]
}
output "names" { value = local.agents[*].name }
output "first_ports" { value = local.agents[*].ports[0] }
output "set" { value = toset(["x", "y"])[*] }
output "single" { value = "one" [*] }
output "null" { value = null[*] }
output "object" { value = { name = "only" }[*].name }
output "then_index" { value = (local.agents[*].name)[1] }
