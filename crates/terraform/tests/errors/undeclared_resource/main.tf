resource "terraform_data" "main" {}
output "a" { value = terraform_data.mian.id }
output "b" { value = terraform_dat.main.id }
output "c" { value = data.terraform_data.main.id }
