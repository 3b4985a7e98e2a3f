variable "value" {}
resource "terraform_data" "this" {
  input = "${var.value}-inner"
}
output "result" { value = { text = terraform_data.this.input, path = path.module, root = path.root } }
