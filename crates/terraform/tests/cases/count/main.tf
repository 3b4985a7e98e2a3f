resource "terraform_data" "zone" {
  count = 3
  input = "zone-${count.index}"
}
resource "terraform_data" "none" {
  count = 0
}
resource "terraform_data" "maybe" {
  count = "1"
  input = length(terraform_data.zone)
}
output "second" { value = terraform_data.zone[1].input }
output "all" { value = terraform_data.zone[*].input }
output "legacy" { value = terraform_data.zone.*.input }
output "none" { value = [length(terraform_data.none), terraform_data.none[*].input] }
output "one" { value = one(terraform_data.maybe[*].input) }
