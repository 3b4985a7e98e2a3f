resource "terraform_data" {}
variable {}
output "a" "b" { value = 1 }
