locals {
  größe = { "ключ" = "値" }
}
output "value" { value = local.größe["ключ"] }
output "length" { value = length("日本é") }
output "upper" { value = upper("éß") }
