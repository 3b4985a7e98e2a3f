variable "vpc_cidr" { default = "10.0.0.0/16" }
output "a" { value = var.vpc_cdir }
output "b" { value = "x ${var.something_else}" }
