variable "input" {}
output "result" { value = "${var.input}>b" }
