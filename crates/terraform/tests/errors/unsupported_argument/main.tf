variable "a" { descripton = "typo" }
output "b" {
  value    = 1
  sensitve = true
}
resource "terraform_data" "c" { inptu = 1 }
