variable "name" { type = string }
output "something" { value = var.name }
