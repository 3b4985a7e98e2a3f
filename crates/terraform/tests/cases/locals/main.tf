locals {
  c = "${local.b}c"
  b = "${local.a}b"
}
locals {
  a    = "a"
  self = { a = local.c, list = [local.a, local.b] }
}
output "c" { value = local.c }
output "self" { value = local.self }
