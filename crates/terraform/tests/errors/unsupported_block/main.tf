resurce "terraform_data" "a" {}
resource "terraform_data" "b" {
  timeouts {}
}
variable "c" {
  validate {}
}
