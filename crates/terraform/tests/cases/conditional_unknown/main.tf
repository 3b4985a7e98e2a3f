resource "terraform_data" "a" {
  input = "x"
}
locals {
  condition = terraform_data.a.output == "x"
}
output "texts" { value = local.condition ? "a" : "b" }
output "same_number" { value = local.condition ? 1 : 1 }
output "both_null" { value = local.condition ? null : null }
output "branch_unknown" { value = true ? terraform_data.a.output : "known" }
output "other_branch_unknown" { value = false ? terraform_data.a.output : "known" }
