locals {
  broken = [for x in [1, 2, 3] : local.missing]
  uses   = { a = local.broken, b = "${local.broken}" }
}
resource "terraform_data" "a" {
  for_each = local.uses
  input    = each.value
}
output "a" { value = terraform_data.a["a"].input }
output "b" { value = try(local.broken, "fallback") }
