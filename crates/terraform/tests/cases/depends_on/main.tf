resource "terraform_data" "second" {
  input      = "second"
  depends_on = [terraform_data.first]
}
resource "terraform_data" "first" {
  input = "first"
  lifecycle {
    ignore_changes = [input]
  }
  provisioner "local-exec" {
    command = "echo never run"
  }
}
output "second" {
  value      = terraform_data.second.input
  depends_on = [terraform_data.first]
}
moved {
  from = terraform_data.old
  to   = terraform_data.first
}
