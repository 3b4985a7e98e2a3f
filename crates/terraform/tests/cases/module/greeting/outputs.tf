output "text" { value = "${var.greeting} ${var.name}" }
output "path" { value = path.module }
