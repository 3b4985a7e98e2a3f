resource "terraform_data" "a" {
  input = "x"
}
locals {
  value = terraform_data.a.output
}
output "sum" { value = terraform_data.a.id == "x" ? 1 : 2 }
output "and_false" { value = (local.value == "a") && false }
output "or_true" { value = (local.value == "a") || true }
output "negated" { value = !(local.value == "a") }
output "equal_to_itself" { value = local.value == local.value }
output "objects_of_other_shape" { value = { a = local.value } == { b = 1 } }
output "known" { value = 1 + 1 == 2 }
