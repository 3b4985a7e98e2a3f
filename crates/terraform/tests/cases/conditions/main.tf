resource "terraform_data" "b" {
  input = "abc"
}
resource "terraform_data" "a" {
  input = 3
  lifecycle {
    precondition {
      condition     = length(terraform_data.b.input) == 3
      error_message = "Length."
    }
    postcondition {
      condition     = self.input == 3
      error_message = "Input."
    }
    postcondition {
      condition     = self.id != "x"
      error_message = "Not known before apply."
    }
  }
}
output "a" {
  value = terraform_data.a.input
  precondition {
    condition     = terraform_data.a.input > 2
    error_message = "Too small."
  }
}
check "ignored" {
  assert {
    condition     = terraform_data.b.input == "abc"
    error_message = "never"
  }
}
