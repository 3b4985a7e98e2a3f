locals {
  numbers = [3, 9, 4]
  maps    = [{ a = 1 }, { b = 2 }]
}
output "max" { value = max(local.numbers...) }
output "merge" { value = merge(local.maps...) }
output "mixed" { value = min(2, local.numbers...) }
output "lists" { value = concat([[1], [2, 3]]...) }
