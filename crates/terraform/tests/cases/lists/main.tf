locals {
  list   = ["a", "b", "c"]
  nested = [[1, 2], [3]]
}
output "index" { value = [local.list[0], local.list["1"], local.list[1 + 1]] }
output "legacy_index" { value = local.list.1 }
output "nested" { value = local.nested[0][1] }
output "trailing_comma" { value = [1, 2, ] }
output "mixed" { value = [1, "a", true, null, [], {}] }
output "typed" { value = tolist([1, "a", true]) }
