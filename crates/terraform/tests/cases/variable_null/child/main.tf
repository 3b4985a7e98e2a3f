variable "solid" {
  type     = string
  default  = "child default"
  nullable = false
}
variable "loose" {
  type    = string
  default = "not used"
}
output "values" { value = [var.solid, var.loose] }
