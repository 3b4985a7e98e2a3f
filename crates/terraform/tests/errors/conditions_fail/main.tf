variable "size" { default = 3 }
resource "terraform_data" "a" {
  input = var.size
  lifecycle {
    precondition {
      condition     = var.size > 5
      error_message = "Too small: ${var.size}."
    }
    postcondition {
      condition     = self.input > 5
      error_message = "Input too small."
    }
  }
}
output "a" {
  value = 1
  precondition {
    condition     = var.size > 4
    error_message = "Far too small."
  }
}
