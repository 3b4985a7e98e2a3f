output "module" { value = path.module }
output "root" { value = path.root }
output "workspace" { value = terraform.workspace }
