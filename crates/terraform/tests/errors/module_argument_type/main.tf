module "child" {
  source = "./child"
  port   = "many"
}
output "a" { value = module.child.port }
