
variable "name" { type = string }
locals { upper = upper(var.name) }
resource "terraform_data" "this" {
  count = 2
  input = "${local.upper}-${count.index}"
}
output "name" { value = join("+", terraform_data.this[*].input) }
