variable "name" { type = string }
output "a" { value = "${var.name}!" }
