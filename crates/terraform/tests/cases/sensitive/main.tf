variable "password" {
  type      = string
  default   = "hunter2"
  sensitive = true
}
locals {
  url    = "postgres://u:${var.password}@db"
  object = { user = "u", password = var.password }
}
resource "terraform_data" "a" {
  input = local.object
}
output "url" {
  value     = local.url
  sensitive = true
}
output "user" { value = local.object.user }
output "revealed" { value = nonsensitive(var.password) }
output "length" {
  value     = length(var.password)
  sensitive = true
}
output "choice" {
  value     = var.password == "x" ? 1 : 2
  sensitive = true
}
