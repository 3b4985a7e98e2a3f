resource "terraform_data" "empty" {}
resource "terraform_data" "full" {
  input            = { list = [1, 2], text = "x" }
  triggers_replace = ["a", terraform_data.empty.id]
}
resource "terraform_data" "chain" {
  input = terraform_data.full.output
}
output "input" { value = terraform_data.full.input.list[1] }
output "no_output" { value = terraform_data.empty.output }
output "output" { value = terraform_data.full.output }
