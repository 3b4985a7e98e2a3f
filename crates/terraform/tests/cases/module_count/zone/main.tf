variable "index" { type = number }
resource "terraform_data" "subnet" {
  count = 2
  input = cidrsubnet("10.0.0.0/16", 8, var.index * 2 + count.index)
}
output "name" { value = "zone-${var.index}" }
