output "secret" {
  value     = "s3cret"
  sensitive = true
}
output "plain" { value = "plain" }
