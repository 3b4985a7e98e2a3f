variable "nullable" {
  type    = string
  default = null
}
variable "solid" {
  type     = string
  default  = "default"
  nullable = false
}
module "child" {
  source = "./child"
  solid  = null
  loose  = null
}
output "nullable" { value = var.nullable == null }
output "solid" { value = var.solid }
output "child" { value = module.child.values }
