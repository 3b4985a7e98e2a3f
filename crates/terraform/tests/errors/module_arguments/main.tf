module "child" {
  source = "./child"
  nmae   = "x"
}
output "a" { value = module.child.nothing }
