resource "terraform_data" "source" {}
resource "terraform_data" "a" {
  for_each = toset([terraform_data.source.id])
}
resource "terraform_data" "b" {
  for_each = { for x in [1] : terraform_data.source.id => x }
}
