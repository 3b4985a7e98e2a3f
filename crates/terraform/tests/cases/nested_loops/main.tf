locals {
  agents = { hello = ["a", "b"], validator = ["c"] }
  pairs = merge([
    for name, secrets in local.agents : {
      for secret in secrets : "${name}/${secret}" => { name = name, secret = secret }
    }
  ]...)
}
resource "terraform_data" "pair" {
  for_each = local.pairs
  input    = "${each.value.name} ${each.value.secret}"
}
output "pairs" { value = local.pairs }
output "flat" { value = flatten([for name, secrets in local.agents : [for secret in secrets : { (name) = secret }]]) }
