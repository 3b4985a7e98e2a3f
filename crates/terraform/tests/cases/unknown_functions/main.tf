resource "terraform_data" "a" {}
locals {
  id = terraform_data.a.id
}
output "jsonencode" { value = jsonencode([{ image = "${local.id}:latest", cpu = 256 }]) }
output "upper" { value = upper(local.id) }
output "join" { value = join(",", ["a", local.id]) }
output "lookup_known" { value = lookup({ a = 1, b = 2 }, "a", 0) }
output "coalesce" { value = coalesce("first", local.id) }
output "try" { value = try(local.id, "fallback") }
output "can" { value = can(local.id) }
output "try_known" { value = try({ a = local.id, b = 1 }.b, 2) }
output "format" { value = format("%s-%s", "a", local.id) }
