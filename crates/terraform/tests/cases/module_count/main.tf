module "zone" {
  source = "./zone"
  count  = 2
  index  = count.index
}
module "none" {
  source = "./zone"
  count  = 0
  index  = 0
}
output "names" { value = module.zone[*].name }
output "second" { value = module.zone[1].name }
output "none" { value = length(module.none) }
