variable "name" {
  default = "overridden"
}
locals {
  replaced = "overridden"
}
resource "terraform_data" "a" {
  input = "overridden"
  lifecycle {
    create_before_destroy = false
  }
}
