module "child" {
  source = "./child"
}
output "secret" {
  value     = module.child.secret
  sensitive = true
}
output "plain" { value = module.child.plain }
