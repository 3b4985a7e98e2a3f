resource "terraform_data" "source" {}
resource "terraform_data" "copy" {
  for_each = { a = terraform_data.source.id, b = "known" }
  input    = each.value
}
output "keys" { value = keys(terraform_data.copy) }
output "known" { value = terraform_data.copy["b"].input }
