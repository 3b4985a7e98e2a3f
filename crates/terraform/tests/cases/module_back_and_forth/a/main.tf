variable "input" {}
variable "later" {}
output "early" { value = "${var.input}>early" }
output "late" { value = "${var.later}>late" }
