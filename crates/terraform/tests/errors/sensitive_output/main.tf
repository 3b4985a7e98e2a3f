variable "password" {
  default   = "x"
  sensitive = true
}
output "a" { value = "secret: ${var.password}" }
