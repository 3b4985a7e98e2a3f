resource "terraform_data" "a" {}
resource "terraform_data" "b" {
  input = 1
}
locals {
  id = terraform_data.a.id
}
output "length" { value = length([local.id, "b"]) }
output "keys" { value = keys({ a = local.id, b = 1 }) }
output "known_element" { value = [local.id, "b"][1] }
output "unknown_element" { value = [local.id, "b"][0] }
output "known_member" { value = { a = local.id, b = 1 }.b }
output "for_keeps_its_length" { value = length([for x in [1, 2] : local.id]) }
output "for_over_partly_unknown" { value = [for x in [local.id, "b"] : "constant"] }
output "unknown_filter" { value = [for x in [local.id] : x if x != "a"] }
output "unknown_key" { value = { (local.id) = 1 } }
output "unknown_index" { value = ["a", "b"][terraform_data.b.output] }
output "partly_unknown" { value = { a = local.id, b = 1 } }
output "merged" { value = merge({ a = 1 }, { b = local.id }).a }
output "concatenated" { value = concat(["a"], [local.id])[0] }
output "set" { value = toset(["a", local.id]) }
