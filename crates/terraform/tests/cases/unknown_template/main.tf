resource "terraform_data" "a" {}
resource "terraform_data" "b" {
  input = {
    text   = "id is ${terraform_data.a.id}!"
    known  = "plain"
    nested = ["x", "${terraform_data.a.id}-y"]
  }
}
output "text" { value = terraform_data.a.id }
output "is_not_null" { value = "x-${terraform_data.a.id}" == null }
output "known_beside_unknown" { value = terraform_data.b.input.known }
