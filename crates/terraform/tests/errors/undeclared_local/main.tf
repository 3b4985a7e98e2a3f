locals { name = "a" }
output "a" { value = local.nmae }
