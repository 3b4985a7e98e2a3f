resource "terraform_data" "a" {
  for_each = ["a", "b"]
}
output "a" { value = terraform_data.a["a"].id }
