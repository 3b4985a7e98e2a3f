variable "a" { default = var.b }
variable "b" { default = upper("b") }
variable "c" { default = local.x }
