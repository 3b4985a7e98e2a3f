output "a" { value = module.network.id }
