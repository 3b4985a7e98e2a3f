module "child" {
  source = "./child"
}
output "a" { value = module.child.nmae }
output "b" { value = module.child }
