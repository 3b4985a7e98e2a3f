locals {
  key    = "dynamic"
  object = { plain = 1, "quoted" = 2, (local.key) = 3, "tem${"plate"}" = 4, 5 : "number" }
}
output "object" { value = local.object }
output "attribute" { value = local.object.plain + local.object["quoted"] }
output "by_expression" { value = local.object[local.key] }
output "last_wins" { value = { a = 1, "a" = 2 } }
output "newlines" {
  value = {
    a = 1
    b = 2, c = 3
  }
}
