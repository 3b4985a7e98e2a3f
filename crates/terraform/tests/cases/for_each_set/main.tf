resource "terraform_data" "one" {
  for_each = toset(["b", "a"])
  input    = "${each.key} ${each.value}"
}
resource "terraform_data" "empty" {
  for_each = toset([])
}
resource "terraform_data" "filtered" {
  for_each = { for name in ["x", "y", "z"] : name => upper(name) if name != "y" }
  input    = each.value
}
output "inputs" { value = [for key in sort(keys(terraform_data.one)) : terraform_data.one[key].input] }
output "empty" { value = length(terraform_data.empty) }
