variable "name" {
  type    = string
  default = "base"
}
locals {
  kept     = "kept"
  replaced = "base"
}
resource "terraform_data" "a" {
  input            = "base"
  triggers_replace = ["base"]
  lifecycle {
    create_before_destroy = true
    precondition {
      condition     = var.name != ""
      error_message = "never"
    }
  }
}
output "name" { value = var.name }
output "locals" { value = [local.kept, local.replaced] }
output "described" {
  value       = "base"
  description = "base"
}
