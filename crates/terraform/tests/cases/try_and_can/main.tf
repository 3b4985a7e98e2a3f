locals {
  object = { a = { b = 1 } }
}
output "first" { value = try(local.object.a.b, "none") }
output "fallback" { value = try(local.object.x.y, "none") }
output "several" { value = try(local.object.x, local.object.y, 3) }
output "can" { value = [can(local.object.a), can(local.object.z), can(tonumber("x"))] }
output "null_is_a_success" { value = try(null, 1) }
output "nested" { value = try(try(local.object.q, local.object.r), "inner failed") }
