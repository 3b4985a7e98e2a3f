
variable "zones" { type = list(string) }
variable "name" { type = string }
module "zone" {
  source   = "../zone"
  for_each = toset(var.zones)
  name     = "${var.name}-${each.key}"
}
output "subnets" { value = { for key, zone in module.zone : key => zone.name } }
