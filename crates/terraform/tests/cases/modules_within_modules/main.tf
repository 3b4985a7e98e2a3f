
module "region" {
  source   = "./region"
  for_each = { eu = ["a", "b"], us = ["c"] }
  zones    = each.value
  name     = each.key
}
output "all" { value = { for name, region in module.region : name => region.subnets } }
output "one" { value = module.region["eu"].subnets["a"] }
output "keys" { value = keys(module.region) }
