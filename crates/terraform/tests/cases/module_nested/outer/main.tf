variable "value" {}
module "inner" {
  source = "../inner"
  value  = "${var.value}-outer"
}
output "deep" { value = module.inner.result }
