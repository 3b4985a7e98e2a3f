locals {
  list = ["a"]
  map  = { name = 1 }
}
output "a" { value = local.list[1] }
output "b" { value = local.list[-1] }
output "c" { value = local.map["nmae"] }
output "d" { value = toset(["a"])[0] }
output "e" { value = local.list["x"] }
output "f" { value = local.list[null] }
