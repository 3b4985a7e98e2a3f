locals {
  name = "validator"
  port = 9001
}
output "url" { value = "http://${local.name}:${local.port}/health" }
output "conversions" { value = "${true} ${1.50} ${1 / 3} ${"nested ${local.name}"}" }
output "single_keeps_its_type" { value = [1, 2] }
output "expression" { value = "${local.port > 9000 ? "high" : "low"}-${upper(local.name)}" }
