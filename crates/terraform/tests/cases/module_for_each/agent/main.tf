variable "name" {}
variable "port" { type = number }
resource "terraform_data" "this" {
  input = "${var.name}:${var.port}"
}
output "url" { value = "http://${terraform_data.this.input}" }
