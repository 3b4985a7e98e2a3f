variable "id" { type = string }
output "id" { value = var.id }
output "known" { value = "known" }
output "object" { value = { id = var.id, known = true } }
