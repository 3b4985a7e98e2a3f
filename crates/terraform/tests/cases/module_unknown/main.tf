resource "terraform_data" "a" {}
module "child" {
  source = "./child"
  id     = terraform_data.a.id
}
output "id" { value = module.child.id }
output "known" { value = module.child.known }
output "object" { value = module.child.object }
