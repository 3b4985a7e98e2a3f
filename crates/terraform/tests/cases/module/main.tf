module "greeting" {
  source = "./greeting"
  name   = "validator"
}
output "text" { value = module.greeting.text }
output "whole" { value = module.greeting }
