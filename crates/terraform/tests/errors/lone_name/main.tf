variable "region" { default = "x" }
output "a" { value = region }
output "b" { value = unquoted }
