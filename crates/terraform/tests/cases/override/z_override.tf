resource "terraform_data" "a" {
  input = "overridden twice"
}
output "described" {
  value = "overridden"
}
